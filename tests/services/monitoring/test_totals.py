"""Totals only grow: whatever is closed or pruned between two looks, and whichever process looks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import ApiCall, CallTally, Payment, StatusChange
from django_flowlix.services.monitoring import totals as totals_module
from django_flowlix.services.monitoring.tallies import close_hours
from django_flowlix.services.monitoring.totals import HoursNotClosedError, RunningTotals, Totals
from tests.services.monitoring.happened import calls, change, payments, refund

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour: int, minute: int = 0) -> datetime:
    return NOON.replace(hour=hour, minute=minute)


def total_calls(totals: Totals) -> int:
    return sum(totals.calls.values())


def test_everything_since_the_beginning_is_counted_by_what_it_is() -> None:
    calls(3, at(8), duration_ms=40)
    calls(2, at(10), http_status=500, outcome="unknown", duration_ms=2500, livemode=True)
    payments(2, "succeeded", at(9), amount_minor=700)
    (paid,) = payments(1, "succeeded", at(11), currency="SEK", account="second")
    refund(paid, "succeeded", at(11), amount_minor=150)
    refund(paid, "failed", at(11), amount_minor=850)
    payments(1, "failed", at(11), decline_code="expired_card", card_brand="visa")

    for closed_until in (None, at(10), NOON + 9 * HOUR):
        if closed_until:
            close_hours(closed_until)
        found = RunningTotals().read(NOON)

        assert found.calls == {
            ("default", False, "retrieve", "ok", 0): 3,
            ("default", True, "retrieve", "server_error", 11): 2,
        }
        assert found.outcomes == {
            ("default", False, False, "succeeded"): 2,
            ("second", False, False, "succeeded"): 1,
            ("second", False, True, "succeeded"): 1,
            ("second", False, True, "failed"): 1,
            ("default", False, False, "failed"): 1,
        }
        assert found.declines == {("default", False, "expired_card", "visa"): 1}
        assert found.amounts_minor == {
            ("default", False, False, "EUR", 2): 1400,
            ("second", False, False, "SEK", 2): 1000,
            ("second", False, True, "SEK", 2): 150,
        }


@pytest.mark.parametrize(
    ("code", "brand", "shown"),
    [
        ("stolen_card", "Visa", ("stolen_card", "visa")),
        (" Lost_Card ", "mastercard", ("lost_card", "mastercard")),
        ("a_new_code", "a_new_brand", ("other", "other")),
        ("other", "other", ("other", "other")),
        ("", "", ("unknown", "unknown")),
    ],
)
def test_the_gateways_words_are_limited_to_those_that_are_known(code: str, brand: str, shown: tuple[str, str]) -> None:
    payments(1, "failed", at(11), decline_code=code, card_brand=brand)
    assert RunningTotals().read(NOON).declines == {("default", False, *shown): 1}


def test_any_number_of_unknown_words_is_one() -> None:
    for number in range(30):
        payments(1, "failed", at(11), decline_code=f"code_{number}", card_brand=f"brand_{number}")
    assert RunningTotals().read(NOON).declines == {("default", False, "other", "other"): 30}


def test_totals_grow_with_every_call_while_hours_are_closed_and_calls_pruned() -> None:
    """Each step adds 1 call and is seen by one process that looked before, one that did not and one that begins."""
    early, rare = RunningTotals(), RunningTotals()
    for expected in range(1, 13):
        step, now = expected - 1, NOON + (expected - 1) * timedelta(minutes=25)
        calls(1, now)
        if step % 3 == 1:
            close_hours(now)
        if step % 5 == 4:
            ApiCall.objects.filter(created_at__lt=now - 3 * HOUR).delete()
        assert total_calls(early.read(now)) == expected
        assert total_calls(RunningTotals().read(now)) == expected
        if step % 4 == 3:
            assert total_calls(rare.read(now)) == expected
    assert CallTally.objects.exists()


def test_pruned_calls_of_closed_hours_stay_counted() -> None:
    calls(4, at(8, 30))
    calls(1, at(9))
    running = RunningTotals()
    assert total_calls(running.read(NOON)) == 5

    close_hours(NOON)  # 8:00 to 9:00
    ApiCall.objects.filter(created_at__lt=at(9)).delete()

    assert total_calls(running.read(NOON)) == total_calls(RunningTotals().read(NOON)) == 5


def test_hours_that_are_closed_are_read_once() -> None:
    calls(5, at(8))
    close_hours(at(10))
    running = RunningTotals()
    running.read(NOON)

    CallTally.objects.update(number=500)  # as nobody ever does
    calls(1, at(11))

    assert total_calls(running.read(NOON)) == 6


def test_a_clock_that_is_behind_shows_no_less() -> None:
    calls(4, NOON)
    behind = NOON - timedelta(minutes=5)
    assert total_calls(RunningTotals().read(behind)) == 4


def test_a_database_that_lags_behind_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(4, at(8))
    calls(2, at(9))
    close_hours(at(11))
    running = RunningTotals()
    assert total_calls(running.read(NOON)) == 6

    monkeypatch.setattr(totals_module, "tallied_until", lambda: at(9))

    assert total_calls(running.read(NOON)) == 6


def test_a_decline_whose_reason_is_taken_back_stays_counted_where_it_was() -> None:
    """A late success: the gateway's answer no longer has the decline code."""
    payments(3, "failed", at(11), decline_code="expired_card")
    running = RunningTotals()
    running.read(NOON)

    late = Payment.objects.latest("pk")
    Payment.objects.filter(pk=late.pk).update(status="succeeded", decline_code="")
    change(late, "failed", "succeeded", at(11, 30))
    found = running.read(NOON)

    assert found.declines["default", False, "expired_card", "unknown"] == 3
    assert found.outcomes["default", False, False, "failed"] == 3
    assert found.outcomes["default", False, False, "succeeded"] == 1


