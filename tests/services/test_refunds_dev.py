"""Refunds under contract `dev`: in parts, with a reason that is sent, under way for a while, for 180 days."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.api import Money, NotFoundError
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import InvalidRefundRequest, RefundRejected
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.services.refund_request import quote
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db

REASON = "one bag was torn"


def eur(amount_minor: int) -> Money:
    return Money(amount_minor, "EUR")


@pytest.fixture
def gateway(gateway_of: Callable[[str], EmulatorServer]) -> EmulatorServer:
    return gateway_of("dev")


@pytest.fixture
def payment(gateway: EmulatorServer, make_paid: Callable[..., Payment]) -> Payment:
    return make_paid(gateway)


def sent(gateway: EmulatorServer) -> list[tuple[str | None, Any]]:
    return [(entry.idempotency_key, json.loads(entry.body)) for entry in gateway.log("refund")]


def rows() -> list[tuple[int, str, str]]:
    return list(Refund.objects.order_by("pk").values_list("amount_minor", "status", "source"))


def signals() -> list[str]:
    return list(StatusChange.objects.exclude(signal="").order_by("pk").values_list("signal", flat=True))


def test_part_then_the_rest_then_nothing(gateway: EmulatorServer, payment: Payment) -> None:
    part = refund_payment(payment, eur(1200), reason=REASON)
    rest = refund_payment(payment, reason="the other one too")

    assert sent(gateway) == [
        ("refund-order-1001-1", {"amount": 1200, "reason": "one bag was torn"}),
        ("refund-order-1001-2", {"amount": 3799, "reason": "the other one too"}),
    ]
    assert (part.status, rest.status, rest.amount) == ("pending", "pending", eur(3799))
    assert (quote(payment).remaining, quote(payment).reserved) == (eur(0), eur(4999))
    with pytest.raises(InvalidRefundRequest, match=r"49\.99 EUR is under way"):
        refund_payment(payment, eur(1), reason=REASON)
    assert len(sent(gateway)) == 2


def test_an_accepted_refund_is_under_way_until_the_gateway_has_done_it(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    refund = refund_payment(payment, eur(1200), reason=REASON)
    (entry,) = gateway.refunds(str(payment.gateway_id))
    assert (refund.gateway_id, refund.gateway_status, refund.next_sync_at) == (entry.id, "pending", None)
    assert Payment.objects.get().amount_refunded == eur(0), "money that is under way is not refunded yet"
    assert signals() == ["payment_succeeded"]

    fake_clock.advance(seconds=5)
    Run().execute()
    assert rows() == [(1200, "pending", "api")]

    gateway.finish_refund(entry.id)
    fake_clock.advance(seconds=5)
    Run().execute()
    assert rows() == [(1200, "succeeded", "api")]
    assert Payment.objects.get().amount_refunded == eur(1200)
    assert signals() == ["payment_succeeded", "refund_succeeded"]


def test_several_refunds_add_up(gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment) -> None:
    for amount_minor in (1200, 1200, 99):
        refund_payment(payment, eur(amount_minor), reason=REASON)
    for entry in gateway.refunds(str(payment.gateway_id))[:2]:
        gateway.finish_refund(entry.id)
    sync_payment(payment)
    assert payment.amount_refunded == eur(2400)
    assert (quote(payment).remaining, quote(payment).reserved) == (eur(2500), eur(99))

    gateway.finish_refund(gateway.refunds(str(payment.gateway_id))[2].id)
    rest = refund_payment(payment, reason="all of it")
    gateway.finish_refund(str(rest.gateway_id))
    fake_clock.advance(seconds=5)
    Run().execute()
    stored = Payment.objects.get()
    assert (stored.amount_refunded, stored.gateway_status, stored.next_sync_at) == (eur(4999), "refunded", None)
    assert signals().count("refund_succeeded") == 4


def test_u4_a_refund_that_fails_later_releases_its_amount(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    refund = refund_payment(payment, reason=REASON)
    gateway.finish_refund(str(refund.gateway_id), "fail")
    fake_clock.advance(seconds=5)
    Run().execute()

    refund.refresh_from_db()
    assert (refund.status, refund.decline_code) == ("failed", "generic_decline")
    assert Payment.objects.get().amount_refunded == eur(0)
    assert signals() == ["payment_succeeded", "refund_failed"]
    assert quote(payment).remaining == eur(4999)

    again = refund_payment(payment, reason=REASON)
    gateway.finish_refund(str(again.gateway_id))
    sync_payment(payment)
    assert payment.amount_refunded == eur(4999)
    assert [refund.status for refund in gateway.refunds(str(payment.gateway_id))] == ["failed", "succeeded"]


def test_a_failure_that_turns_out_to_be_a_success_is_booked(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    """Money that went out must stand in the books, however late."""
    refund = refund_payment(payment, eur(1200), reason=REASON)
    (entry,) = gateway.refunds(str(payment.gateway_id))
    gateway.finish_refund(entry.id, "fail")
    sync_payment(payment)
    entry.status = "succeeded"
    sync_payment(payment)

    refund.refresh_from_db()
    assert (refund.status, payment.amount_refunded) == ("succeeded", eur(1200))
    assert signals() == ["payment_succeeded", "refund_failed", "refund_succeeded"]


@pytest.mark.parametrize("word", ["failed", "pending", "reversed"])
def test_p4_a_refund_that_succeeded_stays_so(gateway: EmulatorServer, payment: Payment, word: str) -> None:
    refund = refund_payment(payment, eur(1200), reason=REASON)
    (entry,) = gateway.refunds(str(payment.gateway_id))
    gateway.finish_refund(entry.id)
    sync_payment(payment)
    entry.status = word
    sync_payment(payment)

    refund.refresh_from_db()
    assert (refund.status, payment.amount_refunded) == ("succeeded", eur(1200))
    assert signals()[:2] == ["payment_succeeded", "refund_succeeded"]
    assert signals()[2:] == (["payment_needs_review"] if word == "reversed" else [])


def test_m7_an_unknown_word_means_under_way_and_is_shown_to_a_person_once(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    refund = refund_payment(payment, eur(1200), reason=REASON)
    gateway.refunds(str(payment.gateway_id))[0].status = "clearing"
    for _ in range(3):
        sync_payment(payment)
        fake_clock.advance(minutes=1)
    refund.refresh_from_db()
    assert (refund.status, refund.gateway_status) == ("pending", "clearing")
    (change,) = StatusChange.objects.filter(signal="payment_needs_review")
    assert "unknown status clearing" in change.note


def test_a_refund_that_is_not_shown_yet_is_looked_at_soon_however_old_the_payment(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    fake_clock.advance(days=90)
    refund_payment(payment, eur(1200), reason=REASON)
    gateway.fault("retrieve", "override", fields={"refunds": []})
    sync_payment(payment)
    assert payment.next_sync_at is not None
    stored = Payment.objects.get()
    assert stored.next_sync_at is not None
    assert (stored.next_sync_at - fake_clock.now()).total_seconds() <= 10


# --- Bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (eur(3800), "At most 37.99 EUR can be refunded."),
        (eur(0), "Write an amount above zero."),
        (Money(1200, "USD"), "The payment was made in EUR: refund it in the same currency."),
    ],
)
def test_u3_amounts_beyond_what_is_left(
    gateway: EmulatorServer, payment: Payment, amount: Money, sentence: str
) -> None:
    refund_payment(payment, eur(1200), reason=REASON)
    with pytest.raises(InvalidRefundRequest) as raised:
        refund_payment(payment, amount, reason=REASON)
    assert raised.value.fields == {"amount": (sentence,)}
    assert len(sent(gateway)) == Refund.objects.count() == 1


@pytest.mark.parametrize(("reason", "taken"), [("x" * 50, True), ("x" * 51, False), (f" {'ä' * 50}\t", True)])
def test_u13_reason_of_at_most_50_characters(
    gateway: EmulatorServer, payment: Payment, reason: str, *, taken: bool
) -> None:
    if taken:
        refund_payment(payment, eur(1), reason=reason)
        assert sent(gateway)[0][1]["reason"] == reason.strip()
        return
    with pytest.raises(InvalidRefundRequest) as raised:
        refund_payment(payment, eur(1), reason=reason)
    assert raised.value.fields == {"reason": ("The reason has 51 characters, at most 50 are allowed.",)}
    assert sent(gateway) == []


@pytest.mark.parametrize(("days", "possible"), [(179, True), (180, False), (500, False)])
def test_u9_the_window_is_checked_before_the_call(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, days: int, *, possible: bool
) -> None:
    fake_clock.advance(days=days)
    if possible:
        assert refund_payment(payment, reason=REASON).status == "pending"
        return
    with pytest.raises(InvalidRefundRequest, match="Refunds are possible for 180 days"):
        refund_payment(payment, reason=REASON)
    assert sent(gateway) == []


# --- Refunds made in the dashboard ----------------------------------------------------------------------------


def test_u7_a_refund_made_in_the_dashboard_becomes_a_row(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.refund(str(payment.gateway_id), 500)
    sync_payment(payment)
    assert rows() == [(500, "pending", "gateway")]
    assert quote(payment).remaining == eur(4499)

    row = Refund.objects.get()
    assert (row.idempotency_key, row.requested_by, row.requested_by_name) == (None, None, "")
    assert row.reason == "refunded in the dashboard"
    gateway.finish_refund(str(row.gateway_id))
    fake_clock.advance(seconds=5)
    Run().execute()
    assert rows() == [(500, "succeeded", "gateway")]
    assert Payment.objects.get().amount_refunded == eur(500)
    assert signals() == ["payment_succeeded", "refund_succeeded"]


def test_p2_the_background_finds_it_within_a_day(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.set_refund_delay(1)
    gateway.refund(str(payment.gateway_id), 500)
    fake_clock.advance(hours=24)
    assert list(Run().plan()) == [f"1001 (attempt 1): ask the gateway about {payment.gateway_id} (for refunds)"]
    Run().execute()
    assert rows() == [(500, "succeeded", "gateway")]


def test_looks_for_refunds_that_fail_are_repeated_soon_and_then_at_the_ordinary_pace(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.fault("retrieve", "status_before", status=404, times=99)
    pauses = []
    fake_clock.advance(hours=24)
    for _ in range(9):
        with pytest.raises(NotFoundError):
            sync_payment(payment)
        stored = Payment.objects.get()
        assert stored.next_sync_at is not None
        pauses.append((stored.next_sync_at - fake_clock.now()).total_seconds())
        fake_clock.advance(minutes=1)

    assert pauses == [0, 30, 60, 120, 240, 480, 960, 86_400, 86_400]
    assert payment.review_reason == "not_found"


def test_many_paid_payments_are_looked_at_with_one_list_call(
    gateway: EmulatorServer, fake_clock: FakeClock, make_paid: Callable[..., Payment]
) -> None:
    gateway.set_refund_delay(1)
    payments = [make_paid(gateway, order_reference=str(number)) for number in range(6)]
    for payment in payments[:2]:
        gateway.refund(str(payment.gateway_id), 700)
    fake_clock.advance(hours=24)
    before = len(gateway.log())
    Run().execute()
    assert rows() == [(700, "succeeded", "gateway")] * 2
    assert [entry.operation for entry in gateway.log()[before:]] == ["list"]


def test_a_list_that_does_not_tell_of_refunds_is_not_believed(
    gateway: EmulatorServer, fake_clock: FakeClock, make_paid: Callable[..., Payment], monkeypatch: Any
) -> None:
    from dataclasses import replace

    from django_flowlix.api import FlowlixClient

    payments = [make_paid(gateway, order_reference=str(number)) for number in range(5)]
    gateway.refund(str(payments[0].gateway_id), 700)
    real = FlowlixClient.list_payments
    monkeypatch.setattr(
        FlowlixClient,
        "list_payments",
        lambda self, **kwargs: (replace(p, refunds=None) for p in real(self, **kwargs)),
    )
    fake_clock.advance(hours=24)
    Run().execute()
    assert rows() == [(700, "pending", "gateway")]


def test_u7_between_two_of_ours(gateway: EmulatorServer, payment: Payment) -> None:
    refund_payment(payment, eur(1000), reason=REASON)
    gateway.refund(str(payment.gateway_id), 1000)
    refund_payment(payment, eur(1000), reason=REASON)

    assert sorted(rows()) == [(1000, "pending", "api"), (1000, "pending", "api"), (1000, "pending", "gateway")]
    entries = {entry.id: entry.reason for entry in gateway.refunds(str(payment.gateway_id))}
    assert {row.gateway_id: row.reason for row in Refund.objects.all()} == entries
    assert quote(payment).remaining == eur(1999)


def test_u6_refused_because_the_dashboard_was_faster(gateway: EmulatorServer, payment: Payment) -> None:
    """We think 49.99 are left, and 40.00 are gone already."""
    gateway.refund(str(payment.gateway_id), 4000)
    with pytest.raises(RefundRejected) as raised:
        refund_payment(payment, reason=REASON)

    assert raised.value.refund is not None
    assert "HTTP 422" in raised.value.refund.note
    assert rows() == [(4999, "failed", "api"), (4000, "pending", "gateway")]
    assert quote(payment).remaining == eur(999)


def test_a_refused_refund_is_not_taken_for_an_old_one_of_the_same_amount(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.refund(str(payment.gateway_id), 1000)
    fake_clock.advance(hours=20)
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, eur(1000), reason=REASON)
    assert rows() == [(1000, "failed", "api"), (1000, "pending", "gateway")]


def test_a_failed_refund_from_the_dashboard_has_done_nobodys_work(gateway: EmulatorServer, payment: Payment) -> None:
    gateway.refund(str(payment.gateway_id))
    gateway.finish_refund(gateway.refunds(str(payment.gateway_id))[0].id, "fail")
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason=REASON)
    assert rows() == [(4999, "failed", "api"), (4999, "failed", "gateway")]


def test_u6_refunded_in_full_in_the_dashboard_settles_the_row(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.set_refund_delay(1)
    gateway.refund(str(payment.gateway_id))
    fake_clock.advance(hours=20)  # long before ours, and not seen yet
    refund = refund_payment(payment, reason=REASON)

    assert (refund.status, payment.amount_refunded) == ("succeeded", eur(4999))
    assert rows() == [(4999, "succeeded", "api")]


def test_an_accepted_refund_that_never_appears_is_none(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.fault("refund", "override", fields={"refunds": []})
    refund = refund_payment(payment, eur(1200), reason=REASON)
    for hours, status in ((1, "pending"), (22, "pending"), (2, "failed")):
        fake_clock.advance(hours=hours)
        gateway.fault("retrieve", "override", fields={"refunds": []})
        sync_payment(payment)
        refund.refresh_from_db()
        assert refund.status == status
    assert refund.note == "the gateway accepted it and does not show it"
    assert signals() == ["payment_succeeded", "refund_failed"]

    sync_payment(payment)  # it appears after all: the money is booked
    assert rows() == [(1200, "failed", "api"), (1200, "pending", "gateway")]
    assert payment.review_reason == "refund_mismatch"


def test_an_old_refund_from_the_dashboard_is_not_taken_for_ours(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    gateway.refund(str(payment.gateway_id), 1000)
    fake_clock.advance(minutes=30)
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, eur(1000), reason=REASON)
    sync_payment(payment)
    assert rows() == [(1000, "created", "api"), (1000, "pending", "gateway")]

    gateway.state.faults.clear()
    fake_clock.advance(minutes=2)
    Run().execute()
    assert rows() == [(1000, "pending", "api"), (1000, "pending", "gateway")]
    assert len(gateway.refunds(str(payment.gateway_id))) == 2


# --- What does not add up -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "note"),
    [
        ({"amount": 5000}, "more was refunded than paid"),
        ({"amount": 100, "currency": "usd"}, "without an amount in the payment's currency"),
        ({"amount": 0}, "without an amount in the payment's currency"),
    ],
)
def test_refunds_that_do_not_add_up_are_shown_to_a_person_once(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment, entry: dict[str, Any], note: str
) -> None:
    wire = {"id": "01J", "currency": "eur", "reason": "x", "status": "succeeded", "created_at": 1} | entry
    for _ in range(3):
        gateway.fault("retrieve", "override", fields={"refunds": [wire]})
        sync_payment(payment)
        fake_clock.advance(minutes=1)

    assert (payment.review_reason, payment.amount_refunded) == ("refund_mismatch", eur(0))
    (change,) = StatusChange.objects.filter(signal="payment_needs_review")
    assert note in change.note
    assert Refund.objects.count() == 0


def test_an_entry_that_changes_its_amount_is_shown_to_a_person(gateway: EmulatorServer, payment: Payment) -> None:
    refund = refund_payment(payment, eur(1200), reason=REASON)
    gateway.refunds(str(payment.gateway_id))[0].amount_minor = 1300
    sync_payment(payment)
    refund.refresh_from_db()
    assert (refund.status, refund.amount, payment.review_reason) == ("pending", eur(1200), "refund_mismatch")


def test_more_under_way_than_paid_leaves_nothing_to_refund(
    gateway: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    """Ours is unknown and never arrived, the dashboard gave the money back meanwhile."""
    gateway.fault("refund", "drop_before", times=4)
    refund_payment(payment, eur(3000), reason=REASON)
    gateway.refund(str(payment.gateway_id), 4000)
    gateway.state.faults.clear()
    sync_payment(payment)
    assert quote(payment).remaining == eur(0)

    for _ in range(
        2
    ):  # refused because of the dashboard's; five minutes later it is proven that nothing of ours is there
        fake_clock.advance(minutes=6)
        Run().execute()
    assert rows() == [(3000, "failed", "api"), (4000, "pending", "gateway")]
    assert quote(payment).remaining == eur(999)
