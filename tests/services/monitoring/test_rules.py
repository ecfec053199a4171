"""Every rule: the figure it measures from rows of the database, computed by hand, and when that figure is bad."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_flowlix.conf import account
from django_flowlix.conf.alert_rules import DEFAULT_RULES, AlertRule
from django_flowlix.models import StatusChange
from django_flowlix.services.monitoring.counts import Scope
from django_flowlix.services.monitoring.measures import Measure, in_words
from django_flowlix.services.monitoring.readings import Readings
from django_flowlix.services.monitoring.rules import RULES, judge, threshold_of
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.services.monitoring.happened import calls, payments, refund

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 14, 12, 34, 56, tzinfo=UTC)
NOON = NOW.replace(minute=0, second=0)


@pytest.fixture(autouse=True)
def noon(fake_clock: FakeClock, settings: Any) -> None:
    fake_clock.current = NOW
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}


SCOPE = Scope(livemode=False, account="default")


def ago(**age: float) -> datetime:
    return NOW - timedelta(**age)


def measured(name: str, **changes: Any) -> Measure:
    rule = replace(DEFAULT_RULES[name], **changes)
    return RULES[name].measure(Readings(account=account(), scope=SCOPE, now=NOW), rule)


def evidence(name: str) -> list[str]:
    return RULES[name].evidence(Readings(account=account(), scope=SCOPE, now=NOW), DEFAULT_RULES[name])


def test_every_rule_that_can_be_configured_is_one_that_is_judged() -> None:
    assert set(RULES) == set(DEFAULT_RULES)


# --- Shares and latency -------------------------------------------------------------------------------------


def test_decline_rate() -> None:
    payments(13, "failed", ago(minutes=59))
    payments(8, "succeeded", ago(minutes=1))
    payments(9, "succeeded", ago(minutes=61))
    payments(5, "expired", ago(minutes=1))

    found = measured("decline_rate")

    assert (found.value, found.sample, found.usual) == (13 / 21, 21, None)
    assert found.words == "13 of 21 decided payments were declined"


def test_the_shops_own_figure_is_that_of_seven_days_before_the_window() -> None:
    """The window begins at 11:34:56: the seven days end at 11:00 today and begin at 11:00 a week before."""
    payments(30, "failed", NOON - timedelta(hours=1, seconds=1))
    payments(70, "succeeded", NOON - timedelta(days=7, hours=1))
    payments(500, "failed", NOON - timedelta(days=7, hours=1, seconds=1))
    payments(500, "failed", NOON - timedelta(hours=1))

    assert measured("decline_rate").usual == pytest.approx(0.3)


def test_too_few_events_of_seven_days_are_nothing_to_compare_with() -> None:
    payments(99, "succeeded", ago(days=3))
    assert measured("decline_rate").usual is None
    payments(1, "failed", ago(days=3))
    assert measured("decline_rate").usual == pytest.approx(0.01)


def test_server_errors_and_missing_answers() -> None:
    calls(90, ago(minutes=14))
    calls(6, ago(minutes=10), http_status=503, outcome="unknown", request_id="req_503")
    calls(3, ago(minutes=10), http_status=None, outcome="unknown", request_id="")
    calls(1, ago(minutes=10), http_status=None, outcome="not_sent", request_id="")
    calls(50, ago(minutes=16), http_status=500, outcome="unknown", request_id="req_old")

    assert (measured("server_errors").value, measured("server_errors").sample) == (0.06, 100)
    assert measured("no_answers").value == 0.04
    assert (evidence("server_errors"), evidence("no_answers")) == (["req_503"], [])


def test_latency_is_that_of_the_slow_tail() -> None:
    calls(95, ago(minutes=5), duration_ms=90)
    calls(5, ago(minutes=5), duration_ms=7000, request_id="req_slow")

    assert measured("latency").value == pytest.approx(0.1)
    calls(1, ago(minutes=5), duration_ms=7000, request_id="req_slow")
    assert measured("latency").value == pytest.approx(5 + 3 * (0.95 * 101 - 95) / 6)
    assert evidence("latency") == ["req_slow"]


def test_calls_of_a_kind_are_counted() -> None:
    calls(3, ago(minutes=5), http_status=429, outcome="error", request_id="req_429")
    calls(2, ago(minutes=5), http_status=401, outcome="error", request_id="req_401")

    assert (measured("rate_limited").value, measured("rate_limited").sample) == (3, 5)
    assert measured("credentials_refused").value == 2
    assert (evidence("rate_limited"), evidence("credentials_refused")) == (["req_429"], ["req_401"])


def test_other_accounts_and_the_other_mode_do_not_count() -> None:
    calls(3, ago(minutes=5), http_status=429, outcome="error", account="second")
    calls(3, ago(minutes=5), http_status=429, outcome="error", livemode=True)
    payments(3, "failed", ago(minutes=5), livemode=True)

    assert (measured("rate_limited").value, measured("decline_rate").sample) == (0, 0)
    assert evidence("rate_limited") == []


# --- What waits ---------------------------------------------------------------------------------------------


def test_a_payment_is_unconfirmed_when_no_call_can_be_under_way_any_more() -> None:
    payments(1, "created", ago(minutes=14), request_id="req_u")
    assert measured("unconfirmed").value == 0
    payments(2, "created", ago(minutes=15), request_id="req_v")
    assert measured("unconfirmed").value == 3
    assert measured("unconfirmed").words == "payments and refunds unconfirmed: 3, the oldest for 15 min"
    assert evidence("unconfirmed") == ["req_v", "req_u"]


def test_stuck_payments_count_where_unpaid_ones_come_to_an_end(settings: Any) -> None:
    payments(2, "pending", ago(days=4))
    assert measured("stuck").value == 0, "contract eu: whoever left stays pending for ever"
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"CONTRACT": "dev"}}
    assert measured("stuck").value == 2


def test_stuck_refunds_count_everywhere() -> None:
    (paid,) = payments(1, "succeeded", ago(days=9))
    refund(paid, "pending", ago(days=8))
    assert measured("stuck").value == 1


def test_payments_that_need_review() -> None:
    payments(2, "succeeded", ago(hours=3), review_reason="mismatch", review_since=ago(hours=3), request_id="req_r")
    assert measured("needs_review").value == 2
    assert measured("needs_review").words == "payments that need a person's review: 2, the oldest for 3 h"
    assert evidence("needs_review") == ["req_r"]


def test_receivers_that_keep_raising() -> None:
    payments(2, "succeeded", ago(minutes=9))
    payments(1, "succeeded", ago(hours=9))
    assert measured("notifications_failing").value == 0
    StatusChange.objects.update(deliver_at=ago(minutes=-5), delivery_attempts=3, request_id="req_n")
    assert measured("notifications_failing").value == 3
    StatusChange.objects.filter(created_at=ago(hours=9)).update(deliver_at=None)
    assert measured("notifications_failing").value == 0, "two of nine minutes: they are called again first"


def test_receivers_that_never_ran() -> None:
    """Whoever ends the process, or is never called because flowlix_sync does not run, counts no attempt."""
    payments(1, "succeeded", ago(hours=1))
    StatusChange.objects.update(deliver_at=ago(minutes=9))
    assert measured("notifications_failing").value == 0
    StatusChange.objects.update(deliver_at=ago(minutes=10))
    assert measured("notifications_failing").value == 1


def test_work_that_nobody_takes_up() -> None:
    payments(1, "pending", ago(hours=1), next_sync_at=ago(minutes=29))
    payments(1, "pending", ago(hours=1), next_sync_at=ago(minutes=31), lease_until=ago(minutes=-1))
    assert measured("sync_overdue").value == 0
    payments(1, "pending", ago(hours=1), next_sync_at=ago(minutes=31))
    assert measured("sync_overdue").value == 1


def test_sales_that_are_missing_at_this_time_of_day() -> None:
    """70 sales between 11:34:56 and 12:34:56 on each of five days are 50 a day over seven; other hours do not count."""
    for day in range(1, 6):
        payments(70, "succeeded", ago(days=day, minutes=40))
        payments(100, "succeeded", ago(days=day, hours=6))
    # 11:54:56 belongs to the hour of 11, of which 25 min 4 s of 60 min lie in the window.
    share = (25 * 60 + 4) / 3600

    found = measured("no_sales")

    assert found.value == pytest.approx(50 * share)
    assert measured("no_sales", threshold=21).value is None, "so few missing say nothing, neither bad nor good"
    payments(1, "succeeded", ago(minutes=59))
    assert measured("no_sales").value == 0


def test_nothing_has_happened_and_nothing_is_bad() -> None:
    for name in RULES:
        assert judge(name, DEFAULT_RULES[name], measured(name)).is_bad in (False, None), name


# --- Judging ------------------------------------------------------------------------------------------------

RULE = AlertRule(threshold=0.5, minimum=20, spike_factor=2, spike_floor=0.2)


@pytest.mark.parametrize(
    ("value", "sample", "is_bad"),
    [(0.49, 100, False), (0.5, 100, True), (1.0, 20, True), (1.0, 19, None), (None, 0, None), (0.0, 20, False)],
)
def test_it_is_bad_from_the_threshold_on_and_not_judged_below_the_minimum(
    value: float | None, sample: int, is_bad: bool | None
) -> None:
    assert judge("decline_rate", RULE, Measure(value, sample, "")).is_bad is is_bad


@pytest.mark.parametrize(
    ("usual", "threshold"),
    [(None, 0.5), (0.0, 0.2), (0.05, 0.2), (0.1, 0.2), (0.15, 0.3), (0.25, 0.5), (0.4, 0.5)],
)
def test_a_spike_is_measured_by_the_shops_own_figure(usual: float | None, threshold: float) -> None:
    assert threshold_of(RULE, usual) == pytest.approx(threshold)


@pytest.mark.parametrize("floor", [0.0, 0.2])
def test_nothing_is_never_bad(floor: float) -> None:
    rule = replace(RULE, spike_floor=floor)
    assert judge("decline_rate", rule, Measure(0.0, 100, "", 0.0)).is_bad is False


def test_without_a_factor_the_shops_own_figure_does_not_count() -> None:
    assert threshold_of(replace(RULE, spike_factor=0), 0.01) == 0.5


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (Measure(0.6, 100, "60 of 100"), "60 of 100; bad is 50.0 % or more"),
        (Measure(0.3, 100, "30 of 100", 0.1), "30 of 100; usual is 10.0 %, bad is 20.0 % or more"),
        (Measure(0.6, 10, "6 of 10"), "6 of 10: too few to judge (from 20 on)"),
        (Measure(None, 0, "0 of 0"), "nothing to measure"),
    ],
)
def test_the_verdict_in_words(measure: Measure, words: str) -> None:
    assert judge("decline_rate", RULE, measure).words == words


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ({"seconds": 59}, "0 min"),
        ({"minutes": 119}, "119 min"),
        ({"minutes": 120}, "2 h"),
        ({"hours": 47.9}, "47 h"),
        ({"days": 2}, "2 days"),
    ],
)
def test_ages_in_words(age: dict[str, float], words: str) -> None:
    assert in_words(timedelta(**age)) == words
