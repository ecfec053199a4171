"""Learning how a payment stands: what is believed, what is flagged, and what never changes again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_flowlix.api import ApiError, Money, NotFoundError
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnavailable
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from tests.conftest import TEST_KEY, FakeClock, a_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(emulator: EmulatorServer) -> Payment:
    return start_payment(a_request())


def signals() -> list[str]:
    return list(StatusChange.objects.exclude(signal="").order_by("pk").values_list("signal", flat=True))


def test_p3_paid_at_the_gateway_is_paid_here(emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment) -> None:
    emulator.pay(payment.gateway_id, card="5555555555554444")
    sync_payment(payment)

    stored = Payment.objects.get()
    assert (stored.status, stored.gateway_status) == ("succeeded", "succeeded")
    assert (stored.card_brand, stored.card_last4) == ("mastercard", "4444")
    assert stored.next_sync_at == fake_clock.now() + timedelta(days=1), "it may be refunded in the dashboard"
    assert stored.review_reason == ""
    assert signals() == ["payment_succeeded"]


def test_declined_at_the_gateway_is_failed_here_and_says_why(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.decline(payment.gateway_id, "insufficient_funds")
    sync_payment(payment)

    stored = Payment.objects.get()
    assert (stored.status, stored.decline_code) == ("failed", "insufficient_funds")
    assert stored.decline is not None
    assert stored.decline.code == "insufficient_funds"
    assert signals() == ["payment_failed"]


def test_undecided_stays_and_is_looked_at_again(
    emulator: EmulatorServer, payment: Payment, fake_clock: FakeClock
) -> None:
    sync_payment(payment)
    assert payment.status == "pending"
    assert payment.next_sync_at is not None
    assert payment.next_sync_at > fake_clock.now()
    assert signals() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 1},
        {"currency": "usd"},
        {"livemode": True},
        {"livemode": None},
        {"id": "pay_anotherPaymentAltogether"},
        {"metadata": {"idempotency_key": "payment-order-1002"}},
    ],
)
def test_s9_f3_k3_success_that_does_not_match_is_never_paid(
    emulator: EmulatorServer, payment: Payment, fields: dict[str, Any]
) -> None:
    emulator.pay(payment.gateway_id)
    emulator.fault("retrieve", "override", fields=fields)
    sync_payment(payment)

    stored = Payment.objects.get()
    assert (stored.status, stored.review_reason) == ("pending", "mismatch")
    assert signals() == ["payment_needs_review"]


def test_mismatch_is_told_once(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.fault("retrieve", "override", fields={"amount": 1}, times=3)
    for _ in range(3):
        sync_payment(payment)
    assert signals() == ["payment_needs_review"]


@pytest.mark.parametrize("word", ["SUCCEEDED", "Succeeded", "paid", "disputed"])
def test_m7_unknown_status_keeps_the_state_and_the_word(emulator: EmulatorServer, payment: Payment, word: str) -> None:
    emulator.fault("retrieve", "override", fields={"status": word})
    sync_payment(payment)
    stored = Payment.objects.get()
    assert (stored.status, stored.gateway_status, stored.review_reason) == ("pending", word, "unknown_status")


@pytest.mark.parametrize("late", ["pending", "failed"])
def test_p4_nothing_changes_a_success(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment, late: str
) -> None:
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    emulator.fault("retrieve", "override", fields={"status": late, "card": None})
    sync_payment(payment)

    stored = Payment.objects.get()
    assert (stored.status, stored.gateway_status, stored.card_last4) == ("succeeded", "succeeded", "4242")
    assert stored.next_sync_at == fake_clock.now() + timedelta(days=1), "it may be refunded in the dashboard"
    assert signals() == ["payment_succeeded"]


def test_a_stale_answer_to_a_look_that_was_due_does_not_bring_the_next_one_at_once(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    fake_clock.advance(days=1)
    emulator.fault("retrieve", "override", fields={"status": "pending"})
    sync_payment(payment)
    stored = Payment.objects.get()
    assert (stored.status, stored.next_sync_at) == ("succeeded", fake_clock.now() + timedelta(hours=1))


def test_s12_p4_stale_instance_cannot_undo_a_success(emulator: EmulatorServer, payment: Payment) -> None:
    stale = Payment.objects.get()
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    sync_payment(stale)
    assert stale.status == Payment.objects.get().status == "succeeded"
    assert signals() == ["payment_succeeded"]


def test_stale_failure_of_a_look_leaves_a_success_alone(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    stale = Payment.objects.get()
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    emulator.fault("retrieve", "status_before", status=404)
    with pytest.raises(NotFoundError):
        sync_payment(stale)
    assert Payment.objects.get().next_sync_at == fake_clock.now() + timedelta(days=1)


def test_s7_late_success_replaces_a_failure(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    sync_payment(payment)
    assert payment.status == "failed"
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    assert payment.status == "succeeded"
    assert signals() == ["payment_failed", "payment_succeeded"]


def test_refund_made_in_the_dashboard_is_seen(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.pay(payment.gateway_id)
    sync_payment(payment)
    emulator.refund(payment.gateway_id)
    sync_payment(payment)
    stored = Payment.objects.get()
    assert (stored.status, stored.amount_refunded) == ("succeeded", Money(4999, "EUR"))
    assert stored.next_sync_at is None, "there is nothing left to refund"
    assert signals() == ["payment_succeeded", "refund_succeeded"]


def test_stale_answer_does_not_take_a_refund_back(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.pay(payment.gateway_id)
    emulator.refund(payment.gateway_id)
    sync_payment(payment)
    emulator.fault("retrieve", "override", fields={"status": "succeeded", "refunded_at": None})
    sync_payment(payment)
    assert Payment.objects.get().amount_refunded_minor == 4999


def test_decline_of_a_superseded_attempt_is_no_news_about_the_order(emulator: EmulatorServer, payment: Payment) -> None:
    start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    emulator.decline(payment.gateway_id)
    sync_payment(payment)
    assert payment.status == "failed"
    assert signals() == []


def test_paid_and_refunded_before_we_looked_is_left_to_a_person(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.pay(payment.gateway_id)
    emulator.refund(payment.gateway_id)
    sync_payment(payment)
    assert (payment.status, payment.review_reason) == ("succeeded", "refunded_early")
    assert signals() == ["payment_needs_review", "refund_succeeded"]


def test_n11_look_that_fails_changes_nothing_and_is_repeated_later(
    emulator: EmulatorServer, payment: Payment, fake_clock: FakeClock
) -> None:
    emulator.fault("retrieve", "status_before", status=503, times=4)
    with pytest.raises(ApiError):
        sync_payment(payment)
    stored = Payment.objects.get()
    assert (stored.status, stored.sync_failures) == ("pending", 1)
    assert stored.next_sync_at is not None
    assert ApiCall.objects.filter(operation="retrieve").count() == 4


def test_n15_404_right_after_the_create_is_patience(
    emulator: EmulatorServer, payment: Payment, fake_clock: FakeClock
) -> None:
    emulator.fault("retrieve", "status_before", status=404)
    with pytest.raises(NotFoundError):
        sync_payment(payment)
    assert Payment.objects.get().review_reason == ""


def test_n13_404_for_an_id_we_stored_is_an_alarm(
    emulator: EmulatorServer, payment: Payment, fake_clock: FakeClock
) -> None:
    fake_clock.advance(minutes=10)
    emulator.fault("retrieve", "status_before", status=404)
    with pytest.raises(NotFoundError):
        sync_payment(payment)
    assert (Payment.objects.get().status, Payment.objects.get().review_reason) == ("pending", "not_found")


def test_other_modes_key_asks_nothing(emulator: EmulatorServer, payment: Payment, settings: Any) -> None:
    live_key = TEST_KEY.replace("test", "live", 1)
    account = settings.FLOWLIX["default"] | {
        "SECRET_KEY": live_key,
        "API_URL": "https://api.flowlix.eu",
        "BASE_URL": "https://shop.example",
    }
    settings.FLOWLIX = {"default": account}
    with pytest.raises(PaymentUnavailable, match="other mode"):
        sync_payment(payment)
    assert emulator.log("retrieve") == []


def test_gateway_is_asked_once_in_two_seconds(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payment = start_payment(a_request())
    fake_clock.advance(seconds=3)
    for _ in range(5):
        sync_payment(payment, min_age_seconds=2)
    assert len(emulator.log("retrieve")) == 1


@pytest.mark.django_db(transaction=True)
def test_look_costs_one_request_and_few_statements(emulator: EmulatorServer) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    with CaptureQueriesContext(connection) as queries:
        sync_payment(payment)
    verbs = [query["sql"].split()[0] for query in queries]
    # One receiver is connected (the example shop's): its order does not exist, so it asks once.
    assert len([verb for verb in verbs if verb not in ("BEGIN", "COMMIT")]) <= 7
    assert len(emulator.log("retrieve")) == 1


def test_customer_who_returns_within_the_second_is_verified_at_once(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    assert sync_payment(payment, min_age_seconds=2).status == "succeeded"
