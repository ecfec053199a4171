"""A shop that has no admin of Django's: the customers' pages and the command work there all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
SECRET_KEY = "for tests only"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_flowlix"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3"}}
ROOT_URLCONF = "urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
FLOWLIX = {
    "default": {
        "SECRET_KEY": "_".join(["fl", "test", "sk", "x" * 24]),
        "API_URL": "http://127.0.0.1:8001",
        "BASE_URL": "http://127.0.0.1:8000",
    }
}
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("flowlix/", include("django_flowlix.urls"))]
"""
RENDER = """
import django; django.setup()
from django.template.loader import render_to_string
assert "<title>" in render_to_string("django_flowlix/page.html")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "settings_without_admin.py").write_text(SETTINGS)
    (tmp_path / "urls.py").write_text(URLS)
    return tmp_path


@pytest.mark.parametrize(
    "commands",
    [
        [["-c", RENDER]],
        [["-m", "django", "check"]],
        [["-m", "django", "migrate", "-v0"], ["-m", "django", "flowlix_check", "--only", "decline-texts"]],
    ],
    ids=["customers page", "check", "flowlix_check"],
)
def test_without_the_admin_all_else_works(shop: Path, commands: list[list[str]]) -> None:
    surroundings = os.environ | {"DJANGO_SETTINGS_MODULE": "settings_without_admin", "PYTHONPATH": str(shop)}
    for command in commands:
        done = subprocess.run(
            [sys.executable, *command], cwd=shop, env=surroundings, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr[-1500:]
