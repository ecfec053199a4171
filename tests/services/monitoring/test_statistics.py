"""Known data sets with rates computed by hand; the same figures whether hours are closed or counted on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_flowlix.api import Money
from django_flowlix.models import ApiCall, CallTally, ChangeTally, TalliedHour
from django_flowlix.services.monitoring.call_result import CallResult
from django_flowlix.services.monitoring.counts import Scope, raw_calls
from django_flowlix.services.monitoring.statistics import Rate, Statistics, read_statistics
from django_flowlix.services.monitoring.tallies import close_hours
from tests.services.monitoring.happened import calls, change, payments, refund, time_goes_on

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
TEST, LIVE = Scope(livemode=False), Scope(livemode=True)


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return NOON.replace(hour=hour, minute=minute, second=second)


@pytest.fixture(params=["counted on the spot", "closed", "half of it closed"])
def closing(request: pytest.FixtureRequest) -> Any:
    """Close no hour, all hours, or the hours before 9:00."""
    until = {"counted on the spot": None, "closed": NOON + timedelta(hours=9), "half of it closed": at(10)}[
        request.param
    ]

    def close() -> None:
        if until:
            time_goes_on(NOON + timedelta(hours=9))
            close_hours(until)

    return close


def a_day() -> None:
    """A morning in test mode: 8 paid, 2 declined at 8:10; 1 paid, 3 declined at 10:50; and what must not count."""
    payments(6, "succeeded", at(8, 10), card_brand="visa", card_country="DE")
    payments(2, "succeeded", at(8, 10), card_brand="mastercard", card_country="FR", currency="SEK", amount_minor=500)
    payments(2, "failed", at(8, 10), card_brand="visa", card_country="DE", decline_code="insufficient_funds")
    payments(1, "succeeded", at(10, 50), card_brand="visa", card_country="DE")
    payments(2, "failed", at(10, 50), card_brand="mastercard", card_country="FR", decline_code="expired_card")
    payments(1, "failed", at(10, 50))
    payments(4, "expired", at(9))
    payments(1, "canceled", at(9))
    payments(50, "failed", at(9), livemode=True, decline_code="stolen_card")
    payments(7, "failed", NOON, decline_code="too_late")
    payments(7, "failed", at(7, 59, 59), decline_code="too_early")


EIGHT = at(8)


def figures(since: datetime = EIGHT, until: datetime = NOON, scope: Scope = TEST) -> Statistics:
    return read_statistics(since, until, scope)


def test_the_decline_rate_and_what_it_is_made_of(closing: Any) -> None:
    a_day()
    closing()

    found = figures()

    assert found.outcomes == {"succeeded": 9, "failed": 5, "expired": 4, "canceled": 1}
    assert (found.decline_rate.part, found.decline_rate.whole) == (5, 14)
    assert found.decline_rate.value == pytest.approx(0.35714, abs=1e-5)
    assert found.decline_codes == {"insufficient_funds": 2, "expired_card": 2, "": 1}
    brands = {brand: (rate.part, rate.whole) for brand, rate in found.decline_rates_by("card_brand").items()}
    assert brands == {"visa": (2, 9), "mastercard": (2, 4), "": (1, 1)}
    assert list(found.decline_rates_by("card_country")) == ["DE", "FR", ""]


def test_live_and_test_are_apart_and_so_are_accounts(closing: Any) -> None:
    a_day()
    payments(3, "succeeded", at(9), account="second")
    closing()

    assert figures(scope=LIVE).outcomes == {"failed": 50}
    assert figures(scope=Scope(livemode=False, account="second")).outcomes == {"succeeded": 3}
    assert figures(scope=Scope(account="default")).outcomes["failed"] == 55


def test_amounts_are_added_up_by_currency(closing: Any) -> None:
    a_day()
    (paid,) = payments(1, "succeeded", at(8, 30))
    refund(paid, "succeeded", at(9, 30), amount_minor=250)
    refund(paid, "succeeded", at(10, 30), amount_minor=150)
    refund(paid, "failed", at(10, 30), amount_minor=600)
    closing()

    found = figures()

    assert found.paid == [Money(8000, "EUR", 2), Money(1000, "SEK", 2)]
    assert found.refunded == [Money(400, "EUR", 2)]
    assert found.refund_outcomes == {"succeeded": 2, "failed": 1}


def test_a_payment_that_waits_in_several_ways_has_started_once(closing: Any) -> None:
    (payment,) = payments(1, "succeeded", at(8, 3))
    change(payment, "created", "pending", at(8))
    change(payment, "pending", "requires_action", at(8, 1))
    change(payment, "requires_action", "pending", at(8, 2))
    change(payment, "succeeded", "succeeded", at(8, 5), note="reviewed by a person")
    closing()

    assert figures().outcomes == {"pending": 1, "succeeded": 1}


RESULTS = [
    ({}, CallResult.OK),
    ({"http_status": 201}, CallResult.OK),
    ({"http_status": 500, "outcome": "unknown"}, CallResult.SERVER_ERROR),
    ({"http_status": 503, "outcome": "unknown"}, CallResult.SERVER_ERROR),
    ({"http_status": 429, "outcome": "error"}, CallResult.RATE_LIMITED),
    ({"http_status": 401, "outcome": "error"}, CallResult.CREDENTIALS_REFUSED),
    ({"http_status": 403, "outcome": "error"}, CallResult.CREDENTIALS_REFUSED),
    ({"http_status": 402, "outcome": "error"}, CallResult.DECLINED),
    ({"http_status": 422, "outcome": "error", "error_type": "card_error"}, CallResult.DECLINED),
    ({"http_status": 422, "outcome": "error", "error_type": "invalid_request_error"}, CallResult.REFUSED),
    ({"http_status": 404, "outcome": "error"}, CallResult.REFUSED),
    ({"http_status": 409, "outcome": "unknown"}, CallResult.REFUSED),
    ({"http_status": None, "outcome": "unknown"}, CallResult.NO_ANSWER),
    ({"http_status": 200, "outcome": "unknown"}, CallResult.NO_ANSWER),
    ({"http_status": 302, "outcome": "unknown"}, CallResult.NO_ANSWER),
    ({"http_status": None, "outcome": "not_sent"}, CallResult.NOT_SENT),
]


@pytest.mark.parametrize(("facts", "result"), RESULTS)
def test_what_became_of_a_call(facts: dict[str, Any], result: CallResult) -> None:
    calls(1, at(9), **facts)
    assert figures().results == {result: 1}


def test_rates_of_calls(closing: Any) -> None:
    calls(90, at(8, 30))
    calls(4, at(9, 30), http_status=502, outcome="unknown")
    calls(1, at(9, 30), http_status=None, outcome="unknown", duration_ms=8001)
    calls(2, at(9, 30), http_status=None, outcome="not_sent", duration_ms=5)
    calls(3, at(11, 59, 59), http_status=429, outcome="error")
    calls(9, NOON, http_status=500, outcome="unknown")
    calls(9, at(9), http_status=500, outcome="unknown", livemode=True)
    closing()

    found = figures()

    assert (found.server_errors.part, found.server_errors.whole) == (4, 100)
    assert (found.no_answers.part, found.no_answers.whole) == (3, 100)
    assert found.calls_with(CallResult.RATE_LIMITED) == 3


def test_latencies_by_operation(closing: Any) -> None:
    """Of 100 retrieves 90 took up to 100 ms and 10 up to 3 s: the 95th is in the middle of the class of 2 to 3 s."""
    calls(90, at(8), duration_ms=99)
    calls(10, at(10), duration_ms=2500)
    calls(4, at(10), duration_ms=700, operation="create_hosted")
    calls(50, at(10), duration_ms=0, http_status=None, outcome="not_sent")
    closing()

    found = figures()

    assert found.operations == {"retrieve": 100, "create_hosted": 4}
    assert found.latency_seconds(0.95, "retrieve") == pytest.approx(2.5)
    assert found.latency_seconds(0.5, "retrieve") == pytest.approx(0.05 + 0.05 * 50 / 90)
    assert found.latency_seconds(1.0, "create_hosted") == pytest.approx(0.8)
    assert found.latency_seconds(0.95, "refund") is None


def test_a_window_is_cut_into_slices(closing: Any) -> None:
    a_day()
    calls(2, at(8, 59, 59))
    calls(3, at(9))
    closing()

    slices = figures().slices([at(8), at(9), at(10), at(11)])

    assert [(part.since, part.until) for part in slices] == [
        (at(8), at(9)),
        (at(9), at(10)),
        (at(10), at(11)),
        (at(11), NOON),
    ]
    assert [sum(part.results.values()) for part in slices] == [2, 3, 0, 0]
    assert [part.decline_rate.part for part in slices] == [2, 0, 3, 0]


def test_days(closing: Any) -> None:
    payments(2, "failed", at(8) - timedelta(days=1))
    payments(3, "failed", at(8))
    closing()

    days = [NOON.replace(hour=0) - timedelta(days=1), NOON.replace(hour=0)]
    found = read_statistics(days[0], NOON, TEST, grain="day")

    assert [part.outcomes["failed"] for part in found.slices(days)] == [2, 3]


def test_quarters_of_a_day(closing: Any) -> None:
    begin = NOON - timedelta(days=1)
    for number, hour in ((1, 0), (2, 5), (3, 6), (4, 11), (5, 12), (6, 17), (7, 18), (8, 23)):
        payments(number, "failed", begin.replace(hour=hour, minute=59))
        calls(number, begin.replace(hour=hour, minute=59))
    closing()

    starts = [begin.replace(hour=hour) for hour in (0, 6, 12, 18)]
    found = read_statistics(starts[0], NOON.replace(hour=0), TEST, grain="quarter")

    assert [part.outcomes["failed"] for part in found.slices(starts)] == [3, 7, 11, 15]
    assert [sum(part.results.values()) for part in found.slices(starts)] == [3, 7, 11, 15]
    assert {call.at for call in found.calls} == set(starts)


def test_a_window_may_begin_and_end_within_an_hour(closing: Any) -> None:
    calls(1, at(8, 29, 59))
    calls(2, at(8, 30))
    calls(4, at(9, 30))
    calls(8, at(11, 44, 59))
    calls(16, at(11, 45))
    closing()

    found = figures(at(8, 30), at(11, 45))

    assert sum(found.results.values()) == 14
    assert [sum(part.results.values()) for part in found.slices([at(8, 30), at(10)])] == [6, 8]


def test_nothing_has_happened() -> None:
    found = figures()
    assert found.decline_rate.value is None
    assert not found.decline_rate.is_judged
    assert (found.latency_seconds(0.95), found.paid, found.outcomes["succeeded"]) == (None, [], 0)


@pytest.mark.parametrize(
    ("rate", "is_judged"),
    [
        (Rate(0, 0), False),
        (Rate(19, 19), False),
        (Rate(0, 20), True),
        (Rate(1, 1, minimum=0), True),
        (Rate(0, 0, 0), False),
    ],
)
def test_a_rate_of_few_is_not_judged(rate: Rate, is_judged: bool) -> None:
    assert rate.is_judged is is_judged


def test_it_takes_three_statements(closing: Any) -> None:
    a_day()
    calls(5, at(9))
    closing()
    with CaptureQueriesContext(connection) as queries:
        figures(at(8, 30), at(11, 45))
    assert len(queries) == 3


def test_an_hour_is_closed_an_hour_after_its_end_and_once() -> None:
    calls(5, at(8, 30))
    payments(2, "failed", at(9, 30))
    time_goes_on(at(12))

    assert close_hours(at(9, 59, 59)) == 0
    assert close_hours(at(10)) == 1
    assert close_hours(at(10)) == 0
    assert close_hours(at(13)) == 3
    assert [tallied.hour for tallied in TalliedHour.objects.order_by("hour")] == [at(8), at(9), at(10), at(11)]
    assert (CallTally.objects.get().number, ChangeTally.objects.get().number) == (5, 2)


def test_a_clock_that_is_ahead_closes_no_hour_to_come() -> None:
    calls(5, at(8, 30))
    payments(1, "failed", at(10, 30))

    assert close_hours(at(10, 40) + timedelta(days=2)) == 3
    calls(7, at(11, 10))
    time_goes_on(at(12))
    close_hours(at(13))

    assert list(CallTally.objects.order_by("hour").values_list("hour", "number")) == [(at(8), 5), (at(11), 7)]


def test_the_newest_rows_hour_is_closed_after_a_day_of_silence() -> None:
    calls(5, at(8, 30))
    assert close_hours(NOON) == 0
    assert close_hours(at(8) + timedelta(days=1)) == 0
    assert close_hours(at(8) + timedelta(days=1, seconds=1)) == 1
    assert close_hours(at(8) + timedelta(days=9)) == 0


def test_as_many_hours_are_closed_as_asked_for_the_oldest_first() -> None:
    calls(5, at(8, 30))
    time_goes_on(at(23))
    assert close_hours(at(23), most=2) == 2
    assert [tallied.hour for tallied in TalliedHour.objects.order_by("hour")] == [at(8), at(9)]


def test_an_hour_that_another_worker_has_closed_meanwhile_is_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(5, at(8, 30))
    time_goes_on(at(23))
    monkeypatch.setattr("django_flowlix.services.monitoring.tallies.tallied_until", lambda: None)

    assert close_hours(at(11), most=2) == 2
    assert close_hours(at(11)) == 0
    assert CallTally.objects.get().number == 5


def test_a_long_silence_is_counted_by_days() -> None:
    calls(5, NOON - timedelta(days=3))
    calls(7, NOON)
    time_goes_on(NOON + timedelta(hours=1))
    with CaptureQueriesContext(connection) as queries:
        assert close_hours(NOON + timedelta(hours=2)) == 73
    assert len(queries) < 60
    assert list(CallTally.objects.order_by("hour").values_list("hour", "number")) == [
        (NOON - timedelta(days=3), 5),
        (NOON, 7),
    ]
    assert TalliedHour.objects.count() == 73


def test_figures_of_closed_hours_stay_when_their_calls_are_pruned() -> None:
    calls(5, at(8, 30), http_status=500, outcome="unknown")
    time_goes_on(NOON)
    close_hours(NOON)
    ApiCall.objects.all().delete()

    assert figures().server_errors.part == 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="where tables are small, other databases read all of it")
@pytest.mark.parametrize("scope", [Scope(), TEST])
def test_calls_of_an_hour_are_found_by_an_index_in_both_modes_too(scope: Scope) -> None:
    plan = raw_calls(at(8), at(9), scope).explain()
    assert "USING INDEX flowlix_call_mode (livemode=? AND created_at>? AND created_at<?)" in plan
