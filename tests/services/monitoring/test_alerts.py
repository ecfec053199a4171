"""The life of an alert over time: it does not flap, is told once, and two monitors take each step once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_flowlix.conf.alert_rules import AlertRule
from django_flowlix.models import Alert, AlertDelivery
from django_flowlix.services.monitoring import alerts
from django_flowlix.services.monitoring.counts import Scope
from django_flowlix.services.monitoring.rules import Verdict
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 3, 14, 12, tzinfo=UTC)
SCOPE = Scope(livemode=True, account="default")
RULE = AlertRule(threshold=0.5, for_minutes=5, clear_ratio=0.8, clear_minutes=10)


@pytest.fixture(autouse=True)
def clock(fake_clock: FakeClock, settings: Any) -> FakeClock:
    fake_clock.current = BEGIN
    settings.ADMINS = []
    return fake_clock


def step(clock: FakeClock, value: float | None, rule: AlertRule = RULE, threshold: float = 0.5) -> Alert | None:
    return step_of(alerts.watched_alerts(SCOPE).get("decline_rate"), clock, value, rule, threshold)


def step_of(
    alert: Alert | None, clock: FakeClock, value: float | None, rule: AlertRule = RULE, threshold: float = 0.5
) -> Alert | None:
    """Judge a figure with the alert as one monitor has read it."""
    is_bad = None if value is None else value >= threshold
    verdict = Verdict(is_bad, value, threshold, f"figure is {value}")
    ids = ["req_1", "req_2"]
    return alerts.follow(alert, "decline_rate", rule, verdict, scope=SCOPE, now=clock.now(), evidence=lambda: ids)


def told() -> list[str]:
    return list(AlertDelivery.objects.order_by("pk").values_list("event", flat=True))


def states(clock: FakeClock, *figures: float | None) -> Iterator[str]:
    """Yield the alert's state after each figure, a minute apart; "-" without one."""
    for figure in figures:
        alert = step(clock, figure)
        yield alert.state if alert else "-"
        clock.advance(minutes=1)


def test_it_opens_when_the_rule_has_been_broken_for_a_while(clock: FakeClock) -> None:
    assert list(states(clock, 0.6, 0.7, 0.6, 0.9, 0.6)) == ["pending"] * 5
    assert told() == []

    alert = step(clock, 0.6)

    assert alert is not None
    assert (alert.state, alert.began_at, alert.opened_at) == ("open", BEGIN, BEGIN.replace(minute=5))
    assert (alert.value, alert.worst_value, alert.threshold) == (0.6, 0.9, 0.5)
    assert (alert.summary, alert.request_ids) == ("figure is 0.6", "req_1\nreq_2")
    assert told() == ["opened"]


def test_a_short_peak_is_nothing(clock: FakeClock) -> None:
    assert list(states(clock, 0.6, 0.6, 0.6, 0.49, 0.6, 0.6)) == ["pending"] * 3 + ["-"] + ["pending"] * 2
    assert Alert.objects.get().began_at == BEGIN.replace(minute=4)
    assert told() == []


def test_without_a_duration_it_opens_at_once(clock: FakeClock) -> None:
    alert = step(clock, 1.0, AlertRule(threshold=0.5, for_minutes=0))
    assert alert is not None
    assert alert.state == "open"


def opened(clock: FakeClock) -> Alert:
    list(states(clock, *[0.6] * 6))
    return Alert.objects.get(state="open")


def test_it_is_over_when_the_figure_has_been_clearly_better_for_a_while(clock: FakeClock) -> None:
    opened(clock)
    assert list(states(clock, *[0.3] * 10)) == ["open"] * 10
    assert told() == ["opened"]

    assert step(clock, 0.3) is None

    alert = Alert.objects.get()
    assert (alert.state, alert.active, alert.resolved_at) == ("resolved", None, BEGIN.replace(minute=16))
    assert alert.resolution == "good again: figure is 0.3"
    assert (alert.summary, alert.worst_value) == ("figure is 0.6", 0.6)
    assert told() == ["opened", "resolved"]


def test_a_figure_just_below_the_threshold_does_not_end_it(clock: FakeClock) -> None:
    """From 0.5 on it is bad, below 0.4 it is clear: in between it stays as it is."""
    opened(clock)
    assert set(states(clock, *[0.41] * 30)) == {"open"}
    assert set(states(clock, *[0.39] * 10)) == {"open"}
    assert step(clock, 0.39) is None


@pytest.mark.parametrize("relapse", [0.6, 0.45])
def test_a_relapse_begins_the_wait_anew(clock: FakeClock, relapse: float) -> None:
    opened(clock)
    figures = [*[0.1] * 9, relapse, *[0.1] * 10]
    assert set(states(clock, *figures)) == {"open"}
    assert step(clock, 0.1) is None
    assert told() == ["opened", "resolved"]


def test_a_figure_that_swings_every_minute_opens_one_alert_and_ends_it_never(clock: FakeClock) -> None:
    opened(clock)
    assert set(states(clock, *[0.6, 0.1] * 60)) == {"open"}
    assert told() == ["opened"]


def test_the_threshold_it_opened_at_decides_when_it_is_over(clock: FakeClock) -> None:
    """It opened at a spike of 0.2; that the fixed threshold of 0.5 counts again does not make 0.19 good."""
    rule = AlertRule(threshold=0.5, for_minutes=0, clear_ratio=0.8, clear_minutes=0)
    step(clock, 0.3, rule, threshold=0.2)
    clock.advance(minutes=1)
    alert = step(clock, 0.19, rule, threshold=0.5)
    assert alert is not None
    clock.advance(minutes=1)
    assert step(clock, 0.15, rule, threshold=0.5) is None


