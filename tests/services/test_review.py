"""What a person is asked to look at, and what an answer settles by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.db.models import ProtectedError

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import InvalidPaymentRequest, PaymentUnconfirmed
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import booking, payments, start_payment, sync_payment
from django_flowlix.services.payments import resume_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db


def lose_the_answer(emulator: EmulatorServer, kind: str = "drop_after") -> None:
    emulator.fault("create_hosted", kind, times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())


def test_p2_absence_is_not_proven_by_a_list_without_our_metadata(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    lose_the_answer(emulator)
    for both in (emulator, fake_clock):
        both.advance(hours=25)
    unnamed = {"id": "pay_unnamed", "amount": 4999, "currency": "eur", "status": "pending", "livemode": False}
    listed = {"data": [unnamed | {"created": int(emulator.payments()[0].created)}], "has_more": False}
    emulator.fault("list", "override", fields=listed)
    Run().execute()

    stored = Payment.objects.get()
    assert (stored.status, stored.review_reason) == ("created", "unproven")
    assert len(emulator.log("create_hosted")) == 4


def test_i8_gateway_that_refuses_the_inferred_filters_is_asked_without_them(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    lose_the_answer(emulator)
    for both in (emulator, fake_clock):
        both.advance(hours=25)
    emulator.fault("list", "status_before", status=400)
    Run().execute()
    assert Payment.objects.get().gateway_id == emulator.payments()[0].id
    assert ["created" in entry.query for entry in emulator.log("list")] == [True, False]


@pytest.mark.parametrize(
    ("fields", "reason"), [({"amount": 1}, "mismatch"), ({"status": "disputed"}, "unknown_status")]
)
def test_matching_answer_settles_the_doubt_of_an_earlier_one(
    emulator: EmulatorServer, fields: dict[str, Any], reason: str
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    emulator.fault("retrieve", "override", fields=fields)
    assert sync_payment(payment).review_reason == reason
    sync_payment(payment)
    stored = Payment.objects.get()
    assert (stored.status, stored.review_reason) == ("succeeded", "")


def test_s8_second_success_stays_flagged(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    old = start_payment(a_request())
    new = start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    for payment in (new, old, old):
        emulator.pay(payment.gateway_id) if payment.status == "pending" else None
        sync_payment(payment)
    assert Payment.objects.get(pk=old.pk).review_reason == "second_success"


def test_p9_success_seen_in_the_list_names_its_exchange(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    for number in range(6):
        emulator.pay(start_payment(a_request(order_reference=str(number))).gateway_id)
    Run().execute()
    (entry,) = emulator.log("list")
    changes = StatusChange.objects.filter(to_status="succeeded")
    assert set(changes.values_list("request_id", flat=True)) == {entry.request_id}


def test_c8_all_rounds_of_one_start_share_one_deadline(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETRY_BUDGET": 16}}
    start_payment(a_request())
    fake_clock.advance(minutes=3)
    began = fake_clock.seconds
    emulator.fault("retrieve", "status_before", times=9)
    emulator.fault("create_hosted", "rate_limited", times=9, form="absent")
    with pytest.raises(Exception, match="not started"):
        start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    assert 9 < fake_clock.seconds - began <= 16


def test_d4_locked_database_before_the_row_exists_is_tried_again(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = [OperationalError("database is locked")] * 2
    real_reserve = payments._reserve

    def reserve(*args: Any) -> Any:
        if locked:
            raise locked.pop()
        return real_reserve(*args)

    monkeypatch.setattr(payments, "_reserve", reserve)
    assert start_payment(a_request()).status == "pending"
    assert len(emulator.log()) == 1


def test_d6_database_that_fails_after_the_post_leaves_an_unknown_outcome(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def book(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(booking, "book", book)
        with pytest.raises(PaymentUnconfirmed):
            start_payment(a_request())
    assert start_payment(a_request()).status == "pending"
    assert len(emulator.payments()) == 1


def test_replaced_attempt_is_not_continued(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    lose_the_answer(emulator, "drop_before")
    old = Payment.objects.get()
    start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    old.refresh_from_db()
    assert resume_payment(old).status == "created"
    assert len(emulator.payments()) == 1


def test_p1_gateway_that_makes_two_payments_under_one_key_is_noticed(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())
    slow = Payment.objects.get()
    slow.status, slow.gateway_id = "created", None
    answer = booking.GatewayPayment(
        id="pay_twin",
        amount_minor=4999,
        currency="EUR",
        status=booking.GatewayStatus.PENDING,
        gateway_status="pending",
        livemode=False,
    )
    booking.book(slow, answer, source="create", gateway=payments.Gateway(payments.configured_account("default")))
    stored = Payment.objects.get()
    assert (stored.gateway_id, stored.review_reason) == (payment.gateway_id, "mismatch")


@pytest.mark.parametrize("order", ["x", {"id": 1}, Payment()])
def test_order_that_is_no_saved_row_is_refused(emulator: EmulatorServer, order: Any) -> None:
    with pytest.raises(InvalidPaymentRequest, match="saved model instance"):
        start_payment(a_request(order=order))


def test_customer_that_is_a_dict_is_refused(emulator: EmulatorServer) -> None:
    with pytest.raises(InvalidPaymentRequest, match="must be a Customer, not dict"):
        start_payment(a_request(customer={"email": "ada@example.com"}))


def test_a5_payments_are_not_deleted_in_bulk(emulator: EmulatorServer) -> None:
    start_payment(a_request())
    with pytest.raises(ProtectedError):
        Payment.objects.all().delete()
    assert Payment.objects.count() == 1
