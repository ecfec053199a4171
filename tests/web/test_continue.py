"""Going on with a start whose outcome is unknown: the same bytes under the same key, never a second payment."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.conftest import TEST_KEY
from tests.web.conftest import Customer, addresses, gateway_calls

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(customer: Customer, emulator: EmulatorServer) -> Payment:
    """The gateway made the payment and its answer was lost, four times."""
    emulator.fault("create_hosted", "drop_after", times=4)
    customer.pay()
    return Payment.objects.get()


def test_i5_i10_continue_replays_the_same_bytes_under_the_same_key(
    customer: Customer, unknown: Payment, emulator: EmulatorServer
) -> None:
    response = customer.post(addresses(unknown).onward)

    (at_gateway,) = emulator.payments()
    assert (response.status_code, response["Location"]) == (302, at_gateway.hosted_page_url)
    log = emulator.log("create_hosted")
    assert len(log) == 5
    assert len({(entry.body, entry.idempotency_key, entry.headers["Content-Type"]) for entry in log}) == 1
    assert log[-1].replayed


def test_a3_a4_continue_needs_post_and_the_csrf_token(
    customer: Customer, unknown: Payment, emulator: EmulatorServer
) -> None:
    before = len(emulator.log())

    assert customer.get(addresses(unknown).onward).status_code == 405
    assert customer.client.post(addresses(unknown).onward).status_code == 403
    assert len(emulator.log()) == before


def test_f6_an_unknown_token_is_not_found(customer: Customer, unknown: Payment) -> None:
    assert customer.post(addresses("x" * 43).onward).status_code == 404


def test_p5_still_no_answer_is_still_preparation(
    customer: Customer, unknown: Payment, emulator: EmulatorServer
) -> None:
    emulator.fault("create_hosted", "status_after", status=500, times=4)

    response = customer.post(addresses(unknown).onward)

    assert response["Location"] == addresses(unknown).pending
    assert Payment.objects.get().status == "created"
    assert len(emulator.payments()) == 1


def test_k5_a_refused_key_after_a_lost_answer_is_not_called_uncharged(
    customer: Customer, unknown: Payment, emulator: EmulatorServer
) -> None:
    emulator.revoke_key(TEST_KEY)

    response = customer.post(addresses(unknown).onward)

    assert response["Location"] == addresses(unknown).pending


def test_n1_a_start_that_was_never_sent_is_sent_by_continue(
    customer: Customer, emulator: EmulatorServer, settings: Any, closed_port: int
) -> None:
    right = settings.FLOWLIX
    settings.FLOWLIX = {"default": {**right["default"], "API_URL": f"http://127.0.0.1:{closed_port}"}}
    assert customer.pay().status_code == 503
    settings.FLOWLIX = right
    payment = Payment.objects.get()

    response = customer.post(addresses(payment).onward)

    (at_gateway,) = emulator.payments()
    assert response["Location"] == at_gateway.hosted_page_url
    assert gateway_calls(emulator) == {"create_hosted": 1}


@pytest.mark.parametrize(("outcome", "name"), [("pay", "pending"), ("decline", "pending"), ("nothing", "hosted")])
def test_continue_of_a_payment_that_exists_sends_nothing(
    customer: Customer, started: Payment, emulator: EmulatorServer, outcome: str, name: str
) -> None:
    getattr(emulator, outcome, str)(str(started.gateway_id))
    if outcome != "nothing":
        customer.come_back(started)
    before = gateway_calls(emulator)["create_hosted"]

    response = customer.post(addresses(started).onward)

    assert response["Location"] == (started.hosted_page_url if name == "hosted" else addresses(started).pending)
    assert gateway_calls(emulator)["create_hosted"] == before == 1


def test_s8_continue_of_a_replaced_attempt_does_not_lead_to_its_page(
    customer: Customer, unknown: Payment, emulator: EmulatorServer
) -> None:
    customer.pay(price="dear")

    response = customer.post(addresses(unknown).onward)

    assert response["Location"] == addresses(unknown).pending
    unknown.refresh_from_db()
    assert (unknown.status, unknown.superseded_at is None) == ("created", False)
    text = customer.get(addresses(unknown).pending).content.decode()
    assert "Your order has changed" in text
    assert addresses(unknown).onward not in text


def test_n1_a_gateway_that_stays_away_is_told_with_retry_after(
    customer: Customer, emulator: EmulatorServer, settings: Any, closed_port: int
) -> None:
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "API_URL": f"http://127.0.0.1:{closed_port}"}}
    customer.pay()

    response = customer.post(addresses(Payment.objects.get()).onward)

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
