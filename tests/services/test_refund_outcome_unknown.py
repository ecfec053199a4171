"""A refund whose answer is lost: the amount stays reserved, one key, one body, and never a second refund (U5, I8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import InvalidRefundRequest
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db

REASON = "customer sent it back"
LOST_AFTER: list[tuple[str, dict[str, Any]]] = [
    ("drop_after", {}),
    ("status_after", {"status": 500}),
    ("status_after", {"status": 503}),
    ("status_after", {"status": 408}),
    ("html_after", {}),
    ("truncated_answer", {}),
    ("truncated_json", {}),
    ("empty_body", {}),
    ("json_null", {}),
    ("not_a_number", {}),
    ("omit", {"fields": ["id"]}),
    ("omit", {"fields": ["amount"]}),
]
LOST_BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("drop_before", {}),
    ("status_before", {"status": 500}),
    ("status_before", {"status": 502}),
    ("html_before", {}),
    ("in_flight", {}),
    ("redirect", {}),
]


@pytest.fixture(params=["eu", "dev"])
def gateway(request: pytest.FixtureRequest, gateway_of: Callable[[str], EmulatorServer]) -> EmulatorServer:
    return gateway_of(request.param)


@pytest.fixture
def payment(gateway: EmulatorServer, make_paid: Callable[..., Payment]) -> Payment:
    return make_paid(gateway)


def sent(gateway: EmulatorServer) -> list[tuple[str | None, str]]:
    return [(entry.idempotency_key, entry.body) for entry in gateway.log("refund")]


def settle(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    """Let the gateway finish what is under way, and the background see it."""
    for payment in gateway.payments():
        for refund in gateway.refunds(payment.id):
            if refund.status == "pending":
                gateway.finish_refund(refund.id)
    fake_clock.advance(hours=2)
    Run().execute()


def assert_refunded_once(gateway: EmulatorServer, fake_clock: FakeClock, amount_minor: int = 4999) -> None:
    settle(gateway, fake_clock)
    (payment,) = gateway.payments()
    assert [refund.amount_minor for refund in gateway.refunds(payment.id)] == [amount_minor]
    row = Refund.objects.get()
    assert (row.status, row.amount_minor, row.note, row.request_body) == ("succeeded", amount_minor, "", "")
    assert Payment.objects.get().amount_refunded_minor == amount_minor
    assert len(set(sent(gateway))) == 1, "one key, one body"
    assert StatusChange.objects.filter(signal="refund_succeeded").count() == 1


@pytest.mark.parametrize(("kind", "options"), [*LOST_AFTER, *LOST_BEFORE])
def test_u5_a_lost_answer_is_asked_for_again_under_the_same_key(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, kind: str, options: dict[str, Any]
) -> None:
    gateway.fault("refund", kind, **options)
    refund = refund_payment(payment, reason=REASON)
    if refund.status == "created":  # a redirect, or contract dev: the payment is read first
        fake_clock.advance(minutes=1)
        Run().execute()

    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize(("kind", "options"), [*LOST_AFTER, *LOST_BEFORE])
def test_u5_an_unknown_outcome_is_kept_shown_and_completed_by_the_background(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, kind: str, options: dict[str, Any]
) -> None:
    gateway.fault("refund", kind, **options, times=4)
    refund = refund_payment(payment, reason=REASON)

    assert refund.is_unconfirmed
    assert (refund.lease_until, refund.sync_failures) == (None, 1)
    assert refund.note
    assert Payment.objects.get().amount_refunded_minor == 0
    assert not StatusChange.objects.filter(refund__isnull=False).exists()
    with pytest.raises(InvalidRefundRequest, match="under way"):
        refund_payment(payment, reason=REASON)

    gateway.state.faults.clear()
    fake_clock.advance(minutes=1)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


def test_n5_the_waits_are_those_of_the_table(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    fake_clock.slept.clear()
    gateway.fault("refund", "status_before", status=503, times=4)
    refund_payment(payment, reason=REASON)

    assert len(fake_clock.slept) == 3
    for waited, least in zip(fake_clock.slept, [1, 2, 4], strict=True):
        assert least <= waited <= least * 1.1 + 0.1
    tries = ApiCall.objects.filter(operation="refund").order_by("pk").values_list("try_number", flat=True)
    assert list(tries) == [1, 2, 3, 4]


def test_n6_where_a_failed_request_frees_its_key_nothing_is_repeated_before_the_payment_was_read(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    before = len(gateway.log())
    gateway.fault("refund", "status_before", status=503, times=2)
    assert refund_payment(payment, reason=REASON).is_unconfirmed
    for _ in range(3):  # too early: what the gateway has done may not be visible yet
        fake_clock.advance(seconds=15)
        Payment.objects.update(next_sync_at=None)
        Refund.objects.update(next_sync_at=fake_clock.now())
        Run().execute()
    for _ in range(2):
        fake_clock.advance(seconds=61)
        Payment.objects.update(next_sync_at=None)
        Refund.objects.update(next_sync_at=fake_clock.now())
        Run().execute()

    assert [entry.operation for entry in gateway.log()[before:]] == [
        "refund",
        *["retrieve"] * 3,
        *["retrieve", "refund"] * 2,
    ]
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("why", ["life", "key"])
def test_i8_i9_after_the_keys_life_the_payment_is_read_instead(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, settings: Any, *, arrived: bool, why: str
) -> None:
    """What the gateway shows is settled; what it does not show never happened, and may be asked for again."""
    gateway.fault("refund", "drop_after" if arrived else "drop_before", times=4)
    refund_payment(payment, reason=REASON)
    posts = len(sent(gateway))
    gateway.state.faults.clear()
    if why == "key":
        settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}Rotated"}}
        fake_clock.advance(minutes=10)
    else:
        fake_clock.advance(hours=24)
    Payment.objects.update(next_sync_at=None)  # the refund itself has to look
    Run().execute()

    assert len(sent(gateway)) == posts, "it was not sent again"
    refund = Refund.objects.get()
    if arrived:
        assert_refunded_once(gateway, fake_clock)
        return
    assert (refund.status, refund.note) == ("failed", "the gateway does not have it")
    assert StatusChange.objects.filter(signal="refund_failed").count() == 1
    again = refund_payment(payment, reason=REASON)
    assert (again.sequence, again.status in ("succeeded", "pending")) == (2, True)
    assert len(gateway.refunds(str(payment.gateway_id))) == 1


def test_i9_absence_is_not_proven_while_the_request_may_be_under_way(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, settings: Any
) -> None:
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, reason=REASON)
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}Rotated"}}
    fake_clock.advance(minutes=2)
    Run().execute()
    assert Refund.objects.get().status == "created"

    fake_clock.advance(minutes=10)
    Run().execute()
    assert Refund.objects.get().status == "failed"


def test_a_payment_that_cannot_be_read_proves_nothing(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.fault("refund", "drop_after", times=4)
    refund_payment(payment, reason=REASON)
    fake_clock.advance(hours=24)
    for fields in ({"amount": 1}, {"id": "pay_another"}, {"livemode": True}):
        gateway.fault("retrieve", "override", fields=fields, times=2)
        fake_clock.advance(hours=2)
        Run().execute()
        assert Refund.objects.get().status == "created"
    gateway.fault("retrieve", "status_before", status=503, times=9)
    fake_clock.advance(hours=2)
    Run().execute()
    assert Refund.objects.get().status == "created"

    gateway.state.faults.clear()
    fake_clock.advance(hours=2)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_refusal_of_the_key_says_nothing_about_the_request_before_it(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, status: int
) -> None:
    gateway.fault("refund", "drop_after")
    gateway.fault("refund", "status_before", status=status)
    refund = refund_payment(payment, reason=REASON)
    if status == 429 and payment.contract == "eu":  # retried within the call
        assert_refunded_once(gateway, fake_clock)
        return
    assert refund.is_unconfirmed

    fake_clock.advance(hours=1)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_key_in_a_repeat_does_not_make_it_unsent(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, status: int
) -> None:
    """Otherwise it would be given up after half an hour, while the first request may still be at work."""
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, reason=REASON)
    gateway.state.faults.clear()
    gateway.fault("refund", "status_before", status=status, times=9)
    fake_clock.advance(minutes=2)
    Run().execute()
    fake_clock.advance(hours=1)
    Run().execute()
    refund = Refund.objects.get()
    assert refund.is_unconfirmed
    assert f"HTTP {status}" in refund.note

    gateway.state.faults.clear()
    fake_clock.advance(hours=1)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


def test_a_refusal_after_a_lost_request_is_proven_by_reading_later(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    """The refusal may be about the work of the request before it."""
    gateway.fault("refund", "drop_before")
    gateway.fault("refund", "status_before", status=422, times=99)
    assert refund_payment(payment, reason=REASON).is_unconfirmed
    for _ in range(3):
        fake_clock.advance(minutes=6)
        Refund.objects.update(next_sync_at=fake_clock.now())
        Run().execute()
    assert Refund.objects.get().status == "failed" or gateway.log("refund")[-1].status == 422

    fake_clock.advance(hours=25)
    Run().execute()
    assert Refund.objects.get().status == "failed"
    assert gateway.refunds(str(payment.gateway_id)) == []


def test_a_refusal_that_is_about_our_own_lost_request_does_not_fail_it(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    """60 of 100, done and lost; asked again it is more than is left."""
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after")
    refund = refund_payment(payment, Money(3000, "EUR"), reason=REASON)
    gateway.state.slots.slots.clear()
    gateway.fault("retrieve", "override", fields={"refunds": []})  # not visible when it is read before the repeat
    fake_clock.advance(seconds=61)
    Payment.objects.update(next_sync_at=None)
    Run().execute()

    assert gateway.log("refund")[-1].status == 422
    refund.refresh_from_db()
    assert (refund.status, refund.source, refund.note) == ("pending", "api", "")
    assert Payment.objects.get().review_reason == ""
    assert not StatusChange.objects.filter(signal="refund_failed").exists()
    assert_refunded_once(gateway, fake_clock, 3000)


def test_a_refusal_proves_nothing_while_the_refunds_are_not_shown(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after")
    refund_payment(payment, reason=REASON)
    gateway.state.slots.slots.clear()
    gateway.fault("retrieve", "omit", fields=["refunds"], times=2)
    fake_clock.advance(hours=2)
    Payment.objects.update(next_sync_at=None)
    Run().execute()

    assert gateway.log("refund")[-1].status == 422
    assert Refund.objects.get().status == "created"
    assert_refunded_once(gateway, fake_clock)


def test_i9_absence_is_proven_by_the_last_request_not_the_first(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, settings: Any
) -> None:
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, reason=REASON)
    gateway.state.faults.clear()
    fake_clock.advance(minutes=12)
    gateway.fault("refund", "drop_after", times=4)
    Payment.objects.update(next_sync_at=None)
    Run().execute()
    assert Refund.objects.get().is_unconfirmed
    gateway.state.faults.clear()

    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}Rotated"}}
    hidden: dict[str, Any] = {"refunds": [], "status": "succeeded"}
    gateway.fault("retrieve", "override", fields=hidden)  # what the gateway shows lags behind
    Refund.objects.update(next_sync_at=fake_clock.now())
    Run().execute()
    assert Refund.objects.get().status == "created"
    fake_clock.advance(minutes=6)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


def test_u6_already_refunded_by_our_own_lost_request(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    """A gateway that forgot the key answers "already refunded": that is our own refund."""
    gateway.fault("refund", "drop_after")
    gateway.state.contract.stores = lambda answer: False  # type: ignore[method-assign]
    refund = refund_payment(payment, reason=REASON)
    if payment.contract == "eu":
        assert [entry.status for entry in gateway.log("refund")][1:] == [422]
        assert refund.status == "succeeded"
    assert_refunded_once(gateway, fake_clock)


def test_i6_a_key_that_belongs_to_another_request_is_shown_to_a_person_and_never_changed(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.fault("refund", "in_flight", times=40)
    refund_payment(payment, reason=REASON)
    assert Payment.objects.get().review_reason == ""
    fake_clock.advance(minutes=5)
    Payment.objects.update(next_sync_at=None)
    Run().execute()

    for _ in range(3):
        fake_clock.advance(hours=2)
        Run().execute()
    assert Payment.objects.get().review_reason == "refund_mismatch"
    (change,) = StatusChange.objects.filter(signal="payment_needs_review")
    assert change.note == "the key of refund 1 was used with another request"
    assert {key for key, _ in sent(gateway)} == {"refund-order-1001-1"}
    assert Refund.objects.get().status == "created"


def test_d6_a_refund_that_could_not_be_booked_is_booked_later(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    from django_flowlix.services import booking

    def down(*args: object, **kwargs: object) -> None:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(booking, "book", down)
        refund = refund_payment(payment, reason=REASON)
    assert refund.is_unconfirmed

    fake_clock.advance(minutes=1)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("fields", [{"amount": 1}, {"currency": "usd"}, {"livemode": True}, {"id": "pay_another"}])
def test_s9_an_answer_about_another_payment_refunds_nothing_here(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, fields: dict[str, Any]
) -> None:
    gateway.fault("refund", "override", fields=fields)
    refund = refund_payment(payment, reason=REASON)

    assert refund.status == "created"
    stored = Payment.objects.get()
    assert (stored.review_reason, stored.amount_refunded_minor) == ("mismatch", 0)

    fake_clock.advance(minutes=1)
    Run().execute()
    assert_refunded_once(gateway, fake_clock)


def test_one_that_is_accepted_without_being_shown_is_under_way(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "override", fields={"refunds": []})
    refund = refund_payment(payment, Money(1000, "EUR"), reason=REASON)
    assert (refund.status, refund.gateway_id) == ("pending", None)

    fake_clock.advance(seconds=5)
    Run().execute()
    refund.refresh_from_db()
    (entry,) = gateway.refunds(str(payment.gateway_id))
    assert refund.gateway_id == entry.id
    assert_refunded_once(gateway, fake_clock, 1000)


def test_what_the_gateway_does_not_show_is_left_to_a_person(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, reason=REASON)
    gateway.fault("retrieve", "omit", fields=["refunds"], times=9)
    fake_clock.advance(hours=24)
    Run().execute()

    assert Refund.objects.get().status == "created"
    assert Payment.objects.get().review_reason == "refund_mismatch"


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_by_hours_does_not_book_one_refund_twice(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock, hours: int
) -> None:
    gateway = gateway_of("dev")
    real = gateway.state.clock.now
    gateway.state.clock.now = lambda: real() + hours * 3600  # type: ignore[method-assign]
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after", times=4)
    refund_payment(payment, reason=REASON)
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    assert_refunded_once(gateway, fake_clock)


def test_n6_a_gateway_that_forgot_the_key_after_its_work_does_not_refund_twice(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock
) -> None:
    """Only 2xx are stored: a 5xx after the work frees the key, and the same request is another refund."""
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after")
    gateway.fault("refund", "drop_before", times=3)
    refund_payment(payment, Money(1000, "EUR"), reason=REASON)
    gateway.state.slots.slots.clear()
    fake_clock.advance(minutes=1)
    Payment.objects.update(next_sync_at=None)
    Run().execute()
    assert_refunded_once(gateway, fake_clock, 1000)


@pytest.mark.parametrize("reason", [REASON, ""])
def test_n6_two_refunds_made_of_one_request_are_booked_and_shown_to_a_person(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], fake_clock: FakeClock, reason: str
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after")
    refund_payment(payment, Money(1000, "EUR"), reason=REASON)
    gateway.state.slots.slots.clear()
    gateway.fault("retrieve", "override", fields={"refunds": []})  # its work is not visible for more than a minute
    fake_clock.advance(seconds=61)
    Payment.objects.update(next_sync_at=None)
    Run().execute()
    entries = gateway.refunds(str(payment.gateway_id))
    assert len(entries) == 2
    for entry in entries:
        entry.reason = reason
    sync_payment(payment)

    assert list(Refund.objects.order_by("pk").values_list("amount_minor", "source")) == [
        (1000, "api"),
        (1000, "gateway"),
    ]
    payment.refresh_from_db()
    assert payment.review_reason == "refund_mismatch"
    (change,) = StatusChange.objects.filter(signal="payment_needs_review")
    assert "made twice" in change.note
