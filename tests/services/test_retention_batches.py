"""Pruning in batches: figures are counted before, runs die, meet others and lose races, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from django_flowlix.conf import account, accounts
from django_flowlix.models import (
    ApiCall,
    CallTally,
    ChangeTally,
    Payment,
    StatusChange,
    TalliedHour,
)
from django_flowlix.services import retention
from django_flowlix.services.retention import Count, Prune
from tests.admin.rows import a_payment
from tests.conftest import FakeClock
from tests.services.past import (
    LONG_AGO,
    a_call,
    a_change,
    a_shop_with_a_past,
    ages,
    ago,
    counted,
    left,
    prune,
)

__all__ = ["a_shop_with_a_past", "ages", "counted"]

pytestmark = pytest.mark.django_db

# --- The figures stay -------------------------------------------------------------------------------------------------


def test_hours_are_counted_before_their_rows_go(fake_clock: FakeClock, ages: Callable[..., None]) -> None:
    ages({"calls_days": 1, "changes_days": 1})
    fake_clock.current = fake_clock.current.replace(minute=30, second=0)
    TalliedHour.objects.all().delete()
    payment = a_payment(created_at=ago(fake_clock, 2))
    for _ in range(3):
        a_call(ago(fake_clock, 1.5), payment)
    a_change(ago(fake_clock, 1.5), payment)

    assert prune().calls == Count(3)

    (calls,) = CallTally.objects.all()
    assert (calls.hour, calls.number) == (ago(fake_clock, 1.5).replace(minute=0), 3)
    (changes,) = ChangeTally.objects.all()
    assert (changes.status, changes.number, changes.amount_minor) == ("succeeded", 1, 4999)


def test_an_hour_that_could_not_be_counted_keeps_its_rows(
    a_shop_with_a_past: Payment, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = (ago(fake_clock, 60.5)).replace(minute=0, second=0)
    kept = a_call(until)
    gone = a_call(until - timedelta(seconds=1))
    TalliedHour.objects.update(hour=until - timedelta(hours=1))
    monkeypatch.setattr(retention, "close_hours", lambda now: 0)

    report = prune()

    assert (report.calls, report.changes) == (Count(1), Count(1))
    assert kept.pk in left(ApiCall)
    assert gone.pk not in left(ApiCall)


def test_where_no_hour_was_counted_nothing_goes(a_shop_with_a_past: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "close_hours", lambda now: 0)
    TalliedHour.objects.all().delete()

    report = prune()

    assert (report.calls, report.changes, report.alerts) == (Count(0), Count(0), Count(1))


def test_personal_data_alone_need_no_tallies(
    a_shop_with_a_past: Payment, ages: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ages({"calls_days": None, "personal_data_days": 120})
    monkeypatch.setattr(retention, "close_hours", lambda now: pytest.fail("not asked for"))

    assert prune().personal_data == Count(1)


# --- Batches ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 3)


@pytest.mark.usefixtures("small_batches")
def test_rows_of_one_moment_are_each_taken_once(fake_clock: FakeClock) -> None:
    old = ago(fake_clock, 500)
    held = a_payment("held", legal_hold_since=old, created_at=fake_clock.now())
    for number in range(20):
        a_call(old, held if number % 2 else None)
    seen: list[int] = []

    report = Prune(accounts=list(accounts().values()), on_progress=seen.append).execute()

    assert report.calls == Count(10, held=10)
    assert seen == [3, 3, 3, 3, 3, 3, 2]
    assert ApiCall.objects.count() == ApiCall.objects.filter(payment=held).count() == 10


@pytest.mark.usefixtures("small_batches")
def test_a_run_that_dies_leaves_whole_batches_and_the_next_one_goes_on(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        a_call(ago(fake_clock, 500 - number))

    def die(count: int) -> None:
        if ApiCall.objects.count() == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Prune(accounts=list(accounts().values()), on_progress=die).execute()
    assert ApiCall.objects.count() == 4
    assert prune().calls == Count(4)


def test_count_is_what_is_looked_at(a_shop_with_a_past: Payment) -> None:
    Payment.objects.filter(order_reference="old").update(legal_hold_since=LONG_AGO)
    seen: list[int] = []
    run = Prune(accounts=list(accounts().values()), dry_run=True, on_progress=seen.append)

    assert run.count() == 5
    run.execute()
    assert sum(seen) == 5


@pytest.mark.parametrize("kind", ["calls", "changes"])
def test_a_payment_put_on_hold_after_it_was_read_keeps_its_rows(
    a_shop_with_a_past: Payment, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = f"_delete_{kind}"
    real = getattr(retention, name)

    def late(keys: list[int]) -> int:
        Payment.objects.update(legal_hold_since=LONG_AGO)
        return int(real(keys))

    monkeypatch.setattr(retention, name, late)
    of_payment = {"calls": ApiCall, "changes": StatusChange}[kind].objects.filter(payment=a_shop_with_a_past)  # type: ignore[attr-defined]
    before = of_payment.count()

    report = prune()

    assert of_payment.count() == before == 2
    assert getattr(report, kind).gone == {"calls": 1, "changes": 0}[kind]


def test_a_deadlock_is_repeated(a_shop_with_a_past: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = [OperationalError("deadlock"), OperationalError("deadlock")]
    losses[0].__cause__, losses[1].__cause__ = Exception(1213), Exception(1213)
    real = transaction.atomic

    def atomic(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("durable") and losses:
            raise losses.pop()
        return real(*args, **kwargs)

    monkeypatch.setattr(retention.transaction, "atomic", atomic)

    assert prune().calls == Count(2)


def test_another_fault_of_the_database_is_not_swallowed(
    a_shop_with_a_past: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("disk full")

    monkeypatch.setattr(retention.transaction, "atomic", broken)
    monkeypatch.setattr(retention, "close_hours", lambda now: 0)
    with pytest.raises(OperationalError, match="disk full"):
        prune()


def test_inside_a_transaction_it_refuses(a_shop_with_a_past: Payment) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        prune()
    assert ApiCall.objects.count() == 4


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of one database are looked at")
def test_no_statement_of_the_walk_reads_a_whole_table(fake_clock: FakeClock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plans = [
        task.rows.order_by(task.dated_by, "pk").values_list("pk", task.dated_by, "why")[:500].explain()
        for task in retention._tasks(account("default"), fake_clock.now(), None)
    ]
    assert len(plans) == 5
    for plan in plans:
        assert "Seq Scan" not in plan
