"""The result page of shops that have none: our words, no personal data, nothing of the gateway's."""

from __future__ import annotations

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.web.conftest import Customer, addresses, gateway_calls, personal_details_in

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


def test_an_open_payment_has_no_result_yet(customer: Customer, started: Payment) -> None:
    response = customer.get(addresses(started).result)

    assert (response.status_code, response["Location"]) == (302, addresses(started).pending)


def test_a_success_shows_order_amount_and_card(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.pay(str(started.gateway_id))
    customer.come_back(started)

    response = customer.get(addresses(started).result)

    text = response.content.decode()
    assert "Thank you, your payment has arrived" in text
    assert all(fact in text for fact in ("1001", "49.99 EUR", "Visa •••• 4242"))
    assert personal_details_in(response) == []


@pytest.mark.parametrize("code", ["stolen_card", "lost_card", "suspect_fraud", "made_up_code"])
def test_f10_a_decline_reveals_nothing_it_must_not(
    customer: Customer, started: Payment, emulator: EmulatorServer, code: str
) -> None:
    emulator.decline(str(started.gateway_id), code)
    emulator.fault("retrieve", "override", fields={"decline_message": f"{NASTY} stolen or lost, fraud"})
    customer.come_back(started)

    text = customer.get(addresses(started).result).content.decode()

    assert "Your payment was not completed" in text
    assert not [word for word in ("stolen", "lost", "fraud", "suspect", "made_up", "alert(") if word in text.lower()]


def test_f10_the_gateways_card_brand_is_escaped(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.pay(str(started.gateway_id))
    card = {"brand": "<b>visa</b>", "last4": "4242", "exp_month": 1, "exp_year": 2099, "country": "DE"}
    emulator.fault("retrieve", "override", fields={"card": card})
    customer.come_back(started)

    text = customer.get(addresses(started).result).content.decode()

    assert "<b>" not in text.lower()
    assert "&lt;b&gt;visa&lt;/b&gt;" in text.lower()


def test_looking_at_a_result_asks_nobody(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.decline(str(started.gateway_id))
    customer.come_back(started)
    before = gateway_calls(emulator)
    customer.clock.advance(hours=1)

    customer.get(addresses(started).result)

    assert gateway_calls(emulator) == before


def test_a_rejected_start_is_told_as_not_paid(customer: Customer, emulator: EmulatorServer) -> None:
    emulator.fault("create_hosted", "status_before", status=422)
    customer.pay()

    response = customer.get(addresses(Payment.objects.get()).result)

    assert "Your order has not been paid" in response.content.decode()