def test_what_was_shown_is_not_changed_by_later_looks() -> None:
    calls(1, at(11))
    running = RunningTotals()
    first = running.read(NOON)
    calls(1, at(11))
    running.read(NOON)
    assert total_calls(first) == 1


TWO_DAYS_AGO = NOON - timedelta(days=2)


@pytest.mark.parametrize(
    ("happen", "closing", "is_counted"),
    [
        (lambda: calls(1, TWO_DAYS_AGO + HOUR), False, True),
        (lambda: calls(1, TWO_DAYS_AGO - timedelta(minutes=1)), False, False),
        (lambda: calls(1, TWO_DAYS_AGO - timedelta(minutes=1), livemode=True), False, False),
        (lambda: payments(1, "failed", TWO_DAYS_AGO - timedelta(minutes=1)), False, False),
        (lambda: calls(1, NOON - timedelta(days=90)), True, True),
    ],
)
def test_more_than_two_days_are_not_counted_on_the_spot(
    happen: Callable[[], Any], closing: bool, is_counted: bool
) -> None:
    calls(1, NOON - timedelta(days=100))
    happen()
    if closing:
        close_hours(NOON)
    if is_counted:
        assert total_calls(RunningTotals().read(NOON)) == 2
    else:
        with pytest.raises(HoursNotClosedError, match="flowlix_monitor"):
            RunningTotals().read(NOON)


@pytest.mark.parametrize("happen", [lambda at: calls(1, at), lambda at: payments(1, "failed", at)])
def test_hours_that_are_no_longer_closed_end_it_after_two_days(happen: Callable[[datetime], Any]) -> None:
    calls(1, at(7))
    calls(1, at(8))
    close_hours(at(10))  # 7:00 to 8:00
    happen(at(9, 10))
    running = RunningTotals()
    shown = running.read(at(9, 10) + timedelta(days=2))
    assert total_calls(shown) + sum(shown.outcomes.values()) == 3
    with pytest.raises(HoursNotClosedError):
        running.read(at(9, 10) + timedelta(days=2, seconds=1))


@pytest.mark.parametrize("happen", [lambda at: calls(1, at), lambda at: payments(1, "failed", at)])
@pytest.mark.parametrize("before", [False, True])
def test_a_shop_in_which_nothing_happens_is_no_fault(happen: Callable[[datetime], Any], before: bool) -> None:
    """Hours are closed up to the last in which something happened, and that one is not."""
    if before:
        calls(1, at(3))
    happen(at(8))
    close_hours(NOON)
    running, later = RunningTotals(), NOON + timedelta(days=90)
    shown = running.read(later)
    assert total_calls(shown) + sum(shown.outcomes.values()) == 1 + before
    calls(1, later)  # and the monitor has not run since
    shown = running.read(later)
    assert total_calls(shown) + sum(shown.outcomes.values()) == 2 + before


def test_nothing_has_happened() -> None:
    assert RunningTotals().read(NOON) == Totals()


def test_statements_do_not_grow_with_what_has_happened() -> None:
    calls(1, at(8))
    calls(1, at(10))
    close_hours(NOON)
    running = RunningTotals()
    with CaptureQueriesContext(connection) as first:
        running.read(NOON)
    for number in range(5):
        calls(3, at(11), operation=f"operation_{number}")
        payments(2, "failed", at(11), account=f"account_{number}")
    with CaptureQueriesContext(connection) as later:
        running.read(NOON)
    close_hours(NOON + HOUR)
    with CaptureQueriesContext(connection) as after_closing:
        running.read(NOON + HOUR)
    assert [len(first), len(later), len(after_closing)] == [5, 3, 5]


@pytest.mark.django_db(transaction=True)
def test_threads_that_look_at_once_count_closed_hours_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls(4, at(8))
    calls(1, at(10))
    close_hours(NOON)
    running, both, read = RunningTotals(), Barrier(2), totals_module.count_calls

    def slow(*args: Any, **more: Any) -> Any:
        both.wait(10)  # both have seen that hours were closed before either has added them
        return read(*args, **more)

    def look() -> int:
        try:
            return total_calls(running.read(NOON))
        finally:
            connection.close()

    monkeypatch.setattr(totals_module, "count_calls", slow)
    with ThreadPoolExecutor(2) as threads:
        looks = [threads.submit(look) for _ in range(2)]
        assert [look.result() for look in looks] == [5, 5]
    monkeypatch.undo()

    assert total_calls(running.read(NOON)) == 5
    assert StatusChange.objects.count() == 0
