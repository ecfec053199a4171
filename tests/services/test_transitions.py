"""The table of transitions, and the compare-and-set that obeys it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import OperationalError

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment, transitions
from django_flowlix.statuses import PaymentStatus, may_follow
from tests.conftest import a_request

WAITING = {"pending", "requires_action", "processing"}
ENDED = {"failed", "canceled", "expired"}
# Written out by hand from the design, not derived from the code.
ALLOWED = {
    *itertools.product({"created"}, WAITING | ENDED | {"succeeded", "rejected"}),
    *itertools.permutations(WAITING, 2),
    *itertools.product(WAITING, ENDED | {"succeeded"}),
    *itertools.product(ENDED | {"rejected"}, {"succeeded"}),
}


@pytest.mark.parametrize(("current", "following"), list(itertools.product(PaymentStatus.values, repeat=2)))
def test_table(current: str, following: str) -> None:
    assert may_follow(current, following) is ((current, following) in ALLOWED)


def move(payment: Payment, to: PaymentStatus | None) -> StatusChange | None:
    return transitions.apply(payment, transitions.Decision(source="sync", to=to), also=lambda: None)


@pytest.mark.django_db
def test_s12_loser_of_a_race_decides_anew_on_the_row_as_it_is(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    stale = Payment.objects.get()
    assert move(payment, PaymentStatus.SUCCEEDED) is not None
    assert move(stale, PaymentStatus.FAILED) is None
    assert stale.status == "succeeded"
    assert Payment.objects.get().status == "succeeded"


@pytest.mark.django_db
def test_staying_never_moves_a_row_that_others_have_moved(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    stale = Payment.objects.get()
    move(payment, PaymentStatus.PROCESSING)
    assert move(stale, None) is None
    assert Payment.objects.get().status == "processing"


@pytest.mark.django_db
def test_s13_processing_and_requires_action_alternate(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    for status in (PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING):
        assert move(payment, status) is not None
    assert list(StatusChange.objects.order_by("pk").values_list("to_status", flat=True)) == [
        "pending",
        "processing",
        "requires_action",
        "processing",
    ]


@pytest.mark.django_db
def test_open_slot_is_freed_by_every_end(emulator: EmulatorServer) -> None:
    for number, end in enumerate(["succeeded", "failed", "canceled", "expired"]):
        payment = start_payment(a_request(order_reference=str(number)))
        assert payment.open_order_reference == str(number)
        move(payment, PaymentStatus(end))
        stored = Payment.objects.get(pk=payment.pk)
        assert stored.open_order_reference is None
        assert stored.paid_order_reference == (str(number) if end == "succeeded" else None)


@pytest.mark.django_db
def test_what_belongs_to_the_change_is_rolled_back_with_it(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())

    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        transitions.apply(payment, transitions.Decision(source="sync", to=PaymentStatus.SUCCEEDED), also=fail)
    assert Payment.objects.get().status == payment.status == "pending"


class FakeDeadlockError(Exception):
    sqlstate = "40P01"


def deadlock(cause: Exception) -> OperationalError:
    error = OperationalError("deadlock")
    error.__cause__ = cause
    return error


@pytest.mark.django_db
@pytest.mark.parametrize("cause", [FakeDeadlockError(), Exception(1213, "Deadlock found")])
def test_d1_deadlock_repeats_the_database_step_only(emulator: EmulatorServer, cause: Exception) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    victims = [deadlock(cause)]
    real_record = transitions._record

    def record(*args: Any) -> StatusChange:
        change = real_record(*args)
        if victims:
            raise victims.pop()
        return change

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transitions, "_record", record)
        sync_payment(payment)
    assert Payment.objects.get().status == "succeeded"
    assert StatusChange.objects.filter(to_status="succeeded").count() == 1
    assert ApiCall.objects.filter(operation="retrieve").count() == len(emulator.log("retrieve")) == 1


@pytest.mark.django_db
def test_d5_database_that_is_down_is_not_asked_again_and_again(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    tries = []

    def fail() -> None:
        tries.append(1)
        raise deadlock(Exception(2006, "server has gone away"))

    with pytest.raises(OperationalError):
        transitions.apply(payment, transitions.Decision(source="sync", to=PaymentStatus.SUCCEEDED), also=fail)
    assert tries == [1]
