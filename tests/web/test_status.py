"""The status poll: what it says, where it sends, and how little it asks."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.web.conftest import Customer, addresses, gateway_calls

pytestmark = pytest.mark.django_db


def poll(customer: Customer, payment: Payment, query: str = "") -> Any:
    customer.clock.advance(seconds=3)
    response = customer.get(addresses(payment).status + query)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    return response.json()


def test_s2_the_poll_asks_the_gateway_and_names_the_next_page(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    waiting = poll(customer, started)
    emulator.pay(str(started.gateway_id))
    decided = poll(customer, started)

    assert waiting == {"state": "pending", "next": ""}
    assert decided == {"state": "succeeded", "next": "/thanks/"}


def test_a_decline_is_told_without_the_gateways_words(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.decline(str(started.gateway_id), "stolen_card")

    assert poll(customer, started) == {"state": "failed", "next": "/sorry/"}


def test_a_customer_who_waited_for_the_start_goes_on_to_pay(customer: Customer, emulator: EmulatorServer) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    customer.pay()
    payment = Payment.objects.get()
    preparing = poll(customer, payment, "?from=created")
    customer.post(addresses(payment).onward)
    payment.refresh_from_db()

    assert preparing == {"state": "created", "next": ""}
    assert poll(customer, payment, "?from=created") == {"state": "pending", "next": payment.hosted_page_url}
    assert poll(customer, payment) == {"state": "pending", "next": ""}, "one who has paid is not sent to pay again"


def test_a_rejected_start_leads_to_the_failure_page(customer: Customer, emulator: EmulatorServer) -> None:
    emulator.fault("create_hosted", "status_before", status=422)
    customer.pay()

    assert poll(customer, Payment.objects.get()) == {"state": "rejected", "next": "/sorry/"}


def test_f5_polling_every_second_asks_at_most_every_other(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    for _ in range(60):
        customer.clock.advance(seconds=1)
        customer.get(addresses(started).status)

    assert gateway_calls(emulator)["retrieve"] == 30


def test_n11_an_outage_is_still_waiting(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.fault("retrieve", "drop_before", times=50)

    assert poll(customer, started) == {"state": "pending", "next": ""}
