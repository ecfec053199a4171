"""real-payment and first-transactions-watched: what the database knows of payments with the live key."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_a_payment_that_is_made_now_is_told_by_the_stage_that_makes_it(context: Any) -> None:
    context.stages = frozenset({"static", "live-payment"})
    assert [found.outcome for found in going_live.recorded_real_payment(context)] == [Outcome.NOTE]


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
