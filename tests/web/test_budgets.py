"""What a start and a return may cost: statements, commits, requests, and none of them inside another."""

from __future__ import annotations

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.meter import QUIET, Meter
from tests.web.conftest import Customer, addresses, gateway_calls

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meter() -> Meter:
    return Meter()


def test_a_start_costs_8_statements_2_commits_and_1_request(
    customer: Customer, emulator: EmulatorServer, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with meter.running(monkeypatch):
        assert customer.pay().status_code == 302

    assert len(meter.statements) <= 8, meter.statements
    assert meter.commits == 2
    assert meter.during_exchanges == [QUIET]
    assert gateway_calls(emulator) == {"create_hosted": 1}


@pytest.mark.parametrize("outcome", ["pay", "decline", "nothing"])
def test_a_return_costs_8_statements_and_1_request(
    customer: Customer, emulator: EmulatorServer, meter: Meter, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    payment = customer.start()
    getattr(emulator, outcome, str)(str(payment.gateway_id))

    with meter.running(monkeypatch):
        assert customer.come_back(payment, payment_id=payment.gateway_id, status="succeeded").status_code == 302

    assert len(meter.statements) <= 8, meter.statements
    assert meter.during_exchanges == [QUIET]
    assert gateway_calls(emulator)["retrieve"] == 1


@pytest.mark.parametrize("outcome", ["pay", "nothing"])
def test_a_second_return_at_once_costs_no_request(
    customer: Customer, emulator: EmulatorServer, meter: Meter, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    payment = customer.start()
    getattr(emulator, outcome, str)(str(payment.gateway_id))
    customer.come_back(payment)
    customer.clock.advance(seconds=1.9)

    with meter.running(monkeypatch):
        customer.get(addresses(payment).returned)

    assert len(meter.statements) <= 3, meter.statements
    assert (meter.during_exchanges, gateway_calls(emulator)["retrieve"]) == ([], 1)


@pytest.mark.parametrize("kind", ["drop_after", "status_before", "in_flight", "truncated_json", "rate_limited"])
def test_retries_keep_the_database_out_of_the_exchange_too(
    customer: Customer, emulator: EmulatorServer, meter: Meter, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    emulator.fault("create_hosted", kind, times=2)

    with meter.running(monkeypatch):
        customer.pay()

    assert meter.during_exchanges == [QUIET] * 3
    assert Payment.objects.get().status == "pending"


@pytest.mark.parametrize(("path", "most"), [("pending", 3), ("status", 3), ("result", 1)])
def test_the_pages_of_a_decided_payment_cost_next_to_nothing(
    customer: Customer,
    emulator: EmulatorServer,
    meter: Meter,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    most: int,
) -> None:
    payment = customer.start()
    emulator.pay(str(payment.gateway_id))
    customer.come_back(payment)

    with meter.running(monkeypatch):
        customer.get(getattr(addresses(payment), path))

    assert len(meter.statements) <= most, meter.statements
    assert meter.during_exchanges == []
