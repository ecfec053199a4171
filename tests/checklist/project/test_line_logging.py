"""card-numbers-not-logged: the handlers, the error reports, and what the log files hold already."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils.log import AdminEmailHandler
from django.views.debug import SafeExceptionReporterFilter, get_default_exception_reporter_filter

from django_flowlix.checklist import Finding, Outcome
from tests.checklist.logging_tree import handlers_are, masked
from tests.checklist.project.conftest import Project
from tests.checklist.project.keys import TEST_KEY

Findings = Callable[[str], list[Finding]]
ITEM = "card-numbers-not-logged"
ROOT = Path(__file__).resolve().parents[3]


def stream(name: str | None = None) -> logging.Handler:
    handler = logging.StreamHandler(io.StringIO())
    handler.name = name
    return handler


def told(findings: list[Finding], outcome: Outcome) -> list[str]:
    return [f"{found.looked_at} → {found.to_do}" for found in findings if found.outcome is outcome]


@pytest.fixture
def judged(findings: Findings) -> Callable[..., list[Finding]]:
    def judged(*handlers: logging.Handler, **names: Any) -> list[Finding]:
        with handlers_are(*handlers, **names):
            return findings(ITEM)

    return judged


Judged = Callable[..., list[Finding]]


def test_a_masked_handler_passes_and_is_named(judged: Judged) -> None:
    found = judged(masked(stream(), "console"))
    assert {finding.outcome for finding in found} == {Outcome.PASS}
    assert "root, django.request, django.server, django_flowlix → logging.StreamHandler 'console'" in found[0].looked_at


@pytest.mark.parametrize("mode", ["live_key", "test_key"])
def test_a_handler_that_leaks_fails_and_is_told_how(judged: Judged, request: pytest.FixtureRequest, mode: str) -> None:
    request.getfixturevalue(mode)
    (words,) = told(judged(stream("console"), masked(stream())), Outcome.FAIL)
    assert words.startswith(
        "root, django.request, django.server, django_flowlix → logging.StreamHandler 'console' shows"
    )
    assert "a card number, a key and an access token that stands in the message, an argument and an exception" in words
    assert "django_flowlix.log_redaction.RedactionFilter" in words


@pytest.mark.parametrize(("mode", "outcome"), [("live_key", Outcome.FAIL), ("test_key", Outcome.WARN)])
def test_no_handler_at_all_is_a_leak_to_the_screen(
    judged: Judged, request: pytest.FixtureRequest, mode: str, outcome: Outcome
) -> None:
    request.getfixturevalue(mode)
    (words,) = told(judged(), outcome)
    assert "logging.lastResort" in words
    assert '"root": {"handlers": ["console"]}' in words


def test_what_only_runserver_writes_is_warned_of(judged: Judged, live_key: str) -> None:
    found = judged(masked(stream()), names={"django.server": [stream("django.server")]})
    (words,) = told(found, Outcome.WARN)
    assert words.startswith("django.server → logging.StreamHandler 'django.server' shows")
    assert words.endswith('"loggers": {"django": {"level": "INFO"}}.')
    assert told(found, Outcome.FAIL) == []


def test_a_handler_that_the_project_gave_django_needs_the_filter(judged: Judged) -> None:
    found = judged(masked(stream()), names={"django": [stream("own")]}, configured=["django"])
    (words,) = told(found, Outcome.FAIL)
    assert words.startswith("django, django.request, django.server → logging.StreamHandler 'own' shows")
    assert '"filters": ["redaction"] with this handler' in words


def test_a_handler_that_lets_nothing_through_is_no_proof(judged: Judged) -> None:
    off = stream("off")
    off.setLevel(logging.CRITICAL + 1)
    found = judged(off)
    assert told(found, Outcome.SKIP)
    assert told(found, Outcome.NOTE)[0].startswith("root")
    assert not [finding for finding in found if "none is shown" in finding.looked_at]


class OwnEmit(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(record.msg)  # noqa: T201


def test_a_handler_of_its_own_kind_needs_a_person(judged: Judged) -> None:
    (words,) = told(judged(OwnEmit(), masked(stream())), Outcome.PERSON)
    assert words.endswith(f"→ {__name__}.OwnEmit writes no card number and no key: it was tried.")


@pytest.mark.parametrize(("mode", "outcome"), [("live_key", Outcome.FAIL), ("test_key", Outcome.WARN)])
def test_html_mails_show_local_variables(
    judged: Judged, settings: Any, request: pytest.FixtureRequest, mode: str, outcome: Outcome
) -> None:
    request.getfixturevalue(mode)
    settings.ADMINS = ["ada@example.com"]
    (words,) = told(judged(masked(AdminEmailHandler(include_html=True)), masked(stream())), outcome)
    assert "include_html" in words


# --- What is put around logging ------------------------------------------------------------------------------


def test_who_replaces_a_method_of_loggers_needs_a_person(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = logging.Logger.callHandlers
    monkeypatch.setattr(logging.Logger, "callHandlers", lambda *args: usual(*args))
    (words,) = told(judged(masked(stream())), Outcome.PERSON)
    assert words == (
        "Records pass through what was put in the place of logging.Logger.callHandlers, before any handler of LOGGING: "
        "what that sends cannot be told. → What stands in the place of logging.Logger.callHandlers sends no card "
        "number and no key: it was tried."
    )


def test_sentry_needs_a_person(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", types.ModuleType("sentry_sdk"))
    (words,) = told(judged(masked(stream())), Outcome.PERSON)
    assert words == (
        "sentry_sdk is loaded, and takes records and local variables past the handlers of LOGGING. → "
        "sentry_sdk sends no card number and no key: it was tried."
    )


# --- Error reports -------------------------------------------------------------------------------------------


def test_error_reports_mask_the_accounts(judged: Judged, test_key: str, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": TEST_KEY}}
    assert "The settings that error reports show hold no key. → " in told(judged(masked(stream())), Outcome.PASS)


@pytest.mark.parametrize(
    "value", [TEST_KEY, ["a", TEST_KEY], {"default": {"id": TEST_KEY}}], ids=["text", "list", "dict"]
)
def test_a_key_under_a_harmless_name_is_shown_in_error_reports(
    judged: Judged, test_key: str, settings: Any, value: Any
) -> None:
    settings.SHOP_FLOWLIX = value
    (words,) = told(judged(masked(stream())), Outcome.FAIL)
    assert words.startswith("Error reports show a key: it stands in the setting SHOP_FLOWLIX.")


class ShowsAll(SafeExceptionReporterFilter):
    def cleanse_setting(self, key: Any, value: Any) -> Any:
        return value


def test_a_filter_of_error_reports_that_masks_nothing(judged: Judged, test_key: str, settings: Any) -> None:
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = f"{__name__}.ShowsAll"
    settings.SHOP_SECRET = TEST_KEY
    get_default_exception_reporter_filter.cache_clear()
    try:
        (words,) = told(judged(masked(stream())), Outcome.FAIL)
    finally:
        get_default_exception_reporter_filter.cache_clear()
    assert "SHOP_SECRET" in words


# --- Log files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "outcome"), [("live_key", Outcome.FAIL), ("test_key", Outcome.WARN)])
def test_a_card_number_in_a_log_is_told_of(
    judged: Judged, project: Project, request: pytest.FixtureRequest, mode: str, outcome: Outcome
) -> None:
    request.getfixturevalue(mode)
    path = project.write("shop.log", "started\n4242424242424242\n")
    (words,) = told(judged(masked(logging.FileHandler(path, delay=True))), outcome)
    assert words.startswith(f"What looks like a card number stands in a log file: {path}:2.")
    assert "4242424242424242" not in words


def test_a_clean_log_is_named(judged: Judged, project: Project) -> None:
    path = project.write("shop.log", "started\n")
    words = told(judged(masked(logging.FileHandler(path, delay=True))), Outcome.PASS)
    assert f"Nothing looks like a card number in the log files: {path}. → " in words


# --- The whole way, from the setting LOGGING -----------------------------------------------------------------

PROBE = """
import json, sys
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django_flowlix"], USE_TZ=True, DEBUG=json.loads(sys.argv[2]),
    LOGGING=json.loads(sys.argv[1]), DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3"}},
    FLOWLIX={"default": {"SECRET_KEY": "_".join(["fl", "test", "sk", "x" * 24]), "BASE_URL": "http://127.0.0.1:8000"}},
)
django.setup()
from datetime import UTC, datetime
from django_flowlix.checklist import Context, catalogue
from django_flowlix.checklist.running import run
from django_flowlix.conf import account
for _, probe in catalogue.CARD_NUMBERS_NOT_LOGGED.probes[:1]:
    found = list(probe(Context(account=account(), now=datetime.now(UTC))))