def test_nothing_to_judge_by_changes_nothing_for_a_day(clock: FakeClock) -> None:
    opened(clock)
    last_judged = Alert.objects.get().judged_at
    assert set(states(clock, None, None)) == {"open"}
    clock.current = last_judged
    clock.advance(hours=23, minutes=59)
    assert step(clock, None) is not None
    clock.advance(minutes=1)
    assert step(clock, None) is None
    assert Alert.objects.get().resolution == "too little traffic to judge by, for a day"
    assert told() == ["opened", "resolved"]


def test_a_pending_one_waits_for_a_judgement_and_is_dropped_after_a_day(clock: FakeClock) -> None:
    step(clock, 0.6)
    clock.advance(minutes=6)
    alert = step(clock, None)
    assert alert is not None
    assert alert.state == "pending"
    clock.advance(hours=24)
    assert step(clock, None) is None
    assert not Alert.objects.exists()


def test_a_monitor_that_runs_once_an_hour_opens_at_its_second_look(clock: FakeClock) -> None:
    step(clock, 0.6)
    clock.advance(hours=1)
    alert = step(clock, 0.6)
    assert alert is not None
    assert alert.state == "open"


def test_people_are_told_again_after_a_day_and_when_it_has_doubled(clock: FakeClock) -> None:
    rule = AlertRule(threshold=1, for_minutes=0)
    for hours, value, events in (
        (0, 1, ["opened"]),
        (1, 1, ["opened"]),
        (2, 2, ["opened", "reminded"]),
        (3, 3, ["opened", "reminded"]),
        (25, 3, ["opened", "reminded"]),
        (26, 3, ["opened", "reminded", "reminded"]),
        (27, 6, ["opened", "reminded", "reminded", "reminded"]),
    ):
        clock.current = BEGIN + timedelta(hours=hours)
        step(clock, value, rule, threshold=1)
        assert told() == events, hours


def test_another_threshold_ends_what_is_not_bad_by_it(clock: FakeClock) -> None:
    opened(clock)
    higher = AlertRule(threshold=0.9, for_minutes=5, clear_minutes=10)
    assert step(clock, 0.6, higher, threshold=0.9) is None
    assert Alert.objects.get().resolution == "the rule has been changed: figure is 0.6"
    assert told() == ["opened", "resolved"]


def test_another_threshold_does_not_end_what_is_bad_all_the_same(clock: FakeClock) -> None:
    opened(clock)
    alert = step(clock, 0.6, AlertRule(threshold=0.55), threshold=0.55)
    assert alert is not None
    assert alert.state == "open"


def test_two_monitors_at_the_same_time_open_one_alert_and_tell_once(clock: FakeClock) -> None:
    rule = AlertRule(threshold=0.5, for_minutes=0)
    assert step_of(None, clock, 0.6, rule) is not None
    assert step_of(None, clock, 0.6, rule) is None, "the other one has begun it"
    assert Alert.objects.count() == 1
    assert told() == ["opened"]


def test_a_pending_one_is_opened_by_one_monitor(clock: FakeClock) -> None:
    step(clock, 0.6)
    first, second = Alert.objects.get(), Alert.objects.get()
    clock.advance(minutes=5)
    assert step_of(first, clock, 0.6) is not None
    assert step_of(second, clock, 0.6) is None
    assert told() == ["opened"]


def test_what_was_decided_on_an_old_row_is_not_written(clock: FakeClock) -> None:
    rule = AlertRule(threshold=0.5, for_minutes=0, clear_minutes=0)
    step(clock, 0.6, rule)
    stale = Alert.objects.get()
    clock.advance(minutes=1)
    step(clock, 0.6, rule)
    clock.advance(minutes=1)

    assert step_of(stale, clock, 0.0, rule) is None

    assert Alert.objects.get().state == "open"
    assert told() == ["opened"]


def test_the_modes_and_accounts_have_alerts_of_their_own(clock: FakeClock) -> None:
    verdict = Verdict(True, 1.0, 0.5, "bad")
    for scope in (SCOPE, Scope(livemode=False, account="default"), Scope(livemode=True, account="second")):
        for _ in range(2):
            found = alerts.watched_alerts(scope).get("stuck")
            alerts.follow(found, "stuck", RULE, verdict, scope=scope, now=clock.now(), evidence=list)
    assert Alert.objects.count() == 3


def test_the_next_one_is_another_alert(clock: FakeClock) -> None:
    first = opened(clock)
    clock.advance(minutes=1)
    step(clock, 0.0)
    clock.advance(minutes=10)
    assert step(clock, 0.0) is None
    clock.advance(minutes=1)
    assert step(clock, 0.6) != first
    assert Alert.objects.count() == 2


def test_what_no_rule_follows_any_more_is_over(clock: FakeClock) -> None:
    alert = opened(clock)
    alerts.end_unwatched([("decline_rate", SCOPE)], Alert.objects.all(), clock.now())
    assert Alert.objects.get().state == "open"
    alerts.end_unwatched([("decline_rate", Scope(False, "default"))], Alert.objects.exclude(pk=alert.pk), clock.now())
    assert Alert.objects.get().state == "open", "another account's"
    alerts.end_unwatched([("decline_rate", Scope(False, "default"))], Alert.objects.all(), clock.now())
    assert (Alert.objects.get().state, Alert.objects.get().resolution) == ("resolved", "not watched any more")
    assert told() == ["opened", "resolved"]


def test_of_what_never_opened_nobody_is_told_that_it_is_over(clock: FakeClock) -> None:
    step(clock, 0.6)
    alerts.end_unwatched([], Alert.objects.all(), clock.now())
    assert told() == []
