"""The example shop's settings, made quick and quiet; DATABASE_URL chooses the database."""

import os
import tempfile
from pathlib import Path

import django

os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ["DEBUG"] = "off"

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES

if django.VERSION >= (6, 1):  # which warns of projects that leave it out
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because threads and other processes take part: in memory they would meet table locks that no shop meets.
    # The disk is not waited for; a killed process loses nothing by that, only a power cut would.
    file = Path(tempfile.gettempdir()) / f"django-flowlix-tests-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": str(file)}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL"