print(json.dumps([[finding.outcome, finding.looked_at] for finding in found]))
"""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redaction": {"()": "django_flowlix.log_redaction.RedactionFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redaction"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"level": "INFO"}, "django_flowlix": {"level": "INFO"}},
}


def configured(logging_setting: dict[str, Any], *, debug: bool = False) -> list[tuple[str, str]]:
    """What is found in a process of its own, because configuring the logging closes the handlers that there are."""
    command = [sys.executable, "-W", "error", "-c", PROBE, json.dumps(logging_setting), json.dumps(debug)]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment)
    assert run.returncode == 0, run.stderr
    assert "4242" not in run.stderr + run.stdout
    return [(outcome, words) for outcome, words in json.loads(run.stdout.splitlines()[-1])]


def test_a_logging_with_the_filter_on_its_handler_passes() -> None:
    ((outcome, words),) = configured(LOGGING)
    assert outcome == "pass"
    assert "'console'" in words


def test_the_same_without_the_filter_fails() -> None:
    handlers = {"console": {"class": "logging.StreamHandler"}}
    ((outcome, words),) = configured(LOGGING | {"handlers": handlers})
    assert outcome == "fail"
    assert "'console'" in words


def test_django_as_it_comes_leaks() -> None:
    found = dict(configured({}, debug=True))
    assert "logging.StreamHandler 'console'" in found["fail"]
    quiet = configured({}, debug=False)
    assert [words for outcome, words in quiet if outcome == "fail"] == []
    assert [words for outcome, words in quiet if outcome == "warn" and "logging.lastResort" in words]
