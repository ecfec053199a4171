"""What the shop's own payments prove about the section Testing, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.checklist import Outcome
from django_flowlix.models import Payment
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.statuses import ChangeSource
from tests.checklist.looking import told
from tests.conftest import a_request

pytestmark = pytest.mark.django_db


def ended(
    emulator: Any, reference: str, outcome: str, source: ChangeSource = ChangeSource.RETURN, code: str = ""
) -> Payment:
    payment = start_payment(a_request(order_reference=reference))
    if outcome == "success":
        emulator.pay(payment.gateway_id)
    elif outcome == "cancel":
        emulator.cancel(payment.gateway_id)
    else:
        emulator.decline(payment.gateway_id, code or "generic_decline")
    return sync_payment(payment, source=source)


def test_a_customer_who_came_back_proves_the_cycle(emulator: Any, look: Any) -> None:
    ended(emulator, "1", "success")
    found = look("hosted-cycle-exercised")
    assert found.outcome is Outcome.PASS
    assert "a customer who came back and was verified" in told(found, Outcome.PASS)


def test_a_customer_who_did_not_come_back_does_not(emulator: Any, look: Any) -> None:
    ended(emulator, "1", "success", ChangeSource.SYNC)
    assert look("hosted-cycle-exercised").outcome is Outcome.SKIP


def test_nor_does_one_who_was_declined(emulator: Any, look: Any) -> None:
    ended(emulator, "1", "decline")
    assert look("hosted-cycle-exercised").outcome is Outcome.SKIP


def test_accepted_declined_and_refunded_together_prove_the_outcomes(emulator: Any, look: Any) -> None:
    paid = ended(emulator, "1", "success")
    ended(emulator, "2", "decline")
    refund_payment(paid, reason="returned")
    ended(emulator, "3", "cancel")
    assert look("outcomes-exercised").outcome is Outcome.SKIP, "nobody was declined for lack of funds"
    ended(emulator, "4", "decline", code="insufficient_funds")
    found = look("outcomes-exercised")
    assert found.outcome is Outcome.PASS
    assert "accepted, declined in both ways and refunded" in told(found, Outcome.PASS)


@pytest.mark.parametrize("without", ["success", "generic_decline", "insufficient_funds", "refund"])
def test_each_of_the_outcomes_is_needed(without: str, emulator: Any, look: Any) -> None:
    paid = ended(emulator, "1", "success")
    for number, code in enumerate({"generic_decline", "insufficient_funds"} - {without}):
        ended(emulator, f"declined {number}", "decline", code=code)
    if without != "refund":
        refund_payment(paid, reason="returned")
    if without == "success":
        Payment.objects.filter(pk=paid.pk).update(status="failed")
    assert look("outcomes-exercised").outcome is Outcome.SKIP


@pytest.mark.parametrize("line", ["outcomes-exercised", "hosted-cycle-exercised"])
@pytest.mark.parametrize(
    "changes", [{"from_checklist": True}, {"contract": "dev"}, {"livemode": True}, {"account": "b"}]
)
def test_payments_that_are_not_of_this_shop_prove_nothing(
    line: str, changes: dict[str, Any], emulator: Any, look: Any
) -> None:
    refund_payment(ended(emulator, "1", "success"), reason="returned")
    ended(emulator, "2", "decline")
    ended(emulator, "3", "decline", code="insufficient_funds")
    assert look(line).outcome is Outcome.PASS
    Payment.objects.update(**changes)
    assert look(line).outcome is Outcome.SKIP
