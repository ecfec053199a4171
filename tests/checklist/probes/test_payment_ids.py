"""payment-id-stored: what the gateway has confirmed is stored with its ids and its order."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from django_flowlix.checklist import Outcome
from django_flowlix.models import Payment
from tests.checklist.looking import told
from tests.checklist.recorded import a_payment, live

pytestmark = pytest.mark.django_db


def test_without_payments_nothing_is_proven(look: Any) -> None:
    found = look("payment-id-stored")
    assert found.outcome is Outcome.SKIP
    assert "No payment yet" in told(found, Outcome.SKIP)


def test_complete_payments_pass_and_their_links_are_counted(look: Any) -> None:
    a_payment("pending")
    a_payment(order_content_type=ContentType.objects.get_for_model(Payment), order_object_id="1")
    found = look("payment-id-stored")
    assert found.outcome is Outcome.PASS
    assert "All 2 confirmed payments among all payments of the shop in test mode" in told(found, Outcome.PASS)
    assert "1 of 2 payments are linked" in told(found, Outcome.NOTE)


def test_payments_of_the_checklist_itself_prove_nothing(look: Any) -> None:
    a_payment(from_checklist=True)
    assert look("payment-id-stored").outcome is Outcome.SKIP


def test_payments_that_the_gateway_never_confirmed_need_no_id(look: Any) -> None:
    a_payment("created", gateway_id=None, request_id="")
    a_payment("rejected", gateway_id=None, request_id="")
    assert look("payment-id-stored").outcome is Outcome.SKIP


@pytest.mark.parametrize("lack", [{"gateway_id": None}, {"gateway_id": ""}, {"request_id": ""}])
def test_a_confirmed_payment_that_lacks_an_id_is_noticed(look: Any, settings: Any, lack: dict[str, Any]) -> None:
    a_payment()
    a_payment(order_reference="incomplete", **lack)
    found = look("payment-id-stored")
    assert found.outcome is Outcome.FAIL
    assert "1 of 2 confirmed payments" in told(found, Outcome.FAIL)
    assert "such as order incomplete" in told(found, Outcome.FAIL)
    live(settings)
    assert look("payment-id-stored").outcome is Outcome.SKIP, "it is a payment of the other mode"


def test_a_confirmed_payment_without_its_order_is_noticed(look: Any) -> None:
    a_payment(order_reference="")
    assert "such as order without a reference" in told(look("payment-id-stored"), Outcome.FAIL)
