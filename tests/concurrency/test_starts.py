"""P1 with many workers: one attempt for an order is one POST's worth of payment, and everybody gets its page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.api import Money
from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import AlreadyPaid, PaymentError, PaymentUnavailable, PaymentUnconfirmed
from django_flowlix.models import Payment
from django_flowlix.services import clock, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock, a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)

DEARER = Money.from_major("59.99", "EUR")


def creates(emulator: EmulatorServer) -> list[tuple[str | None, str]]:
    return [(entry.idempotency_key, entry.body) for entry in emulator.log("create_hosted")]


def keys_at_the_gateway(emulator: EmulatorServer) -> list[str]:
    return sorted(payment.metadata["idempotency_key"] for payment in emulator.payments())


def test_i1_double_click_is_one_post_and_one_page(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], polling: threading.Event
) -> None:
    gate = hold("POST")
    first = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        second = workers.start(lambda: start_payment(a_request()))
        assert polling.wait(10), "the second click waits for the first"

    pages = {outcome(first).hosted_page_url, outcome(second).hosted_page_url}
    assert pages == {emulator.payments()[0].hosted_page_url}
    assert len(creates(emulator)) == 1
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("clicks", [2, 12])
def test_i2_i3_tabs_and_workers_at_the_same_moment_share_the_attempt(
    emulator: EmulatorServer, workers: Workers, clicks: int
) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=0.2)
    started = workers.together(*[lambda: start_payment(a_request())] * clicks)

    assert {payment.hosted_page_url for payment in started} == {emulator.payments()[0].hosted_page_url}
    assert len(creates(emulator)) == 1
    assert Payment.objects.get().status == "pending"


def test_i3_different_orders_do_not_get_into_each_others_way(emulator: EmulatorServer, workers: Workers) -> None:
    references = [f"order {number}" for number in range(12)]
    started = workers.together(
        *[lambda reference=reference: start_payment(a_request(order_reference=reference)) for reference in references]
    )

    assert [payment.order_reference for payment in started] == references
    for payment in started:
        held = next(p for p in emulator.payments() if p.id == payment.gateway_id)
        assert held.metadata["order_reference"] == payment.order_reference
    assert len(creates(emulator)) == len(set(creates(emulator))) == 12


def test_orders_that_differ_in_case_are_two_orders_on_every_database(
    emulator: EmulatorServer, workers: Workers
) -> None:
    references = ["A1", "a1", "Ä1", "ä1", "ß", "ss"]
    started = workers.together(
        *[lambda reference=reference: start_payment(a_request(order_reference=reference)) for reference in references]
    )
    assert [payment.order_reference for payment in started] == references
    assert len({payment.hosted_page_url for payment in started}) == len(references)
    assert len(set(keys_at_the_gateway(emulator))) == len(references)

    emulator.pay(started[0].gateway_id)
    Run().execute()
    assert list(Payment.objects.filter(status="succeeded").values_list("order_reference", flat=True)) == ["A1"]


class WorkerDied(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


@pytest.mark.parametrize("sent", [False, True])
def test_c2_c3_worker_that_dies_in_flight_is_replaced_by_the_one_that_waits(
    emulator: EmulatorServer,
    workers: Workers,
    fake_clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    *,
    sent: bool,
) -> None:
    gate, real_send = Gate(), Transport.send

    def send_and_die(self: Transport, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(Transport, "send", real_send)
        if sent:
            real_send(self, *args, **kwargs)
        gate.pass_through()
        raise WorkerDied

    monkeypatch.setattr(Transport, "send", send_and_die)
    first = workers.start(lambda: start_payment(a_request()))
    waits = threading.Event()

    def sleep(seconds: float) -> None:
        waits.set()
        fake_clock.sleep(seconds)

    monkeypatch.setattr(clock, "sleep", sleep)
    with gate.held():
        second = workers.start(lambda: start_payment(a_request()))
        assert waits.wait(10)

    assert isinstance(outcome(first), WorkerDied)
    payment = outcome(second)
    assert payment.hosted_page_url == emulator.payments()[0].hosted_page_url
    assert len(set(creates(emulator))) == 1
    assert len(emulator.payments()) == Payment.objects.count() == 1


def test_s5_changed_amount_overtakes_a_start_in_flight(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
) -> None:
    gate = hold("POST")
    first = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        dear = outcome(workers.start(lambda: start_payment(a_request(amount=DEARER))))
    cheap = outcome(first)

    assert (cheap.amount_minor, dear.amount_minor) == (4999, 5999)
    assert cheap.hosted_page_url != dear.hosted_page_url
    cheap.refresh_from_db()
    assert (cheap.status, cheap.open_order_reference, dear.open_order_reference) == ("pending", None, "1001")
    assert cheap.next_sync_at is not None, "it stays watched"

    emulator.pay(cheap.gateway_id)
    Run().execute()
    cheap.refresh_from_db()
    assert (cheap.status, cheap.review_reason) == ("succeeded", "superseded_success")
    assert deliveries == [("payment_needs_review", cheap.pk)]


def test_s5_two_amounts_in_a_race_leave_one_open_attempt_and_no_wrong_page(
    emulator: EmulatorServer, workers: Workers
) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=0.1, times=3)
    amounts = [Money.from_major("49.99", "EUR"), DEARER] * 4
    started = workers.together(*[lambda amount=amount: start_payment(a_request(amount=amount)) for amount in amounts])

    for amount, result in zip(amounts, started, strict=True):
        if isinstance(result, BaseException):
            assert isinstance(result, PaymentUnconfirmed), result
        else:
            held = next(p for p in emulator.payments() if p.id == result.gateway_id)
            assert (result.amount, held.amount_minor) == (amount, amount.amount_minor)
            assert result.hosted_page_url == held.hosted_page_url
    assert Payment.objects.filter(open_order_reference="1001").count() == 1
    assert not Payment.objects.filter(open_order_reference=None, superseded_at=None).exists()
    assert len(set(creates(emulator))) == len({key for key, _ in creates(emulator)}), "one body per key"
    assert len(set(keys_at_the_gateway(emulator))) == len(keys_at_the_gateway(emulator))


def test_slow_refusal_does_not_undo_what_the_worker_that_took_over_has_sent(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], fake_clock: FakeClock
) -> None:
    """The first worker's own request did nothing, the second's is unknown: the order is unknown, not given up."""
    gate = hold("POST", answered=True)
    emulator.fault("create_hosted", "status_before", status=401)
    emulator.fault("create_hosted", "drop_after", times=4)
    first = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        second = outcome(workers.start(lambda: start_payment(a_request())))
    assert isinstance(second, PaymentUnconfirmed)
    assert isinstance(outcome(first), PaymentError)
    assert Payment.objects.get().is_unconfirmed

    fake_clock.advance(minutes=31)
    Run().execute()
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id) == ("pending", emulator.payments()[0].id)


def test_slow_refusal_of_a_start_that_nobody_else_sent_is_still_definite(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], polling: threading.Event
) -> None:
    gate = hold("POST", answered=True)
    emulator.fault("create_hosted", "status_before", status=401)
    first = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        second = workers.start(lambda: start_payment(a_request()))
        assert polling.wait(10)
    assert isinstance(outcome(first), PaymentUnavailable)
    assert outcome(second).status == "pending"
    assert len(emulator.payments()) == 1


def test_slow_start_whose_payment_is_paid_meanwhile_sends_nobody_to_pay_again(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], fake_clock: FakeClock
) -> None:
    gate = hold("POST", answered=True)
    first = workers.start(lambda: start_payment(a_request()))
    with gate.held():
        second = outcome(workers.start(lambda: start_payment(a_request())))
        emulator.pay(second.gateway_id)
        sync_payment(second)
    assert isinstance(outcome(first), AlreadyPaid)
    assert len(emulator.payments()) == 1


def test_i9_n15_list_does_not_prove_the_absence_of_a_request_that_is_still_under_way(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], fake_clock: FakeClock, settings: Any
) -> None:
    """A rolling deployment with a new API key: the new worker cannot replay, and the list cannot know yet."""
    gate = hold("POST")
    first = workers.start(lambda: start_payment(a_request()))
    gate.wait_for_arrival()
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}2"}}
    with gate.held():
        second = outcome(workers.start(lambda: start_payment(a_request())))
    assert isinstance(second, PaymentUnconfirmed)
    assert outcome(first).hosted_page_url == emulator.payments()[0].hosted_page_url
    assert len(emulator.payments()) == Payment.objects.count() == 1
