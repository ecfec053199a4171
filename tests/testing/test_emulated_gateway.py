"""What merchants use in their own tests."""

from __future__ import annotations

import pytest
from django.conf import settings

from django_flowlix.api import Money
from django_flowlix.conf import account
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.testing import emulated_gateway
from tests.conftest import a_request


@pytest.mark.django_db
def test_fixture_is_a_gateway_that_can_be_paid_at(flowlix_emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    flowlix_emulator.pay(payment.gateway_id)
    assert sync_payment(payment).status == "succeeded"
    assert Payment.objects.get().hosted_page_url.startswith(flowlix_emulator.url)


def test_settings_are_put_back_and_further_ones_may_be_given() -> None:
    before = settings.FLOWLIX
    with emulated_gateway(alias="second", IDEMPOTENCY_NAMESPACE="mine") as server:
        assert account("second").api_url == server.url
        assert account("second").idempotency_namespace == "mine"
        assert account("default").api_url == before["default"]["API_URL"]
    assert before == settings.FLOWLIX


@pytest.mark.django_db
def test_the_gateway_speaks_the_accounts_contract() -> None:
    with emulated_gateway(CONTRACT="dev") as gateway:
        payment = start_payment(a_request())
        gateway.pay(str(payment.gateway_id))
        sync_payment(payment)
        refund = refund_payment(payment, Money(1200, "EUR"), reason="one was torn")

        assert [entry.amount_minor for entry in gateway.refunds(str(payment.gateway_id))] == [1200]
        assert (payment.contract, refund.status) == ("dev", "pending")
