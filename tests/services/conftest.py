"""A gateway on the services' own clock, of each contract, and payments at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment, sync_payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock, a_request


@pytest.fixture
def gateway_of(fake_clock: FakeClock, settings: Any) -> Iterator[Callable[[str], EmulatorServer]]:
    """`gateway_of("dev")` runs that contract's gateway, with refunds that end only when told."""
    with ExitStack() as running:

        def run(contract: str) -> EmulatorServer:
            gateway = EmulatorServer(contract, read_seconds=lambda: fake_clock.current.timestamp())
            running.enter_context(gateway)
            gateway.set_refund_delay(None)
            account = {"SECRET_KEY": TEST_KEY, "API_URL": gateway.url, "BASE_URL": BASE_URL, "CONTRACT": contract}
            settings.FLOWLIX = {"default": account}
            return gateway

        yield run


@pytest.fixture
def make_paid(fake_clock: FakeClock) -> Callable[..., Payment]:
    """`make_paid(gateway, order_reference="7")`: a payment that was made an hour ago and is known to be paid."""

    def make(gateway: EmulatorServer, **changes: Any) -> Payment:
        payment = start_payment(a_request(**changes))
        gateway.pay(str(payment.gateway_id))
        fake_clock.advance(minutes=1)
        sync_payment(payment)
        assert payment.status == "succeeded"
        fake_clock.advance(hours=1)
        return payment

    return make
