"""What a start and a return may cost: statements, commits, requests, and none of them inside another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.web.conftest import Customer, addresses, gateway_calls

pytestmark = pytest.mark.django_db(transaction=True)

BOOKKEEPING = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass
class Meter:
    """What one request did: statements, commits, and what each exchange with the gateway saw."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    during_exchanges: list[tuple[bool, int]] = field(default_factory=list)
    """Per exchange: was a transaction open, and how many statements ran while the socket was open."""

    @contextmanager
    def running(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
        with monkeypatch.context() as patch, connection.execute_wrapper(self._statement):
            patch.setattr(connection, "_commit", self._counting(connection._commit))  # type: ignore[attr-defined]
            patch.setattr(Transport, "send", self._watching(Transport.send))
            yield self

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(BOOKKEEPING):
            self.statements.append(sql)
        return execute(sql, params, many, context)

    def _counting(self, commit: Callable[[], None]) -> Callable[[], None]:
        def counted() -> None:
            self.commits += 1
            commit()

        return counted

    def _watching(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            is_open, before = connection.in_atomic_block, len(self.statements)
            try:
                return send(*args, **kwargs)
            finally:
                self.during_exchanges.append((is_open, len(self.statements) - before))

        return watched


@pytest.fixture
def meter() -> Meter:
    return Meter()


QUIET = (False, 0)


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
