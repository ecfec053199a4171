"""Asking the gateway while a person waits: at once for what time allows, by the background for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, start_payment
from django_flowlix.services.asking import AskReport, ask_now
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock, a_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(gateway_of: Callable[[str], EmulatorServer]) -> EmulatorServer:
    return gateway_of("dev")


def started(count: int) -> list[Payment]:
    return [start_payment(a_request(order_reference=str(number))) for number in range(count)]


def operations(gateway: EmulatorServer) -> list[str | None]:
    return [entry.operation for entry in gateway.log() if entry.operation != "create_hosted"]


def counts(report: AskReport) -> tuple[int, int, int, int]:
    return report.changed, report.unchanged, report.failed, report.left


def test_one_payment_is_asked_about_whenever_it_is_due(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    (payment,) = started(1)
    gateway.pay(str(payment.gateway_id))
    fake_clock.advance(days=40)
    Payment.objects.update(next_sync_at=None)

    assert counts(ask_now([payment])) == (1, 0, 0, 0)
    assert StatusChange.objects.latest("pk").source == "admin"
    assert counts(ask_now([payment])) == (0, 1, 0, 0)
    assert operations(gateway) == ["retrieve", "retrieve"]


def test_many_cost_one_list_call_and_others_are_left_alone(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    payments = started(8)
    for payment in payments:
        gateway.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)

    assert counts(ask_now(payments[:6])) == (6, 0, 0, 0)
    assert operations(gateway) == ["list"]
    assert Payment.objects.filter(status="pending").count() == 2


def test_unknown_starts_and_refunds_are_finished(
    gateway: EmulatorServer, fake_clock: FakeClock, make_paid: Callable[..., Payment]
) -> None:
    paid = make_paid(gateway)
    gateway.fault("refund", "drop_after", times=4)
    refund_payment(paid, reason="lost")
    gateway.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request(order_reference="2"))

    report = ask_now([paid, Payment.objects.get(order_reference="2")])

    assert report.failed == report.left == 0
    assert Payment.objects.get(order_reference="2").status == "pending"
    assert Refund.objects.get().status == "pending"


@pytest.mark.parametrize("outcome", ["succeed", "fail"])
def test_a_refund_that_has_moved_is_a_change(
    gateway: EmulatorServer, fake_clock: FakeClock, make_paid: Callable[..., Payment], outcome: str
) -> None:
    payment = make_paid(gateway)
    refund = refund_payment(payment, reason="sent back")
    assert counts(ask_now([payment])) == (0, 1, 0, 0)
    gateway.finish_refund(str(refund.gateway_id), outcome)
    assert counts(ask_now([payment])) == (1, 0, 0, 0)


def test_what_ended_without_an_id_is_not_asked_about_for_ever(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    (payment,) = started(1)
    Payment.objects.update(status="rejected", gateway_id=None, next_sync_at=None)
    payment.refresh_from_db()
    assert counts(ask_now([payment])) == (0, 0, 0, 0)
    assert Run().count() == 0


def test_k5_faults_of_the_gateway_are_told_and_the_rest_is_left(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    payments = started(3)
    gateway.revoke_key(TEST_KEY)
    report = ask_now(payments)
    assert report.failed == 3
    assert len(report.errors) == 1
    assert "401" in report.errors[0]


def test_r7_time_is_up_while_the_gateway_is_slow(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    payments = started(3)
    gateway.fault("retrieve", "status_before", status=503, times=99)
    report = ask_now(payments, deadline_seconds=10)

    assert report.left + report.failed == 3
    assert report.left >= 1
    assert sum(fake_clock.slept) <= 20
    gateway.state.faults.clear()
    fake_clock.advance(minutes=1)
    assert Run().execute().failed == 0


def test_r6_the_checkout_keeps_its_requests(gateway: EmulatorServer, fake_clock: FakeClock, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"REQUESTS_PER_MINUTE": 4}}
    payments = started(4)
    report = ask_now(payments, deadline_seconds=5)
    assert report.left == 3
    assert operations(gateway) == ["retrieve"], "the one at hand is asked about, and no other"


def test_an_account_that_is_not_configured_is_told(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    (payment,) = started(1)
    Payment.objects.update(account="closed")
    report = ask_now([payment])
    assert report.failed == 1
    assert "closed" in report.errors[0]


def test_c11_inside_a_transaction_nothing_is_booked(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    (payment,) = started(1)
    gateway.pay(str(payment.gateway_id))
    with transaction.atomic():
        report = ask_now([payment])
    assert report.failed == 1
    assert "RuntimeError" in report.errors[0]
    assert Payment.objects.get().status == "pending"
