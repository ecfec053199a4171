"""Which row an entry at the gateway belongs to, when several might do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from django_flowlix.api import GatewayPayment, GatewayRefund, GatewayRefundStatus, GatewayStatus
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import RefundRejected
from django_flowlix.models import Payment, Refund
from django_flowlix.services import refund_payment, sync_payment
from django_flowlix.services.refund_ledger import Settlement, settle
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment]) -> Payment:
    return make_paid(gateway_of("dev"))


@pytest.fixture
def a_refund(payment: Payment, fake_clock: FakeClock) -> Callable[..., Refund]:
    """A refund of ours over 10.00 EUR that was sent just now and has not been heard of."""

    def make(**changes: Any) -> Refund:
        values: dict[str, Any] = {
            "payment": payment,
            "account": "default",
            "sequence": Refund.objects.count() + 1,
            "amount_minor": 1000,
            "currency": "EUR",
            "exponent": 2,
            "reason": "torn",
            "source": "api",
            "idempotency_key": f"key {Refund.objects.count()}",
            "first_sent_at": fake_clock.now(),
            "created_at": fake_clock.now(),
        }
        return Refund.objects.create(**values | changes)

    return make


def an_entry(entry_id: str, at: float, **changes: Any) -> GatewayRefund:
    values: dict[str, Any] = {
        "id": entry_id,
        "amount_minor": 1000,
        "currency": "EUR",
        "status": GatewayRefundStatus.PENDING,
        "gateway_status": "pending",
        "reason": "torn",
        "created_at": int(at),
    }
    return GatewayRefund(**values | changes)


def enter(payment: Payment, *entries: GatewayRefund, created_at: float | None = None, **kwargs: Any) -> Settlement:
    at = payment.created_at.timestamp() if created_at is None else created_at
    answer = GatewayPayment(
        id=str(payment.gateway_id),
        amount_minor=4999,
        currency="EUR",
        status=GatewayStatus.SUCCEEDED,
        gateway_status="succeeded",
        livemode=False,
        refunds=entries,
        created_at=int(at),
        request_id="req_1",
    )
    with transaction.atomic():
        return settle(payment, answer, source="sync", **kwargs)


def owners() -> dict[str | None, str]:
    return {row.gateway_id: f"{row.sequence} {row.source}" for row in Refund.objects.all()}


def test_the_answer_to_a_request_shows_its_own_refund_last(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    now = fake_clock.now().timestamp()
    a_refund()
    second = a_refund()
    a_refund(amount_minor=500)
    enter(payment, an_entry("late", now + 9), an_entry("early", now), accepted=second)
    assert owners() == {"early": "1 api", "late": "2 api", None: "3 api"}


def test_the_only_entry_belongs_to_the_request_that_was_answered(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    a_refund()
    second = a_refund()
    enter(payment, an_entry("one", fake_clock.now().timestamp()), accepted=second)
    assert owners() == {None: "1 api", "one": "2 api"}


def test_of_entries_alike_the_reason_decides(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    now = fake_clock.now().timestamp()
    a_refund(reason="torn")
    a_refund(reason="wet")
    enter(payment, an_entry("a", now, reason="wet"), an_entry("b", now + 1, reason="torn"))
    assert owners() == {"a": "2 api", "b": "1 api"}


def test_a_reason_that_the_gateway_has_changed_does_not_make_it_another_refund(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    a_refund(reason="torn  bag")
    enter(payment, an_entry("a", fake_clock.now().timestamp(), reason="torn bag"))
    assert owners() == {"a": "1 api"}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 999},
        {"first_sent_at": None},
        {"status": "succeeded"},
        {"status": "failed"},
        {"gateway_id": "another"},
    ],
)
def test_an_entry_of_nobody_here_is_adopted(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund], changes: dict[str, Any]
) -> None:
    a_refund(**changes)
    enter(payment, an_entry("theirs", fake_clock.now().timestamp(), reason="from the dashboard"))
    assert owners()["theirs"] == "2 gateway"
    assert Refund.objects.count() == 2


@pytest.mark.parametrize(("minutes", "owner"), [(-9, "1 api"), (-11, "2 gateway")])
def test_an_entry_older_than_the_request_is_somebody_elses(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund], minutes: int, owner: str
) -> None:
    a_refund()
    at = fake_clock.now() + timedelta(minutes=minutes)
    enter(payment, an_entry("it", at.timestamp(), reason="from the dashboard"))
    assert owners()["it"] == owner


def test_a_payment_that_was_made_long_after_its_row_does_not_shift_the_clock(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    """Its start was unknown for half an hour: the gateway's time of creation says nothing about our clock then."""
    a_refund()
    made_at = payment.created_at.timestamp() + 1800
    enter(payment, an_entry("it", fake_clock.now().timestamp()), created_at=made_at)
    assert owners() == {"it": "1 api"}


def test_an_entry_without_an_id_is_not_adopted_again_and_again(
    payment: Payment, fake_clock: FakeClock, a_refund: Callable[..., Refund]
) -> None:
    for _ in range(3):
        enter(payment, an_entry("", 0, status=GatewayRefundStatus.SUCCEEDED))
    assert list(Refund.objects.values_list("status", "source")) == [("succeeded", "gateway")]


def test_a_refund_that_failed_here_is_not_taken_for_one_made_in_the_dashboard(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason="sent back")
    gateway.refund(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    assert list(Refund.objects.order_by("pk").values_list("status", "source")) == [
        ("failed", "api"),
        ("succeeded", "gateway"),
    ]
