"""The system checks: each id with a project that has the fault and one that has not."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import ERROR, WARNING, CheckMessage, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.test import override_settings

SENTINEL = "neverShownByAnyCheck"
TEST_KEY = "_".join(["fl", "test", "sk", SENTINEL])
LIVE_KEY = "_".join(["fl", "live", "sk", SENTINEL])


@pytest.fixture(autouse=True)
def sound_project(settings: Any) -> None:
    """A project without a fault: live key, https, DEBUG off."""
    configure(settings)
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["shop.example"]
    settings.ADMINS = ["ops@shop.example"]


def configure(settings: Any, **changes: object) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"} | changes}


def reported(*, deploy: bool = False) -> dict[str, CheckMessage]:
    """Return our messages by their ids without the prefix."""
    found = run_checks(include_deployment_checks=deploy, databases=[])
    assert SENTINEL not in "".join(map(str, found))
    return {str(message.id).removeprefix("flowlix."): message for message in found if "flowlix." in str(message.id)}


def test_a_sound_project_is_told_nothing() -> None:
    assert reported(deploy=True) == {}


def test_faults_of_the_setting_are_errors_with_a_remedy(settings: Any) -> None:
    configure(settings, SECRET_KEY=f"Bearer {LIVE_KEY}", TIMOUT=3)
    messages = reported()
    assert set(messages) == {"E003", "E004"}
    assert messages["E003"].hint == "Did you mean TIMEOUT?"
    assert {message.level for message in messages.values()} == {ERROR}


@pytest.mark.django_db  # from Django 6.1 on, the command looks at the databases too
def test_the_check_command_fails_on_a_fault(settings: Any) -> None:
    settings.FLOWLIX = {}
    with pytest.raises(SystemCheckError, match=r"flowlix\.E001"):
        call_command("check")


@override_settings(ROOT_URLCONF="django.contrib.auth.urls")
def test_e030_the_urls_are_not_included() -> None:
    message = reported()["E030"]
    assert 'include("django_flowlix.urls")' in str(message.hint)
    assert message.level == ERROR


def test_e030_a_project_without_pages_needs_no_urls(settings: Any) -> None:
    del settings.ROOT_URLCONF
    assert "E030" not in reported()


def test_e031_k1_a_live_key_with_debug(settings: Any) -> None:
    settings.DEBUG = True
    assert reported()["E031"].level == ERROR
    configure(settings, SECRET_KEY=TEST_KEY)
    assert "E031" not in reported()


def test_e036_local_times(settings: Any) -> None:
    settings.USE_TZ = False
    assert reported()["E036"].level == ERROR
    settings.USE_TZ = True
    assert "E036" not in reported()


def test_w032_k1_a_test_key_in_a_deployed_project(settings: Any) -> None:
    configure(settings, SECRET_KEY=TEST_KEY)
    assert "W032" not in reported()
    assert reported(deploy=True)["W032"].level == WARNING


def test_w039_alerts_that_nobody_gets_by_mail(settings: Any) -> None:
    settings.ADMINS = []
    assert "W039" not in reported()
    assert reported(deploy=True)["W039"].level == WARNING


@pytest.mark.parametrize("mode", [None, "DEFERRED"])
def test_w033_d4_sqlite_without_the_write_lock(monkeypatch: pytest.MonkeyPatch, mode: str | None) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode} if mode else {})
    message = reported()["W033"]
    assert message.level == WARNING
    assert '"transaction_mode": "IMMEDIATE"' in str(message.hint)


@pytest.mark.parametrize(("vendor", "mode"), [("sqlite", "IMMEDIATE"), ("sqlite", "EXCLUSIVE"), ("postgresql", None)])
def test_w033_other_databases_are_fine(monkeypatch: pytest.MonkeyPatch, vendor: str, mode: str | None) -> None:
    connection = connections["default"]
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"transaction_mode": mode})
    assert "W033" not in reported()


@pytest.mark.parametrize(("budget", "is_told"), [(25, False), (25.5, True), (300, True)])
def test_w034_a_budget_that_outlives_the_web_worker(settings: Any, budget: float, is_told: bool) -> None:
    configure(settings, RETRY_BUDGET=budget)
    assert ("W034" in reported()) is is_told


@pytest.mark.parametrize(
    ("allowed", "debug", "base_url", "is_told"),
    [
        (["www.shop.example"], False, "https://shop.example", True),
        (["shop.example"], False, "https://shop.example:8443", False),
        ([".example"], False, "https://shop.example", False),
        (["*"], False, "https://shop.example", False),
        ([], True, "http://127.0.0.1:8000", False),
        ([], True, "http://[::1]:8000", False),
        ([], True, "https://shop.example", True),
    ],
)
def test_w035_a_host_that_django_does_not_serve(
    settings: Any, allowed: list[str], debug: bool, base_url: str, is_told: bool
) -> None:
    configure(settings, SECRET_KEY=TEST_KEY, BASE_URL=base_url)
    settings.ALLOWED_HOSTS, settings.DEBUG = allowed, debug
    assert ("W035" in reported()) is is_told


def test_checks_about_accounts_are_silent_while_the_setting_is_at_fault(settings: Any) -> None:
    configure(settings, BASE_URL="shop.example", RETRY_BUDGET=300)
    settings.DEBUG = True
    assert set(reported(deploy=True)) == {"E005"}
