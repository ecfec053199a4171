"""Pruning by age: what is old goes, what is not over or on legal hold stays, and the books are never touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.serializers import serialize
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from django_flowlix.conf import account, accounts
from django_flowlix.models import (
    Alert,
    AlertDelivery,
    ApiCall,
    CallTally,
    ChangeTally,
    Payment,
    Refund,
    StatusChange,
    TalliedHour,
)
from django_flowlix.services import retention
from django_flowlix.services.retention import Count, Prune, PruneReport
from tests.admin.rows import a_payment, a_refund
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00Z"
AGES = {"calls_days": 30, "changes_days": 60, "alerts_days": 90, "personal_data_days": 120}


@pytest.fixture(autouse=True)
def ages(settings: Any) -> Callable[..., None]:
    """Set the ages of the two accounts."""

    def choose(default: dict[str, Any], second: dict[str, Any] | None = None) -> None:
        never = {"calls_days": None, "alerts_days": None}
        settings.FLOWLIX = {
            "default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "RETENTION": default},
            "second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL, "RETENTION": second or never},
        }

    choose(AGES)
    return choose


@pytest.fixture(autouse=True)
def counted(fake_clock: FakeClock) -> None:
    """All hours up to now are in the tallies, so that a run need not count years of them one by one."""
    TalliedHour.objects.create(hour=(fake_clock.now() - timedelta(hours=1)).replace(minute=0, second=0))


def time_passes(clock: FakeClock, days: int) -> None:
    """Let time pass in which the hours were counted, as monitoring does."""
    clock.advance(days=days)
    for hour in TalliedHour.objects.all():
        TalliedHour.objects.update(hour=hour.hour + timedelta(days=days))


def prune(*, dry_run: bool = False, only: str = "") -> PruneReport:
    return Prune(accounts=[account(only)] if only else list(accounts().values()), dry_run=dry_run).execute()


def ago(clock: FakeClock, days: float) -> datetime:
    return clock.now() - timedelta(days=days)


def a_call(created_at: datetime, payment: Payment | None = None, **changes: Any) -> ApiCall:
    values: dict[str, Any] = {
        "account": "default",
        "livemode": False,
        "payment": payment,
        "operation": "retrieve",
        "method": "GET",
        "path": "/v1/payments",
        "try_number": 1,
        "outcome": "ok",
        "duration_ms": 12,
        "created_at": created_at,
    }
    return ApiCall.objects.create(**values | changes)


def a_change(created_at: datetime, payment: Payment, **changes: Any) -> StatusChange:
    values = {"from_status": "pending", "to_status": "succeeded", "source": "sync"}
    return StatusChange.objects.create(payment=payment, created_at=created_at, **values | changes)


def an_alert(began_at: datetime, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "rule": "decline_rate",
        "account": "default",
        "livemode": True,
        "state": "resolved",
        "active": None,
        "value": 0.1,
        "worst_value": 0.5,
        "threshold": 0.3,
        "summary": "too many",
        "began_at": began_at,
        "resolved_at": began_at + timedelta(hours=1),
    }
    return Alert.objects.create(**values | changes)


def left(model: Any) -> set[int]:
    return set(model.objects.values_list("pk", flat=True))


def keys(*rows: Any) -> set[int]:
    return {row.pk for row in rows}


def everything() -> str:
    rows = [*Payment.objects.all(), *Refund.objects.all(), *StatusChange.objects.all(), *ApiCall.objects.all()]
    others = [*Alert.objects.all(), *AlertDelivery.objects.all(), *TalliedHour.objects.all(), *CallTally.objects.all()]
    return str(serialize("json", rows + others))


@pytest.fixture
def a_shop_with_a_past(fake_clock: FakeClock) -> Payment:
    """A row of each kind on both sides of its age."""
    payment = a_payment("old", created_at=ago(fake_clock, 121), description="for Ada")
    a_payment("new", created_at=ago(fake_clock, 119), description="for Grace")
    for days in (29, 31):
        a_call(ago(fake_clock, days), payment)
        a_call(ago(fake_clock, days), livemode=True)
    for days in (59, 61):
        a_change(ago(fake_clock, days), payment)
    for days in (89, 91):
        AlertDelivery.objects.create(
            alert=an_alert(ago(fake_clock, days)), event="opened", target="mail", deliver_at=None
        )
    return payment


def test_what_is_older_than_its_age_goes_and_nothing_else(a_shop_with_a_past: Payment, fake_clock: FakeClock) -> None:
    report = prune()

    assert report == PruneReport(Count(2), Count(1), Count(1), Count(1))
    assert {call.created_at for call in ApiCall.objects.all()} == {ago(fake_clock, 29)}
    assert StatusChange.objects.get().created_at == ago(fake_clock, 59)
    assert Alert.objects.get().began_at == ago(fake_clock, 89)
    assert AlertDelivery.objects.get().alert == Alert.objects.get()
    descriptions = Payment.objects.values_list("order_reference", "description")
    assert dict(descriptions) == {"old": "", "new": "for Grace"}
    assert prune() == PruneReport(), "there is nothing left to do"


def test_a_dry_run_reports_the_same_and_does_nothing(a_shop_with_a_past: Payment) -> None:
    Payment.objects.filter(order_reference="new").update(created_at=LONG_AGO, legal_hold_since=LONG_AGO)
    before = everything()

    planned = prune(dry_run=True)

    assert everything() == before
    assert planned == PruneReport(Count(2), Count(1), Count(1), Count(1, held=1))
    assert prune() == planned


def test_the_books_are_the_same_afterwards(a_shop_with_a_past: Payment, fake_clock: FakeClock) -> None:
    a_refund(a_shop_with_a_past, created_at=ago(fake_clock, 121), amount_minor=1250)
    Payment.objects.update(amount_refunded_minor=1250)
    sums = [Sum("amount_minor"), Sum("amount_refunded_minor")]
    books = ["pk", "status", "amount_minor", "amount_refunded_minor", "gateway_id", "request_id", "idempotency_key"]
    before = Payment.objects.aggregate(*sums), list(Payment.objects.order_by("pk").values_list(*books))

    prune()

    assert (Payment.objects.aggregate(*sums), list(Payment.objects.order_by("pk").values_list(*books))) == before
    assert Refund.objects.get().amount_minor == 1250


def test_ages_that_are_not_set_keep_for_ever(
    a_shop_with_a_past: Payment, fake_clock: FakeClock, ages: Callable[..., None]
) -> None:
    ages({"calls_days": None, "changes_days": None, "alerts_days": None, "personal_data_days": None})
    time_passes(fake_clock, days=4000)
    before = everything()

    assert prune() == PruneReport()
    assert everything() == before


def test_each_account_has_its_own_ages(fake_clock: FakeClock, ages: Callable[..., None]) -> None:
    ages({"calls_days": 30}, {"calls_days": 300, "changes_days": 300})
    old = ago(fake_clock, 100)
    theirs = a_payment("theirs", account="second", created_at=old)
    kept = [a_call(old, account="second"), a_call(old, account="gone from the settings")]
    a_call(old)
    change = a_change(old, theirs)

    assert prune().calls == Count(1)
    assert left(ApiCall) == keys(*kept)
    assert left(StatusChange) == keys(change)
    time_passes(fake_clock, days=201)
    assert prune(only="default").calls == Count(0)
    report = prune(only="second")
    assert (report.calls, report.changes) == (Count(1), Count(1))
    assert left(ApiCall) == keys(kept[1]), "nobody has said for how long"


# --- What stays -------------------------------------------------------------------------------------------------------

KEPT = [
    ({"legal_hold_since": LONG_AGO}, {}, "held"),
    ({"legal_hold_since": LONG_AGO, "status": "pending"}, {}, "held"),
    *[({"status": status}, {}, "unsettled") for status in ("created", "pending", "requires_action", "processing")],
    ({"review_since": LONG_AGO}, {}, "unsettled"),
    ({}, {"status": "created"}, "unsettled"),
    ({}, {"status": "pending"}, "unsettled"),
]


@pytest.mark.parametrize(("of_payment", "of_refund", "why"), KEPT)
def test_what_belongs_to_a_payment_that_is_held_or_not_over_stays(
    fake_clock: FakeClock, of_payment: dict[str, Any], of_refund: dict[str, Any], why: str
) -> None:
    old = ago(fake_clock, 500)
    payment = a_payment("kept", created_at=old, description="for Ada", **of_payment)
    refund = a_refund(payment, created_at=old, **of_refund)
    a_call(old, payment)
    a_call(old, payment, refund=refund, operation="refund")
    a_change(old, payment)
    free = a_payment("free", created_at=old, description="for Ada")
    a_call(old, free)
    before = [Payment.objects.values().get(pk=payment.pk), Refund.objects.values().get(), left(ApiCall)]

    report = prune()

    assert report == PruneReport(
        calls=Count(1, **{why: 2}), changes=Count(0, **{why: 1}), personal_data=Count(1, **{why: 1})
    )
    assert Payment.objects.values().get(pk=payment.pk) == before[0]
    assert Refund.objects.values().get() == before[1]
    assert not ApiCall.objects.filter(payment=free).exists()
    assert ApiCall.objects.filter(payment=payment).count() == 2
    assert StatusChange.objects.count() == 1

    Payment.objects.filter(pk=payment.pk).update(status="succeeded", legal_hold_since=None, review_since=None)
    Refund.objects.update(status="succeeded")
    assert prune() == PruneReport(calls=Count(2), changes=Count(1), personal_data=Count(1)), "now it is over"


def test_a_change_that_the_shop_was_not_told_of_stays(fake_clock: FakeClock) -> None:
    old = ago(fake_clock, 500)
    payment = a_payment(created_at=old)
    a_change(old, payment, signal="payment_succeeded", deliver_at=fake_clock.now())
    assert prune().changes == Count(0, unsettled=1)

    StatusChange.objects.update(deliver_at=None, delivered_at=fake_clock.now())
    assert prune().changes == Count(1)


def test_a_pause_that_is_not_over_stays_in_force(fake_clock: FakeClock) -> None:
    old = ago(fake_clock, 31)
    asked = a_call(old, http_status=429, paused_until=fake_clock.now() + timedelta(hours=1))
    a_call(old, http_status=429, paused_until=fake_clock.now())

    prune()
    assert left(ApiCall) == keys(asked)


def test_the_calls_of_the_last_minute_are_never_old(fake_clock: FakeClock, ages: Callable[..., None]) -> None:
    ages({"calls_days": 1, "changes_days": 1})
    calls = [a_call(fake_clock.now()), a_call(ago(fake_clock, 1))]

    prune()
    assert left(ApiCall) == keys(*calls), "at its age to the second it is not older"


@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"active": True, "state": "open", "resolved_at": None}, False),
        ({"active": True, "state": "pending", "resolved_at": None}, False),
        ({"resolved_at": None, "state": "pending"}, True),
        ({"account": "second"}, False),
    ],
)
def test_alerts_go_when_they_are_over(fake_clock: FakeClock, changes: dict[str, Any], goes: bool) -> None:
    an_alert(ago(fake_clock, 1000), **changes)

    assert prune().alerts == Count(int(goes))
    assert Alert.objects.exists() is not goes


def test_an_alert_counts_from_its_end(fake_clock: FakeClock) -> None:
    an_alert(ago(fake_clock, 1000), resolved_at=ago(fake_clock, 89))
    assert prune().alerts == Count(0)

    time_passes(fake_clock, days=2)
    assert prune().alerts == Count(1)


def test_an_alert_that_somebody_was_not_told_of_stays(fake_clock: FakeClock) -> None:
    alert = an_alert(ago(fake_clock, 1000))
    AlertDelivery.objects.create(alert=alert, event="resolved", target="mail", deliver_at=fake_clock.now())
    assert prune().alerts == Count(0, unsettled=1)

    AlertDelivery.objects.update(deliver_at=None)
    assert prune().alerts == Count(1)
    assert not AlertDelivery.objects.exists()


# --- Personal data ----------------------------------------------------------------------------------------------------


def test_looks_at_the_gateway_do_not_put_the_erasure_off(fake_clock: FakeClock) -> None:
    a_payment(created_at=ago(fake_clock, 121), updated_at=fake_clock.now(), last_synced_at=fake_clock.now())

    assert prune().personal_data == Count(1)


def test_a_refund_puts_the_erasure_off(fake_clock: FakeClock) -> None:
    payment = a_payment(created_at=ago(fake_clock, 121))
    a_refund(payment, created_at=ago(fake_clock, 10))
    assert prune(dry_run=True).personal_data == prune().personal_data == Count(0)

    time_passes(fake_clock, days=111)
    assert prune().personal_data == Count(1)
    assert Refund.objects.get().reason == ""


def test_what_was_written_after_the_erasure_goes_at_its_own_age(fake_clock: FakeClock) -> None:
    payment = a_payment(created_at=ago(fake_clock, 300), personal_data_erased_at=ago(fake_clock, 180))
    token = payment.return_token
    a_refund(payment, created_at=ago(fake_clock, 200), reason="", request_body="")
    assert prune(dry_run=True).personal_data == Count(0)
    a_refund(payment, created_at=ago(fake_clock, 119), reason="Ada wrote")
    a_change(ago(fake_clock, 119), payment, from_status="succeeded", actor="anna", note="Ada called")
    assert prune(dry_run=True).personal_data == Count(0)

    time_passes(fake_clock, days=2)
    assert prune(dry_run=True).personal_data == Count(1)
    assert prune(dry_run=False).personal_data == Count(1)
    assert set(Refund.objects.values_list("reason", flat=True)) == {""}
    payment.refresh_from_db()
    assert payment.personal_data_erased_at == fake_clock.now()
    assert payment.return_token == token
    assert prune().personal_data == Count(0)


def test_a_note_of_a_person_after_the_erasure_goes_too(fake_clock: FakeClock, ages: Callable[..., None]) -> None:
    ages({"personal_data_days": 120})
    payment = a_payment(created_at=ago(fake_clock, 300), personal_data_erased_at=ago(fake_clock, 180))
    a_change(ago(fake_clock, 150), payment, from_status="succeeded", actor="anna", note="Ada called")

    assert prune().personal_data == Count(1)
    assert StatusChange.objects.get().note == ""
    assert prune().personal_data == Count(0)


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
