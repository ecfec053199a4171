"""The shop's settings in environments of all kinds; each is read by a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = """
import json
from example_project import settings as s
account = s.FLOWLIX["default"]
print(json.dumps({
    "api_url": account.get("API_URL", ""), "base_url": account.get("BASE_URL", ""),
    "key": account["SECRET_KEY"].reveal(),
    "origins": s.SHOP_HOSTED_PAGE_ORIGINS, "hosts": s.ALLOWED_HOSTS, "secure": s.SESSION_COOKIE_SECURE,
    "engine": s.DATABASES["default"]["ENGINE"], "options": s.DATABASES["default"]["OPTIONS"], "secret": s.SECRET_KEY,
}))
"""


def settings_with(**environment: str) -> dict[str, object]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLOWLIX_", "SHOP_", "DJANGO_", "DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS"))
    }
    done = subprocess.run(
        [sys.executable, "-c", REPORT], env=clean | environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def bare() -> dict[str, object]:
    return settings_with()


def test_without_any_variable_the_emulator_is_the_gateway(bare: dict[str, object]) -> None:
    assert bare["api_url"] == "http://127.0.0.1:8900"
    assert bare["base_url"] == "http://127.0.0.1:8000"
    assert bare["origins"] == ["http://127.0.0.1:8900"]
    assert str(bare["key"]).startswith("fl_test_sk_")


def test_d4_sqlite_takes_the_write_lock_at_begin(bare: dict[str, object]) -> None:
    assert bare["engine"] == "django.db.backends.sqlite3"
    assert bare["options"] == {"transaction_mode": "IMMEDIATE", "timeout": 20}


def test_the_secret_key_is_drawn_at_start_unless_given(bare: dict[str, object]) -> None:
    assert settings_with()["secret"] != bare["secret"]
    assert settings_with(SECRET_KEY="given")["secret"] == "given"


def test_a_key_of_ones_own_is_not_mixed_with_the_emulators_address() -> None:
    key = "_".join(["fl", "live", "sk", "a" * 24])
    own = settings_with(FLOWLIX_SECRET_KEY=key, FLOWLIX_BASE_URL="https://shop.example")

    assert own["key"] == key
    assert own["api_url"] == ""
    assert "127.0.0.1:8900" not in str(own["origins"])
    assert own["secure"] is True
    assert "shop.example" in str(own["hosts"])


def test_mariadb_refuses_what_is_too_long() -> None:
    options = settings_with(DATABASE_URL="mysql://u:p@127.0.0.1/shop")["options"]

    assert options == {"charset": "utf8mb4", "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"}
