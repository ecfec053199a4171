"""What a refund may cost, what its receivers get, and that a look at a payment without refunds costs nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.dispatch import Signal

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import RefundRejected
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import refund_failed, refund_succeeded
from tests.conftest import FakeClock
from tests.meter import QUIET, Meter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meter() -> Meter:
    ContentType.objects.get_for_model(Payment)
    return Meter()


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_a_refund_costs_2_commits_and_1_request(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    meter: Meter,
    monkeypatch: pytest.MonkeyPatch,
    contract: str,
) -> None:
    payment = make_paid(gateway_of(contract))
    with meter.running(monkeypatch):
        refund_payment(payment, reason="sent back")

    # Without receivers: the reservation, and the result with the exchange behind it.
    assert meter.during_exchanges == [QUIET]
    told = contract == "eu"
    assert meter.commits == 2 + told, "and one to note that nobody had to be told"
    assert len(meter.statements) <= 15 + 2 * told, meter.statements


def test_request_and_reading_share_one_deadline(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    fake_clock: FakeClock,
    settings: Any,
) -> None:
    """A web worker is killed after 30 seconds: two calls of 20 would be too much."""
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETRY_BUDGET": 8}}
    gateway.fault("refund", "status_before", status=503, times=3)
    gateway.fault("refund", "status_before", status=422)
    gateway.fault("retrieve", "status_before", status=503, times=9)
    fake_clock.slept.clear()
    assert refund_payment(payment, reason="sent back").status == "created"
    assert 7 <= sum(fake_clock.slept) < 8.5


def test_a_paid_payment_is_looked_at_for_five_statements(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    meter: Meter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payment = make_paid(gateway_of("dev"))
    with meter.running(monkeypatch):
        sync_payment(payment)
    assert len(meter.statements) <= 5, meter.statements  # the claim, the pause, the row, the exchange, the refunds


# --- The merchant's code --------------------------------------------------------------------------------------


@pytest.fixture
def connect() -> Iterator[Callable[[Signal, Any], None]]:
    connected: list[tuple[Signal, Any]] = []

    def connect_one(signal: Signal, receiver: Any) -> None:
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield connect_one
    for signal, receiver in connected:
        signal.disconnect(receiver)
        signal.disconnect(receiver, sender=Refund)


def test_p6_receivers_get_refund_payment_and_change_once(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    fake_clock: FakeClock,
    connect: Callable[[Signal, Any], None],
) -> None:
    told: list[tuple[Any, ...]] = []

    def receiver(sender: Any, payment: Payment, refund: Refund, change: StatusChange, **kwargs: Any) -> None:
        told.append((sender, payment.amount_refunded_minor, refund.status, change.to_status))

    connect(refund_succeeded, receiver)
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    refund_payment(payment, reason="sent back")
    for _ in range(2):
        sync_payment(payment)
        fake_clock.advance(hours=1)
        Run().execute()

    assert told == [(Refund, 4999, "succeeded", "succeeded")]


def test_p6_a_receiver_that_raises_is_called_again_and_does_not_undo_the_refund(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    fake_clock: FakeClock,
    connect: Callable[[Signal, Any], None],
) -> None:
    tries: list[int] = []

    def receiver(**kwargs: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("the warehouse is closed")

    connect(refund_succeeded, receiver)
    payment = make_paid(gateway_of("eu"))
    assert refund_payment(payment, reason="sent back").status == "succeeded"
    fake_clock.advance(minutes=1)
    Run().execute()
    Run().execute()
    assert len(tries) == 2


def test_p6_who_waits_for_failures_is_told_at_once(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    connect: Callable[[Signal, Any], None],
) -> None:
    told: list[str] = []
    connect(refund_failed, lambda refund, **kwargs: told.append(refund.status))
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason="sent back")
    assert told == ["failed"]


def test_a_receiver_of_refunds_alone_may_be_connected_by_sender(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    connect: Callable[[Signal, Any], None],
) -> None:
    told: list[str] = []

    def receiver(refund: Refund, **kwargs: Any) -> None:
        told.append(refund.status)

    gateway = gateway_of("eu")
    connect(refund_failed, lambda **kwargs: told.append("failed"))
    refund_succeeded.connect(receiver, sender=Refund, weak=False)
    connect(refund_succeeded, receiver)
    refund_succeeded.disconnect(receiver)
    refund_payment(make_paid(gateway), reason="sent back")
    assert told == ["succeeded"]
