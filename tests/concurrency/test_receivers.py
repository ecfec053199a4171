"""P6: the merchant's code runs exactly once per change, as far as the merchant's own database can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import notifications, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_succeeded
from tests.conftest import FakeClock, a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)

Receiver = Callable[..., None]


@pytest.fixture
def connect() -> Iterator[Callable[[str, Receiver], Receiver]]:
    """Connect a receiver under a name of its own."""
    connected = []

    def do(name: str, receiver: Receiver) -> Receiver:
        receiver.__qualname__ = name
        payment_succeeded.connect(receiver, weak=False)
        connected.append(receiver)
        return receiver

    yield do
    for receiver in connected:
        payment_succeeded.disconnect(receiver)


def writes(text: str) -> Receiver:
    """Return a receiver that leaves one more row behind each time it runs."""

    def receiver(sender: Any, payment: Payment, **kwargs: Any) -> None:
        Group.objects.create(name=f"{text} {Group.objects.count()}")

    return receiver


def rows(text: str) -> int:
    return Group.objects.filter(name__startswith=f"{text} ").count()


def paid(emulator: EmulatorServer) -> Payment:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    return payment


def test_s14_receiver_that_raises_is_undone_and_repeated_and_the_others_run_once(
    emulator: EmulatorServer, fake_clock: FakeClock, connect: Callable[[str, Receiver], Receiver]
) -> None:
    faults = [RuntimeError("mail server"), IntegrityError("stock"), None]
    write = writes("flaky")

    def flaky(**kwargs: Any) -> None:
        write(**kwargs)
        if fault := faults.pop(0):
            raise fault

    connect("first", writes("first"))
    connect("flaky", flaky)
    connect("last", writes("last"))
    sync_payment(paid(emulator))
    for _ in range(4):
        fake_clock.advance(hours=1)
        Run().execute()

    assert faults == []
    assert (rows("first"), rows("flaky"), rows("last")) == (1, 1, 1)
    change = StatusChange.objects.get(signal="payment_succeeded")
    assert (change.delivery_attempts, change.deliver_at) == (2, None)
    assert change.delivered_at is not None


def test_s14_receiver_that_swallows_a_database_error_is_told_apart_from_one_that_worked(
    emulator: EmulatorServer, fake_clock: FakeClock, connect: Callable[[str, Receiver], Receiver]
) -> None:
    """Its transaction is broken and rolled back at the end, without an error that anybody sees."""
    Group.objects.create(name="taken")
    attempts = []

    def swallows(**kwargs: Any) -> None:
        attempts.append(kwargs["payment"].pk)
        Group.objects.create(name=f"undone {len(attempts)}")
        if len(attempts) == 1:
            try:
                Group.objects.create(name="taken")
            except IntegrityError:
                return

    connect("swallows", swallows)
    connect("last", writes("last"))
    sync_payment(paid(emulator))
    change = StatusChange.objects.get(signal="payment_succeeded")
    assert (rows("undone"), rows("last")) == (0, 1)
    assert "swallows" in change.last_error
    assert change.delivered_at is None

    fake_clock.advance(hours=1)
    Run().execute()
    change.refresh_from_db()
    assert (rows("undone"), rows("last"), len(attempts)) == (1, 1, 2)
    assert change.delivered_at is not None


def test_c7_receivers_run_once_however_many_workers_deliver(
    emulator: EmulatorServer,
    workers: Workers,
    connect: Callable[[str, Receiver], Receiver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("first", "second", "third"):
        connect(name, writes(name))
    with monkeypatch.context() as died_before:
        died_before.setattr(notifications, "deliver", lambda change: False)
        sync_payment(paid(emulator))
    change = StatusChange.objects.get(signal="payment_succeeded")
    copies = [StatusChange.objects.get(pk=change.pk) for _ in range(6)]
    results = workers.together(*[lambda copy=copy: notifications.deliver(copy) for copy in copies])

    assert [result for result in results if isinstance(result, BaseException)] == []
    Run().execute()  # whatever stood back is finished by the next run
    assert (rows("first"), rows("second"), rows("third")) == (1, 1, 1)
    change.refresh_from_db()
    assert change.delivered_at is not None
    told = sorted(name.rpartition(".")[2] for name in change.delivered_to.split())
    assert told == ["book_payment", "first", "second", "third"], "the shop's own, and these"


def test_receiver_in_progress_is_not_started_by_the_background(
    emulator: EmulatorServer,
    workers: Workers,
    connect: Callable[[str, Receiver], Receiver],
) -> None:
    gate, write = Gate(), writes("slow")

    def slow(**kwargs: Any) -> None:
        gate.pass_through()  # before its first statement: SQLite has one writer, and the claim holds it already
        write(**kwargs)

    connect("slow", slow)
    connect("last", writes("last"))
    payment = paid(emulator)
    look = workers.start(lambda: sync_payment(payment))
    gate.wait_for_arrival()
    run = workers.start(lambda: Run().execute())
    gate.opened.set()

    assert outcome(look).status == "succeeded"
    assert outcome(run).failed == 0
    Run().execute()
    assert (rows("slow"), rows("last")) == (1, 1)
    assert not StatusChange.objects.exclude(deliver_at=None).exists()
