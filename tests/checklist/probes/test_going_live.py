"""real-payment and first-transactions-watched: what the database knows of payments with the live key."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.api import Money
from django_flowlix.checklist import Outcome
from django_flowlix.checklist.probes import going_live
from django_flowlix.models import Payment, StatusChange
from tests.checklist.looking import told
from tests.checklist.recorded import a_payment, a_refund, ago, live

pytestmark = pytest.mark.django_db


def test_a_test_key_has_nothing_to_show(look: Any) -> None:
    a_refund(a_payment(livemode=True))
    found = look("real-payment")
    assert found.outcome is Outcome.SKIP
    assert "this account has a test key" in told(found, Outcome.SKIP)
    assert '--live-payment "1.00 EUR"' in told(found, Outcome.SKIP)


def test_without_a_live_payment_there_is_something_to_do(look: Any, settings: Any) -> None:
    live(settings)
    a_refund(a_payment())
    a_refund(a_payment(livemode=True, account="another"))
    a_payment("failed", livemode=True)
    found = look("real-payment")
    assert found.outcome is Outcome.SKIP
    assert "No live payment has succeeded" in told(found, Outcome.SKIP)


def test_a_live_payment_that_went_the_whole_way_passes(look: Any, settings: Any) -> None:
    live(settings)
    payment = a_payment(livemode=True, order_reference="real")
    a_refund(payment)
    found = look("real-payment")
    assert found.outcome is Outcome.PASS
    assert f"order real ({payment.created_at:%Y-%m-%d}) succeeded, was verified" in told(found, Outcome.PASS)


@pytest.mark.parametrize("refunded", ["not", "in part", "without success"])
def test_a_live_payment_that_was_not_refunded_in_full_is_a_warning(look: Any, settings: Any, refunded: str) -> None:
    live(settings)
    payment = a_payment(livemode=True, order_reference="kept")
    if refunded == "in part":
        a_refund(payment)
        Payment.objects.filter(pk=payment.pk).update(amount_refunded_minor=1)
    elif refunded == "without success":
        a_refund(payment, "failed")
        Payment.objects.filter(pk=payment.pk).update(amount_refunded_minor=0)
    found = look("real-payment")
    assert found.outcome is Outcome.WARN
    assert "The live payment of order kept" in told(found, Outcome.WARN)
    assert "no live payment has been refunded in full" in told(found, Outcome.WARN)


def test_a_success_that_the_server_did_not_verify_proves_nothing(look: Any, settings: Any) -> None:
    live(settings)
    payment = a_payment(livemode=True)
    a_refund(payment)
    StatusChange.objects.filter(payment=payment, refund=None).update(source="create")
    assert look("real-payment").outcome is Outcome.SKIP


def test_how_the_line_stands_is_on_record_also_when_nobody_makes_the_payment_now(look: Any, settings: Any) -> None:
    live(settings)
    a_refund(a_payment(livemode=True, order_reference="real"))
    found = look("real-payment", "static", "live-payment", live_amount=Money(100, "EUR"))
    assert found.outcome is Outcome.PASS
    assert "order real" in told(found, Outcome.PASS)
    assert "not confirmed: nothing was sent" in told(found, Outcome.NOTE)


def test_real_money_that_the_checklist_took_and_nobody_refunded_is_a_warning(look: Any, settings: Any) -> None:
    live(settings)
    a_refund(a_payment(livemode=True, order_reference="real"))
    kept = a_payment(livemode=True, from_checklist=True, order_reference="flowlix-check-kept")
    found = look("real-payment")
    assert found.outcome is Outcome.WARN
    said = told(found, Outcome.WARN)
    assert f"took 10.00 EUR of real money for order flowlix-check-kept ({kept.gateway_id})" in said
    assert "Refund it, from its page in the admin" in said


@pytest.mark.parametrize("status", ["pending", "requires_action", "processing", "created"])
def test_live_payments_of_the_checklist_that_are_still_open_are_said(look: Any, settings: Any, status: str) -> None:
    live(settings)
    a_refund(a_payment(livemode=True))
    left = a_payment(status, livemode=True, from_checklist=True, order_reference="flowlix-check-left")
    found = look("real-payment")
    assert found.outcome is Outcome.PASS
    said = told(found, Outcome.NOTE)
    assert f"is still open: order flowlix-check-left ({left.gateway_id}), over 10.00 EUR" in said


def test_a_payment_of_the_checklist_that_the_gateway_has_not_named_is_said_too(look: Any, settings: Any) -> None:
    live(settings)
    a_payment("created", livemode=True, from_checklist=True, order_reference="flowlix-check-lost", gateway_id=None)
    assert "order flowlix-check-lost (without a payment id)" in told(look("real-payment"), Outcome.NOTE)


@pytest.mark.parametrize("refund", ["succeeded", "pending", "created"])
def test_what_was_refunded_or_is_being_refunded_is_no_warning(look: Any, settings: Any, refund: str) -> None:
    live(settings)
    a_refund(a_payment(livemode=True))
    payment = a_payment(livemode=True, from_checklist=True)
    a_refund(payment, refund)
    if refund != "succeeded":
        Payment.objects.filter(pk=payment.pk).update(amount_refunded_minor=0)
    assert look("real-payment").outcome is Outcome.PASS


def test_payments_of_the_checklist_elsewhere_or_declined_are_not_mentioned(look: Any, settings: Any) -> None:
    a_payment(from_checklist=True)
    live(settings)
    a_refund(a_payment(livemode=True))
    a_payment("failed", livemode=True, from_checklist=True)
    a_payment(livemode=True, from_checklist=True, account="another")
    a_payment("pending", livemode=True)
    found = look("real-payment")
    assert found.outcome is Outcome.PASS
    assert told(found, Outcome.NOTE) == ""


STATEMENT = (
    "Somebody watches the first live transactions one by one, on the admin's page 'First transactions' and in the "
    "gateway's dashboard."
)


def test_the_first_transactions_need_somebody_who_watches(look: Any, settings: Any) -> None:
    live(settings)
    a_payment(livemode=True)
    a_payment()
    found = look("first-transactions-watched")
    assert found.outcome is Outcome.PERSON
    assert told(found, Outcome.PERSON).endswith(f"→ {STATEMENT}")
    assert "Live payments so far: 1." in told(found, Outcome.NOTE)


def test_many_live_payments_are_not_counted_one_by_one(
    look: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(settings)
    monkeypatch.setattr(going_live, "_MOST", 2)
    for _ in range(3):
        a_payment(livemode=True, created_at=ago(days=1))
    assert "Live payments so far: more than 2." in told(look("first-transactions-watched"), Outcome.NOTE)


def test_a_test_key_has_no_first_transactions(look: Any) -> None:
    assert look("first-transactions-watched").outcome is Outcome.SKIP
