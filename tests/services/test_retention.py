"""Pruning by age: what is old goes, what is not over or on legal hold stays, and the books are never touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum

from django_flowlix.models import (
    Alert,
    AlertDelivery,
    ApiCall,
    Payment,
    Refund,
    StatusChange,
)
from django_flowlix.services.retention import Count, PruneReport
from tests.admin.rows import a_payment, a_refund
from tests.conftest import FakeClock
from tests.services.past import (
    LONG_AGO,
    a_call,
    a_change,
    a_shop_with_a_past,
    ages,
    ago,
    an_alert,
    counted,
    everything,
    keys,
    left,
    prune,
    time_passes,
)

__all__ = ["a_shop_with_a_past", "ages", "counted"]

pytestmark = pytest.mark.django_db


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
    ({"status": "created"}, {}, "unsettled"),
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
