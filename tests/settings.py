"""The example shop's settings, made quick and quiet; DATABASE_URL chooses the database."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ["DEBUG"] = "off"

from example_project.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
