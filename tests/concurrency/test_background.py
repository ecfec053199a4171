"""Many background workers: each payment is taken by one, each unknown create is sent by one, receivers run once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)


def start_many(count: int) -> list[Payment]:
    return [start_payment(a_request(order_reference=f"order {number}")) for number in range(count)]


def test_d10_run_that_overtakes_another_asks_about_each_payment_once(
    emulator: EmulatorServer, workers: Workers, fake_clock: FakeClock
) -> None:
    start_many(3)
    fake_clock.advance(minutes=2)
    others: list[int] = []

    def overtake() -> None:
        if not others:
            others.append(outcome(workers.start(lambda: Run().execute())).unchanged)

    report = Run(on_progress=overtake).execute()
    assert (report.unchanged, others) == (1, [2])
    assert len(emulator.log("retrieve")) == 3


def test_d10_runs_at_the_same_moment_ask_about_each_payment_once(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]], fake_clock: FakeClock
) -> None:
    payments = start_many(4)
    for payment in payments[:2]:
        emulator.pay(payment.gateway_id)
    fake_clock.advance(minutes=2)
    reports = workers.together(*[lambda: Run().execute()] * 4)

    assert len(emulator.log("retrieve")) == 4
    assert sum(report.changed for report in reports) == 2
    assert sum(report.unchanged for report in reports) == 2
    assert [report.errors for report in reports] == [[]] * 4
    assert sorted(deliveries) == [("payment_succeeded", payment.pk) for payment in payments[:2]]


def test_runs_that_have_read_the_same_list_book_and_tell_once(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]], fake_clock: FakeClock
) -> None:
    payments = start_many(8)
    for payment in payments[:4]:
        emulator.pay(payment.gateway_id)
    fake_clock.advance(minutes=2)
    emulator.fault("list", "delay_after", delay_seconds=0.2)
    reports = workers.together(*[lambda: Run().execute()] * 3)

    assert sum(report.changed for report in reports) == 4
    assert emulator.log("retrieve") == []
    assert sorted(deliveries) == [("payment_succeeded", payment.pk) for payment in payments[:4]]
    assert StatusChange.objects.filter(to_status="succeeded").count() == 4


def test_list_read_before_another_worker_booked_the_success_changes_nothing(
    emulator: EmulatorServer,
    workers: Workers,
    hold: Callable[..., Gate],
    deliveries: list[tuple[str, int]],
    fake_clock: FakeClock,
) -> None:
    payments = start_many(5)
    fake_clock.advance(minutes=2)
    gate = hold("GET", answered=True)
    slow = workers.start(lambda: Run().execute())
    with gate.held():
        for payment in payments:
            emulator.pay(payment.gateway_id)
        assert Run().execute().changed == 5
    assert outcome(slow).errors == []
    tomorrow = fake_clock.current + timedelta(days=1)
    assert Payment.objects.filter(status="succeeded", next_sync_at=tomorrow).count() == 5, "looked at for refunds"
    assert sorted(deliveries) == [("payment_succeeded", payment.pk) for payment in payments]


def test_i3_unknown_create_is_sent_again_by_one_of_many_runs(
    emulator: EmulatorServer, workers: Workers, fake_clock: FakeClock
) -> None:
    for number in range(3):
        emulator.fault("create_hosted", "drop_after", times=4)
        with pytest.raises(PaymentUnconfirmed):
            start_payment(a_request(order_reference=f"order {number}"))
    sent_before = len(emulator.log("create_hosted"))
    fake_clock.advance(minutes=2)
    workers.together(*[lambda: Run().execute()] * 4)

    assert len(emulator.log("create_hosted")) == sent_before + 3
    assert Payment.objects.filter(status="pending").count() == len(emulator.payments()) == 3


def test_i5_click_while_a_run_sends_the_unknown_create_again_waits_for_it(
    emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate], fake_clock: FakeClock
) -> None:
    emulator.fault("create_hosted", "drop_before", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    fake_clock.advance(minutes=2)
    gate = hold("POST")
    run = workers.start(lambda: Run().execute())
    gate.wait_for_arrival()
    opens_the_gate = workers.start(lambda: None, gate.opened.set)
    clicked = outcome(workers.start(lambda: start_payment(a_request())))
    outcome(opens_the_gate)

    assert outcome(run).errors == []
    assert clicked.hosted_page_url == emulator.payments()[0].hosted_page_url
    assert len({(entry.idempotency_key, entry.body) for entry in emulator.log("create_hosted")}) == 1
    assert len(emulator.payments()) == 1
