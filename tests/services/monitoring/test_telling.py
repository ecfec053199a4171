"""Telling people: each target once, whatever fails is repeated and can be seen, and nothing secret is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django
import pytest
from django.core import mail
from django.dispatch import Signal

from django_flowlix.conf.alert_rules import AlertRule
from django_flowlix.models import Alert, AlertDelivery
from django_flowlix.services.monitoring import alerts, telling
from django_flowlix.services.monitoring.counts import Scope
from django_flowlix.services.monitoring.rules import Verdict
from django_flowlix.signals import alert_opened, alert_resolved
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 14, 12, 34, tzinfo=UTC)
AT_ONCE = AlertRule(threshold=0.5, for_minutes=0, clear_minutes=0)


@pytest.fixture(autouse=True)
def shop(fake_clock: FakeClock, settings: Any) -> None:
    fake_clock.current = NOW
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    settings.ADMINS = ["ops@shop.example"] if django.VERSION >= (6,) else [("Ops", "ops@shop.example")]


@pytest.fixture
def connect() -> Iterator[Callable[[Signal, Any], None]]:
    connected: list[tuple[Signal, Any]] = []

    def connect(signal: Signal, receiver: Any) -> None:
        signal.connect(receiver)
        connected.append((signal, receiver))

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


def follow(value: float, now: datetime = NOW) -> None:
    verdict = Verdict(value >= 0.5, value, 0.5, f"{value:.0%} of the payments were declined")
    scope = Scope(livemode=True, account="default")
    alerts.follow(
        alerts.watched_alerts(scope).get("decline_rate"),
        "decline_rate",
        AT_ONCE,
        verdict,
        scope=scope,
        now=now,
        evidence=lambda: ["req_1", "req_2"],
    )


def test_a_mail_says_what_since_when_how_bad_what_to_do_and_the_request_ids() -> None:
    follow(0.62)

    told = telling.tell(NOW)

    assert (told.delivered, told.failed) == (2, 0)
    (message,) = mail.outbox
    assert message.to == ["ops@shop.example"]
    assert message.subject.endswith("Flowlix: OPEN: decline rate 62.0 % (default, live)")
    assert message.body.splitlines()[:3] == [
        "What: 62% of the payments were declined",
        "Since: 2026-03-14 12:34 UTC",
        "Worst: 62.0 %; bad is 50.0 % or more",
    ]
    assert "What to do: Look at the decline reasons on the dashboard." in message.body
    assert "Request ids: req_1, req_2" in message.body


def test_a_mail_says_that_it_is_over_and_why() -> None:
    follow(0.62)
    telling.tell(NOW)
    later = NOW + timedelta(minutes=30)
    follow(0.1, later)

    telling.tell(later)

    message = mail.outbox[1]
    assert "OVER: decline rate 62.0 % (default, live)" in message.subject
    assert "Over: 2026-03-14 13:04 UTC, good again: 10% of the payments were declined" in message.body
    assert "What to do" not in message.body


def test_the_log_gets_an_error_with_the_facts(caplog: pytest.LogCaptureFixture) -> None:
    follow(0.62)
    telling.tell(NOW)
    (record,) = [record for record in caplog.records if record.name == "django_flowlix.alerts"]
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("OPEN: decline rate 62.0 % (default, live): 62% of the payments")
    facts = vars(record)
    assert (facts["flowlix_alert"], facts["flowlix_request_ids"]) == ("decline_rate", ["req_1", "req_2"])


def test_the_signals_tell_anything_else(connect: Callable[[Signal, Any], None]) -> None:
    heard: list[tuple[str, str]] = []

    def on_opened(sender: type[Alert], alert: Alert, event: str, **kwargs: Any) -> None:
        heard.append((sender.__name__, event))

    def on_resolved(alert: Alert, event: str, **kwargs: Any) -> None:
        heard.append((alert.rule, event))

    connect(alert_opened, on_opened)
    connect(alert_resolved, on_resolved)
    follow(0.62)
    telling.tell(NOW)
    follow(0.1, NOW + timedelta(minutes=1))
    telling.tell(NOW + timedelta(minutes=1))

    assert heard == [("Alert", "opened"), ("decline_rate", "resolved")]


def test_without_admins_nobody_is_mailed(settings: Any) -> None:
    settings.ADMINS = []
    follow(0.62)
    assert [delivery.target for delivery in AlertDelivery.objects.all()] == ["log"]


def test_what_fails_is_repeated_in_growing_pauses_and_the_others_are_told_once(
    connect: Callable[[Signal, Any], None], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def pager(alert: Alert, **kwargs: Any) -> None:
        calls.append("pager")

    def chat(alert: Alert, **kwargs: Any) -> None:
        calls.append("chat")
        raise ConnectionError(f"no route to host, token {'_'.join(['fl', 'live', 'sk', 'abcdefghijklmnop'])}")

    connect(alert_opened, pager)
    connect(alert_opened, chat)
    follow(0.62)

    assert telling.tell(NOW).failed == 1
    assert calls == ["pager", "chat"]
    failing = AlertDelivery.objects.failing().get()
    assert failing.target.endswith("chat")
    assert failing.last_error == "ConnectionError: no route to host, token fl_live_sk_****"
    assert (failing.attempts, failing.deliver_at) == (1, NOW)
    for minutes, number in ((0, 2), (0.9, 2), (1, 3), (2.9, 3), (3, 4)):
        telling.tell(NOW + timedelta(minutes=minutes))
        assert calls.count("chat") == number, minutes
    assert calls.count("pager") == 1
    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_down_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    follow(0.62)
    with monkeypatch.context() as patch:
        patch.setattr(telling, "mail_admins", lambda *args: (_ for _ in ()).throw(OSError("connection refused")))
        assert telling.tell(NOW).failed == 1
    assert AlertDelivery.objects.get(target="mail").last_error == "OSError: connection refused"

    assert telling.tell(NOW).delivered == 1
    delivery = AlertDelivery.objects.get(target="mail")
    assert (delivery.delivered_at, delivery.deliver_at, delivery.last_error, len(mail.outbox)) == (NOW, None, "", 1)


def test_nobody_hears_of_the_end_before_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    follow(0.62)
    with monkeypatch.context() as patch:
        patch.setattr(telling, "mail_admins", lambda *args: (_ for _ in ()).throw(OSError("down")))
        for _ in range(2):
            telling.tell(NOW)
        follow(0.1, NOW + timedelta(seconds=30))
    telling.tell(NOW + timedelta(seconds=30))
    assert mail.outbox == []
    telling.tell(NOW + timedelta(minutes=5))
    assert ["OPEN" in message.subject for message in mail.outbox] == [True, False]


def test_a_worker_that_is_taken_away_while_it_tells_does_not_lose_the_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    follow(0.62)
    with monkeypatch.context() as patch:
        patch.setattr(telling, "mail_admins", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            telling.tell(NOW)
    telling.tell(NOW + timedelta(minutes=4))
    assert mail.outbox == []
    telling.tell(NOW + timedelta(minutes=5))
    assert len(mail.outbox) == 1


def test_two_monitors_tell_once(monkeypatch: pytest.MonkeyPatch) -> None:
    follow(0.62)
    deliver = telling._deliver

    def meanwhile(delivery: AlertDelivery) -> None:
        telling.tell(NOW)  # another monitor runs while this one talks to the mail server
        deliver(delivery)

    monkeypatch.setattr(telling, "_deliver", meanwhile)
    telling.tell(NOW)
    assert len(mail.outbox) == 1


def test_a_delivery_that_another_monitor_has_made_since_it_was_read_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    follow(0.62)
    real = telling._waits_for_an_earlier_one

    def meanwhile(delivery: AlertDelivery) -> bool:
        monkeypatch.setattr(telling, "_waits_for_an_earlier_one", real)
        telling.tell(NOW)
        return real(delivery)

    monkeypatch.setattr(telling, "_waits_for_an_earlier_one", meanwhile)
    assert telling.tell(NOW).delivered == 0
    assert len(mail.outbox) == 1


def test_a_receiver_that_is_gone_is_a_failure_that_can_be_seen(connect: Callable[[Signal, Any], None]) -> None:
    def gone(alert: Alert, **kwargs: Any) -> None:
        raise AssertionError("not called")

    alert_opened.connect(gone)
    follow(0.62)
    alert_opened.disconnect(gone)
    assert telling.tell(NOW).failed == 1
    assert "no receiver of this name" in AlertDelivery.objects.failing().get().last_error


def test_what_could_not_be_told_for_a_week_is_given_up(connect: Callable[[Signal, Any], None]) -> None:
    def gone(alert: Alert, **kwargs: Any) -> None:
        raise SystemExit(0)

    connect(alert_opened, gone)
    follow(0.62)
    telling.tell(NOW)
    AlertDelivery.objects.filter(deliver_at__isnull=False).update(deliver_at=NOW)
    telling.tell(NOW + timedelta(days=6, hours=23))
    assert AlertDelivery.objects.failing().get().attempts == 2
    AlertDelivery.objects.filter(deliver_at__isnull=False).update(deliver_at=NOW)
    assert telling.tell(NOW + timedelta(days=7)).failed == 1
    assert not AlertDelivery.objects.failing().exists()
    given_up = AlertDelivery.objects.get(attempts=3)
    assert (given_up.delivered_at, given_up.last_error) == (None, "SystemExit: 0")


def test_a_reminder_says_that_it_is_still_open_and_how_bad_it_is_now() -> None:
    follow(0.9)
    follow(0.6, NOW + timedelta(hours=1))
    telling.tell(NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=24)
    follow(0.7, later)
    telling.tell(later)
    assert mail.outbox[1].subject.endswith("Flowlix: STILL OPEN: decline rate 70.0 % (default, live)")
    assert "Worst: 90.0 %; bad is 50.0 % or more" in mail.outbox[1].body
    assert "What to do" in mail.outbox[1].body


def test_the_test_alert_is_over_before_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    alert = alerts.make_test_alert("default", False, NOW)
    telling.tell(NOW, alert)
    assert not Alert.objects.watched().exists()
    assert "TEST: somebody asked for this alert (default)" in mail.outbox[0].subject
    assert "Nothing: somebody wanted to see whether alerts arrive" in mail.outbox[0].body
    assert AlertDelivery.objects.filter(delivered_at=NOW).count() == 2
