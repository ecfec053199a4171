"""Whether a second process sees the cache: with real processes, and settings of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Outcome
from tests.checklist.looking import told

pytestmark = pytest.mark.django_db

LIVE_KEY = "_".join(["fl", "live", "sk", "c" * 24])
LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
WITHOUT_TABLE = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "no_such_table"}}
IN_CACHE, IN_DATABASE = "django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.db"
IN_BOTH = "django.contrib.sessions.backends.cached_db"


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """Give this process and the second one the same caches; the second reads them from a settings module."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_of_the_second")

    def configure(caches: dict[str, Any], sessions: str = IN_DATABASE) -> None:
        database = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "second.sqlite3")}}
        text = f"SECRET_KEY = 'x'\nDATABASES = {database!r}\nCACHES = {caches!r}\n"
        (tmp_path / "settings_of_the_second.py").write_text(text, encoding="utf-8")
        settings.CACHES = caches
        settings.SESSION_ENGINE = sessions

    return configure


def test_a_cache_in_files_is_shared(caches: Any, look: Any, tmp_path: Path) -> None:
    on_disk = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "cache")}
    caches({"default": on_disk}, IN_CACHE)
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.PASS
    assert "FileBasedCache) is found here" in told(found, Outcome.PASS)


def test_a_cache_in_memory_that_holds_sessions_is_noticed(caches: Any, look: Any, settings: Any) -> None:
    caches(LOCAL, IN_CACHE)
    assert look("shared-cache", "network").outcome is Outcome.WARN
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.FAIL
    assert "lose their sessions" in told(found, Outcome.FAIL)


def test_a_cache_in_memory_before_sessions_in_the_database_keeps_what_is_over(caches: Any, look: Any) -> None:
    caches(LOCAL, IN_BOTH)
    said = told(look("shared-cache", "network"), Outcome.WARN)
    assert "which a second process does not share" in said
    assert "a session that another process has changed or ended goes on as it was" in said
    assert "lose" not in said


def test_a_cache_in_memory_that_nothing_needs_is_fine_and_said(caches: Any, look: Any) -> None:
    caches(LOCAL)
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.PASS
    assert "is not shared, and nothing needs it" in told(found, Outcome.PASS)


@pytest.mark.parametrize("sessions", [IN_CACHE, IN_BOTH])
def test_a_cache_that_fails_and_holds_sessions_is_noticed(caches: Any, look: Any, settings: Any, sessions: str) -> None:
    caches(WITHOUT_TABLE, sessions)
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.WARN
    assert "Sessions are in the cache 'default' (DatabaseCache), which fails: OperationalError." in told(
        found, Outcome.WARN
    )
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    assert look("shared-cache", "network").outcome is Outcome.FAIL


def test_a_cache_for_sessions_that_does_not_exist_is_noticed(caches: Any, look: Any, settings: Any) -> None:
    caches(LOCAL, IN_CACHE)
    settings.SESSION_CACHE_ALIAS = "of-sessions"
    assert "which fails: InvalidCacheBackendError" in told(look("shared-cache", "network"), Outcome.WARN)


def test_a_cache_that_fails_and_that_nothing_needs_is_a_warning(caches: Any, look: Any, settings: Any) -> None:
    caches(WITHOUT_TABLE)
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.WARN
    assert "fails (OperationalError), though nothing of this app needs it" in told(found, Outcome.WARN)


def test_a_second_process_that_cannot_start_proves_nothing(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no_such_settings")
    found = look("shared-cache", "network")
    assert found.outcome is Outcome.SKIP
    assert "exit code 1" in told(found, Outcome.SKIP)


def test_without_a_settings_module_nothing_is_claimed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    assert look("shared-cache", "network").outcome is Outcome.SKIP
