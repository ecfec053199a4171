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


def ended(emulator: Any, reference: str, outcome: str, source: ChangeSource = ChangeSource.RETURN) -> Payment:
    payment = start_payment(a_request(order_reference=reference))
    {"success": emulator.pay, "decline": emulator.decline}[outcome](payment.gateway_id)
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
    assert look("outcomes-exercised").outcome is Outcome.SKIP
    ended(emulator, "2", "decline")
    assert look("outcomes-exercised").outcome is Outcome.SKIP
    refund_payment(paid, reason="returned")
    found = look("outcomes-exercised")
    assert found.outcome is Outcome.PASS
    assert "accepted, declined and refunded" in told(found, Outcome.PASS)


def test_what_the_other_mode_or_account_did_proves_nothing(emulator: Any, look: Any) -> None:
    ended(emulator, "1", "success")
    Payment.objects.update(livemode=True)
    assert look("hosted-cycle-exercised").outcome is Outcome.SKIP
    Payment.objects.update(livemode=False, account="another")
    assert look("hosted-cycle-exercised").outcome is Outcome.SKIP
