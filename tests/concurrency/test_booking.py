"""P2, P3, P4, P6 with many workers: every answer is booked once, the right way round, and told once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)


def come_back(payment: Payment) -> str:
    """Return where the return view sends the customer."""
    return str(Client().get(f"/flowlix/return/{payment.return_token}/").headers["Location"])


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def changes_to(status: str) -> int:
    return StatusChange.objects.filter(to_status=status).exclude(from_status=status).count()


def paid_twice(emulator: EmulatorServer) -> tuple[Payment, Payment]:
    """Return two attempts for one order and one amount, both paid at the gateway, neither success seen yet."""
    first = start_payment(a_request())
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    sync_payment(first)
    second = start_payment(a_request())
    for payment in (first, second):
        emulator.pay(payment.gateway_id)
    return first, second


def test_s8_two_successes_at_once_one_is_booked_the_other_is_flagged(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    payments = paid_twice(emulator)
    deliveries.clear()
    gates = [hold("GET", answered=True), hold("GET", answered=True)]
    looks = [workers.start(partial(sync_payment, fresh(payment))) for payment in payments]
    with gates[0].held(), gates[1].held():
        pass  # both know the answer, neither has booked it

    assert [outcome(look).status for look in looks] == ["succeeded"] * 2
    assert sorted(Payment.objects.values_list("review_reason", flat=True)) == ["", "second_success"]
    booked = Payment.objects.get(paid_order_reference="1001")
    flagged = Payment.objects.get(review_reason="second_success")
    assert booked.pk != flagged.pk
    assert sorted(deliveries) == [("payment_needs_review", flagged.pk), ("payment_succeeded", booked.pk)]


def test_s8_many_workers_see_two_successes(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]]
) -> None:
    first, second = paid_twice(emulator)
    deliveries.clear()
    workers.together(*[lambda payment=payment: sync_payment(fresh(payment)) for payment in [first, second] * 5])
    assert Payment.objects.filter(status="succeeded").count() == 2
    assert Payment.objects.filter(paid_order_reference="1001").count() == 1
    assert sorted(signal for signal, _ in deliveries) == ["payment_needs_review", "payment_succeeded"]


def test_s5_attempt_that_is_replaced_while_its_success_is_fetched_is_left_to_a_person(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    old = start_payment(a_request())
    gate = hold("GET", answered=True)
    emulator.pay(old.gateway_id)
    look = workers.start(lambda: sync_payment(fresh(old)))
    with gate.held():
        emulator.fault("retrieve", "status_before", status=400)  # the new start cannot see the success
        Payment.objects.filter(pk=old.pk).update(last_synced_at=None)
        new = start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    outcome(look)

    assert new.amount_minor == 5999
    assert (fresh(old).status, fresh(old).review_reason) == ("succeeded", "superseded_success")
    assert deliveries == [("payment_needs_review", old.pk)]


def test_attempt_that_is_replaced_while_its_decline_is_fetched_says_nothing_about_the_order(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    old = start_payment(a_request())
    gate = hold("GET", answered=True)
    emulator.decline(old.gateway_id)
    look = workers.start(lambda: sync_payment(fresh(old)))
    with gate.held():
        emulator.fault("retrieve", "status_before", status=400)
        Payment.objects.filter(pk=old.pk).update(last_synced_at=None)
        start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    outcome(look)
    assert fresh(old).status == "failed"
    assert deliveries == []


@pytest.mark.parametrize("visitors", [2, 10])
def test_f5_parallel_returns_ask_once_book_once_tell_once(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]], visitors: int
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    Payment.objects.update(last_synced_at=None)
    places = workers.together(*[lambda: come_back(payment)] * visitors)

    waiting, result = f"/flowlix/pending/{payment.return_token}/", f"/flowlix/result/{payment.return_token}/"
    assert set(places) <= {waiting, result}
    assert result in places
    assert len(emulator.log("retrieve")) == 1
    assert changes_to("succeeded") == 1
    assert deliveries == [("payment_succeeded", payment.pk)]


def test_return_racing_sync_is_one_change_told_once(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    Payment.objects.update(last_synced_at=None)
    gates = [hold("GET", answered=True), hold("GET", answered=True)]
    returning = workers.start(lambda: come_back(payment))
    gates[0].wait_for_arrival()
    syncing = workers.start(lambda: Run().execute())
    with gates[0].held(), gates[1].held():
        pass  # both know of the success

    assert outcome(returning) == f"/flowlix/result/{payment.return_token}/"
    assert outcome(syncing).failed == 0
    assert changes_to("succeeded") == 1
    assert deliveries == [("payment_succeeded", payment.pk)]
    assert not StatusChange.objects.exclude(deliver_at=None).exists()


@pytest.mark.parametrize("answer", ["pending", "failed"])
def test_p4_i16_answer_that_is_older_than_the_booked_success_is_ignored(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
    answer: str,
) -> None:
    payment = start_payment(a_request())
    gate = hold("GET", answered=True)
    emulator.fault("retrieve", "override", fields={"status": answer})
    look = workers.start(lambda: sync_payment(fresh(payment)))
    with gate.held():
        emulator.pay(payment.gateway_id)
        booked = sync_payment(fresh(payment))
    outcome(look)

    after = fresh(payment)
    assert (after.status, after.gateway_status) == ("succeeded", "succeeded")
    assert after.next_sync_at == booked.next_sync_at, "tomorrow, for refunds"
    assert deliveries == [("payment_succeeded", payment.pk)]


def test_answer_that_is_older_than_a_refund_does_not_take_it_back(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate]
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    gate = hold("GET", answered=True)
    look = workers.start(lambda: sync_payment(fresh(payment)))
    with gate.held():
        emulator.refund(payment.gateway_id)
        sync_payment(fresh(payment))
    outcome(look)
    assert fresh(payment).amount_refunded_minor == 4999


def test_s9_mismatch_that_two_workers_see_at_once_is_told_once(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    emulator.fault("retrieve", "override", fields={"amount": 1}, times=2)
    gates = [hold("GET", answered=True), hold("GET", answered=True)]
    looks = [workers.start(lambda: sync_payment(fresh(payment))) for _ in gates]
    with gates[0].held(), gates[1].held():
        pass
    assert [outcome(look).status for look in looks] == ["pending"] * 2
    assert deliveries == [("payment_needs_review", payment.pk)]


def test_n14_answer_that_is_older_than_the_booked_decline_is_ignored(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], deliveries: list[tuple[str, int]]
) -> None:
    payment = start_payment(a_request())
    gate = hold("GET", answered=True)
    look = workers.start(lambda: sync_payment(fresh(payment)))
    with gate.held():
        emulator.decline(payment.gateway_id)
        sync_payment(fresh(payment))
        again = start_payment(a_request())
    outcome(look)

    assert fresh(payment).status == "failed"
    assert again.attempt == 2
    assert Payment.objects.filter(open_order_reference="1001").get() == again
    assert deliveries == [("payment_failed", payment.pk)]


def test_success_that_arrives_while_the_next_attempt_starts_is_booked_and_the_next_is_flagged_when_paid(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
    fake_clock: FakeClock,
) -> None:
    first = start_payment(a_request())
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    sync_payment(first)
    deliveries.clear()
    gate = hold("POST")
    starting = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        emulator.pay(first.gateway_id)
        sync_payment(fresh(first))
    second = outcome(starting)
    assert deliveries == [("payment_succeeded", first.pk)]

    emulator.pay(second.gateway_id)
    fake_clock.advance(minutes=1)
    Run().execute()
    assert (fresh(second).status, fresh(second).review_reason) == ("succeeded", "second_success")
    assert deliveries == [("payment_succeeded", first.pk), ("payment_needs_review", second.pk)]


def test_d3_everything_at_once_never_ends_in_a_deadlock(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]]
) -> None:
    """Starts, looks, returns and background runs over the same few orders, all at the same moment."""
    payments = [start_payment(a_request(order_reference=f"order {number}")) for number in range(3)]
    for payment in payments:
        emulator.pay(payment.gateway_id)
    Payment.objects.update(last_synced_at=None)
    works: list[Callable[[], Any]] = [lambda: Run().execute()] * 4
    for payment in payments:
        works.append(partial(come_back, payment))
        works.append(partial(sync_payment, fresh(payment)))
        works.append(partial(start_payment, a_request(order_reference=payment.order_reference)))
    results = workers.together(*works)

    unexpected = [r for r in results if isinstance(r, BaseException) and type(r).__name__ != "AlreadyPaid"]
    assert unexpected == []
    assert [report.errors for report in results[:4]] == [[]] * 4
    assert Payment.objects.filter(status="succeeded").count() == changes_to("succeeded") == 3
    assert sorted(deliveries) == sorted(("payment_succeeded", payment.pk) for payment in payments)
