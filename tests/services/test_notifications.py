"""The outbox: every receiver once per change, whatever raises or dies in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.dispatch import Signal

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.notifications import deliver
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_succeeded
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db(transaction=True)


class BrokenError(Exception):
    pass


@pytest.fixture
def connect() -> Iterator[Callable[[Any], Any]]:
    connected: list[Any] = []

    def connect_one(receiver: Any) -> Any:
        payment_succeeded.connect(receiver, weak=False)
        connected.append(receiver)
        return receiver

    yield connect_one
    for receiver in connected:
        payment_succeeded.disconnect(receiver)


def paid(emulator: EmulatorServer) -> Payment:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    return sync_payment(payment)


def the_change() -> StatusChange:
    return StatusChange.objects.get(signal="payment_succeeded")


def test_receiver_gets_payment_and_change_inside_its_transaction(
    emulator: EmulatorServer, connect: Callable[[Any], Any]
) -> None:
    seen: list[tuple[Any, ...]] = []

    def receiver(sender: Any, payment: Payment, change: StatusChange, **kwargs: Any) -> None:
        seen.append((sender, payment.status, change.to_status))

    connect(receiver)
    paid(emulator)
    assert seen == [(Payment, "succeeded", "succeeded")]
    change = the_change()
    assert change.delivered_at is not None
    assert change.deliver_at is None


def test_p6_delivered_change_is_not_delivered_again(emulator: EmulatorServer, connect: Callable[[Any], Any]) -> None:
    calls: list[int] = []
    connect(lambda **kwargs: calls.append(1))
    paid(emulator)
    assert deliver(the_change())
    Run().execute()
    assert calls == [1]


def test_p6_stale_copy_of_a_change_does_not_call_twice(emulator: EmulatorServer, connect: Callable[[Any], Any]) -> None:
    calls: list[int] = []
    paid(emulator)
    StatusChange.objects.update(delivered_at=None, delivered_to="")
    stale = the_change()
    connect(lambda **kwargs: calls.append(1))
    assert deliver(the_change())
    assert not deliver(stale), "the other worker's note is found"
    assert calls == [1]


def test_s14_raising_receiver_is_undone_and_called_again_the_others_run(
    emulator: EmulatorServer, connect: Callable[[Any], Any], fake_clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True
    calls: list[str] = []

    def analytics(**kwargs: Any) -> None:
        calls.append("analytics")
        Group.objects.create(name="counted")
        if broken:
            raise BrokenError("no connection")

    def fulfilment(**kwargs: Any) -> None:
        calls.append("fulfilment")
        Group.objects.create(name="shipped")

    connect(analytics)
    connect(fulfilment)
    payment = paid(emulator)

    assert payment.status == "succeeded", "the money is booked before and without the merchant's code"
    assert set(Group.objects.values_list("name", flat=True)) == {"shipped"}
    change = the_change()
    assert (change.delivery_attempts, change.delivered_at) == (1, None)
    assert "BrokenError: no connection" in change.last_error

    Run().execute()
    broken = False
    Run().execute()
    assert calls == ["analytics", "fulfilment", "analytics"], "not before its time"
    fake_clock.advance(minutes=2)
    Run().execute()
    assert calls == ["analytics", "fulfilment", "analytics", "analytics"]
    assert Group.objects.count() == 2
    assert the_change().delivered_at is not None


def test_receiver_that_keeps_raising_is_called_in_growing_pauses(
    emulator: EmulatorServer, connect: Callable[[Any], Any], fake_clock: FakeClock
) -> None:
    def broken(**kwargs: Any) -> None:
        raise BrokenError

    connect(broken)
    paid(emulator)
    pauses = []
    for _ in range(3):
        due = the_change().deliver_at
        assert due is not None
        pauses.append((due - fake_clock.now()).total_seconds())
        fake_clock.advance(seconds=pauses[-1])
        Run().execute()
    assert pauses == [0, 60, 120]


def test_receivers_made_by_one_factory_are_told_apart(emulator: EmulatorServer, connect: Callable[[Any], Any]) -> None:
    calls: list[str] = []

    def make(name: str) -> Callable[..., None]:
        def receiver(**kwargs: Any) -> None:
            calls.append(name)

        return receiver

    for name in ("first", "second"):
        connect(make(name))
    paid(emulator)
    assert calls == ["first", "second"]


def test_async_receiver_is_awaited(emulator: EmulatorServer, connect: Callable[[Any], Any]) -> None:
    calls: list[str] = []

    async def receiver(payment: Payment, **kwargs: Any) -> None:
        calls.append(payment.status)

    connect(receiver)
    paid(emulator)
    assert calls == ["succeeded"]


def test_change_without_receivers_is_settled(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    emulator.cancel(payment.gateway_id)
    sync_payment(payment)
    change = StatusChange.objects.exclude(signal="").get()
    assert change.delivered_at is not None


def test_the_private_api_of_django_that_the_outbox_stands_on() -> None:
    """`Signal.send` calls all receivers in one go; the outbox needs each by itself, and Django offers no public list.

    `_live_receivers(sender)` returns two lists, the synchronous and the asynchronous receivers, without dead ones and
    those of other senders. A version of Django that changes this is to fail here and not in a shop.
    """
    signal = Signal()

    def of_payments(**kwargs: Any) -> None: ...

    def of_groups(**kwargs: Any) -> None: ...

    async def of_all(**kwargs: Any) -> None: ...

    def dead(**kwargs: Any) -> None: ...

    signal.connect(of_payments, sender=Payment)
    signal.connect(of_groups, sender=Group)
    signal.connect(of_all)
    signal.connect(dead)
    del dead

    assert signal._live_receivers(Payment) == ([of_payments], [of_all])
    assert signal._live_receivers(Group) == ([of_groups], [of_all])
