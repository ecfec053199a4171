"""alerts-deliverable: rules, somebody to tell, and a test alert that has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import django
import pytest
from django.conf import settings as project
from django.core.management import call_command

from django_flowlix.checklist import Outcome
from django_flowlix.checklist.probes import alerts
from django_flowlix.models import Alert, AlertDelivery
from django_flowlix.services.monitoring.alerts import make_test_alert
from django_flowlix.signals import alert_opened
from tests.checklist.looking import told
from tests.checklist.recorded import ago, configured, live

pytestmark = pytest.mark.django_db

SMTP = "django.core.mail.backends.smtp.EmailBackend"
MODES = pytest.mark.parametrize(("livemode", "outcome"), [(False, Outcome.WARN), (True, Outcome.FAIL)])


@pytest.fixture
def mail_through(settings: Any) -> Any:
    """Let mail go to one admin through a backend; none is asked to send here."""

    def through(backend: str) -> None:
        settings.ADMINS = ["ops@shop.example"] if django.VERSION >= (6,) else [("Ops", "ops@shop.example")]
        if hasattr(project, "MAILERS"):
            settings.MAILERS = {"default": {"BACKEND": backend}} if backend else {}
        else:
            settings.EMAIL_BACKEND = backend

    return through


@pytest.fixture
def receiver() -> Iterator[None]:
    def page_somebody(**kwargs: object) -> None:
        pass

    alert_opened.connect(page_somebody, weak=False)
    yield
    alert_opened.disconnect(page_somebody)


def a_test_alert(target: str = "mail", livemode: bool = False, **age: float) -> AlertDelivery:
    """A test alert that was delivered so long ago."""
    alert = make_test_alert("default", livemode, datetime.now(UTC))
    AlertDelivery.objects.filter(alert=alert).delete()
    return AlertDelivery.objects.create(
        alert=alert, event="opened", target=target, deliver_at=None, delivered_at=ago(**age or {"days": 1})
    )


def test_mail_that_a_server_took_passes(look: Any, mail_through: Any) -> None:
    mail_through(SMTP)
    a_test_alert()
    found = look("alerts-deliverable")
    assert found.outcome is Outcome.PASS
    said = told(found, Outcome.PASS)
    assert "server_errors, decline_rate, rate_limited are on" in said
    assert f"by mail: the 1 in ADMINS, through {SMTP}" in said
    assert "A test alert was delivered to mail at" in said


def test_a_receiver_that_was_called_passes_without_mail(look: Any, receiver: None, settings: Any) -> None:
    settings.ADMINS = []
    call_command("flowlix_monitor", "--test")
    found = look("alerts-deliverable")
    assert found.outcome is Outcome.PASS
    assert "page_somebody" in told(found, Outcome.PASS)


@MODES
@pytest.mark.parametrize("rule", ["server_errors", "decline_rate", "rate_limited"])
def test_a_rule_that_is_off_is_noticed(
    look: Any, mail_through: Any, settings: Any, livemode: bool, outcome: Outcome, rule: str
) -> None:
    mail_through(SMTP)
    a_test_alert(livemode=livemode)
    (live if livemode else configured)(settings, ALERTS={rule: None})
    found = look("alerts-deliverable")
    assert found.outcome is outcome
    assert f"The alert rule {rule} is off." in told(found, outcome)


@MODES
def test_nobody_to_tell_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    settings.ADMINS = []
    a_test_alert(livemode=livemode)
    if livemode:
        live(settings)
    found = look("alerts-deliverable")
    assert found.outcome is outcome
    assert "Nobody is told of alerts" in told(found, outcome)


@MODES
@pytest.mark.parametrize("name", ["console", "dummy", "filebased", "locmem"])
def test_mail_that_reaches_no_one_is_noticed(
    look: Any, mail_through: Any, settings: Any, livemode: bool, outcome: Outcome, name: str
) -> None:
    mail_through(f"django.core.mail.backends.{name}.EmailBackend")
    a_test_alert(livemode=livemode)
    if livemode:
        live(settings)
    found = look("alerts-deliverable")
    assert found.outcome is outcome
    assert f"sent by django.core.mail.backends.{name}.EmailBackend, which reaches no one" in told(found, outcome)


def test_mail_that_is_switched_off_is_noticed(look: Any, mail_through: Any) -> None:
    mail_through("")
    a_test_alert()
    assert "Mail to ADMINS is sent by nobody" in told(look("alerts-deliverable"), Outcome.WARN)


@pytest.mark.parametrize(
    ("mailers", "backend"),
    [
        ({"default": {"BACKEND": "anymail.backends.brevo.EmailBackend"}}, "anymail.backends.brevo.EmailBackend"),
        ({"default": {"OPTIONS": {"host": "mail.shop.example"}}}, SMTP),
        ({"other": {}}, ""),
        ({}, ""),
    ],
)
def test_the_backend_is_read_from_mailers_where_django_has_them(
    monkeypatch: pytest.MonkeyPatch, mailers: dict[str, Any], backend: str
) -> None:
    class Settings:
        MAILERS = mailers

    monkeypatch.setattr(alerts, "settings", Settings)
    monkeypatch.setattr(django, "VERSION", (6, 1, 0, "final", 0))
    assert alerts.mail_backend() == backend


def test_mailers_say_nothing_where_django_does_not_know_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings:
        MAILERS = {"default": {"BACKEND": SMTP}}
        EMAIL_BACKEND = "the.one.that.counts"

    monkeypatch.setattr(alerts, "settings", Settings)
    monkeypatch.setattr(django, "VERSION", (6, 0, 3, "final", 0))
    assert alerts.mail_backend() == "the.one.that.counts"


@MODES
def test_an_alert_that_was_never_tested_is_noticed(
    look: Any, mail_through: Any, settings: Any, livemode: bool, outcome: Outcome
) -> None:
    mail_through(SMTP)
    a_test_alert(livemode=not livemode)
    a_test_alert("log", livemode)
    a_test_alert("mail", livemode, days=91)
    if livemode:
        live(settings)
    found = look("alerts-deliverable")
    assert found.outcome is outcome
    assert "No test alert has reached anybody but the log within 90 days" in told(found, outcome)
    assert "flowlix_monitor --test" in told(found, outcome)


@MODES
def test_deliveries_that_fail_now_are_noticed(
    look: Any, mail_through: Any, settings: Any, livemode: bool, outcome: Outcome
) -> None:
    mail_through(SMTP)
    a_test_alert(livemode=livemode)
    alert = Alert.objects.create(rule="latency", account="default", livemode=livemode, **dict.fromkeys(FIGURES, 9.0))
    delivery = AlertDelivery.objects.create(alert=alert, event="opened", target="shop.page", attempts=2)
    if livemode:
        live(settings)
    found = look("alerts-deliverable")
    assert found.outcome is outcome
    assert "Alerts cannot be delivered to shop.page now" in told(found, outcome)
    AlertDelivery.objects.filter(pk=delivery.pk).update(deliver_at=None)
    assert look("alerts-deliverable").outcome is Outcome.PASS, "it has been given up, or has arrived"


FIGURES = ("value", "worst_value", "threshold")
