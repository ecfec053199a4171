"""Refunds under contract `eu`: once, in full, at once; and what is refused before a row or a request exists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import ProtectedError

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import InvalidRefundRequest, RefundRejected
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.services.refund_request import quote
from tests.conftest import TEST_KEY, FakeClock, a_request

pytestmark = pytest.mark.django_db

EUR = "EUR"
REASON = "customer sent it back"


@pytest.fixture
def payment(emulator: EmulatorServer, fake_clock: FakeClock) -> Payment:
    """Paid an hour ago."""
    return pay(emulator, fake_clock)


def pay(emulator: EmulatorServer, fake_clock: FakeClock, **changes: Any) -> Payment:
    payment = start_payment(a_request(**changes))
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    fake_clock.advance(hours=1)
    return payment


def sent(emulator: EmulatorServer) -> list[tuple[str | None, str]]:
    return [(entry.idempotency_key, entry.body) for entry in emulator.log("refund")]


def signals() -> list[str]:
    return list(StatusChange.objects.exclude(signal="").order_by("pk").values_list("signal", flat=True))


def steps() -> list[tuple[str, str, str]]:
    changes = StatusChange.objects.filter(refund__isnull=False).order_by("pk")
    return list(changes.values_list("from_status", "to_status", "source"))


# --- What happens when all goes well --------------------------------------------------------------------------


def test_a_full_refund_is_booked_with_who_asked_and_why(emulator: EmulatorServer, payment: Payment) -> None:
    clerk = get_user_model().objects.create_user("clerk")

    refund = refund_payment(payment, reason=f"  {REASON} ", actor=clerk, source="admin")

    stored = Refund.objects.get()
    assert stored == refund
    assert (stored.status, stored.amount, stored.reason) == ("succeeded", Money(4999, EUR), REASON)
    assert (stored.requested_by, stored.requested_by_name, stored.source) == (clerk, "clerk", "admin")
    assert (stored.sequence, stored.idempotency_key) == (1, "refund-order-1001-1")
    assert (stored.request_body, stored.next_sync_at, stored.lease_until) == ("", None, None)
    assert stored.request_id == emulator.log("refund")[0].request_id
    assert sent(emulator) == [("refund-order-1001-1", "")]
    assert emulator.payments()[0].status == "refunded"


def test_the_payment_knows_at_once_and_stays_succeeded(payment: Payment) -> None:
    refund_payment(payment, reason=REASON)

    stored = Payment.objects.get()
    for known in (payment, stored):
        assert (known.status, known.amount_refunded, known.gateway_status) == (
            "succeeded",
            Money(4999, EUR),
            "refunded",
        )
    assert stored.next_sync_at is None, "nothing is left to refund"
    assert steps() == [("created", "succeeded", "api")]
    assert signals() == ["payment_succeeded", "refund_succeeded"]


def test_p9_the_exchange_stands_with_payment_and_refund(emulator: EmulatorServer, payment: Payment) -> None:
    refund = refund_payment(payment, reason=REASON)

    call = ApiCall.objects.get(operation="refund")
    assert (call.payment, call.refund) == (payment, refund)
    assert (call.http_status, call.request_id) == (200, emulator.log("refund")[0].request_id)


def test_the_name_of_who_asked_outlives_the_account(payment: Payment) -> None:
    clerk = get_user_model().objects.create_user("clerk")
    refund_payment(payment, reason=REASON, actor=clerk)
    clerk.delete()

    stored = Refund.objects.get()
    assert (stored.requested_by, stored.requested_by_name) == (None, "clerk")


def test_the_whole_amount_may_be_named(payment: Payment) -> None:
    assert refund_payment(payment, Money.from_major("49.99", EUR), reason=REASON).status == "succeeded"


def test_another_installation_of_the_same_key_has_keys_of_its_own(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"IDEMPOTENCY_NAMESPACE": "north"}}
    refund_payment(pay(emulator, fake_clock), reason=REASON)
    assert sent(emulator) == [("north-refund-order-1001-1", "")]


def test_i11_two_payments_of_one_order_have_keys_of_their_own(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    first = start_payment(a_request())
    second = pay(emulator, fake_clock, amount=Money(5999, EUR))
    emulator.pay(str(first.gateway_id))
    sync_payment(first)
    assert first.review_reason == "second_success"

    refund_payment(first, reason=REASON)
    refund_payment(second, reason=REASON)

    assert [key for key, _ in sent(emulator)] == ["refund-order-1001-1", "refund-order-1001-2"]
    assert [payment.status for payment in emulator.payments()] == ["refunded", "refunded"]


@pytest.mark.parametrize("delete", [Refund.delete, lambda refund: Refund.objects.filter(pk=refund.pk).delete()])
def test_a5_refunds_are_not_deleted(payment: Payment, delete: Callable[[Refund], object]) -> None:
    refund = refund_payment(payment, reason=REASON)
    with pytest.raises(ProtectedError):
        delete(refund)
    assert Refund.objects.count() == 1


def test_c11_inside_a_transaction_it_refuses_before_any_request(emulator: EmulatorServer, payment: Payment) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        refund_payment(payment, reason=REASON)
    assert sent(emulator) == []


def test_no_statement_runs_and_no_transaction_is_open_while_the_gateway_works(
    emulator: EmulatorServer, payment: Payment, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    from django_flowlix.api.transport import Transport

    real_send, seen = Transport.send, []

    def send(self: Transport, *args: Any, **kwargs: Any) -> Any:
        seen.append(Refund.objects.get().first_sent_at is not None)
        with django_assert_num_queries(0):
            return real_send(self, *args, **kwargs)

    monkeypatch.setattr(Transport, "send", send)
    refund_payment(payment, reason=REASON)
    assert seen == [True], "the reservation is committed before the first byte is sent"


# --- Bad input: no request, no row ----------------------------------------------------------------------------


def refused(payment: Payment, emulator: EmulatorServer, *args: Any, **kwargs: Any) -> dict[str, tuple[str, ...]]:
    """Return the faults by field; nothing else must have happened."""
    before = (Refund.objects.count(), len(emulator.log()))
    with pytest.raises(InvalidRefundRequest) as raised:
        refund_payment(payment, *args, **{"reason": REASON} | kwargs)
    assert (Refund.objects.count(), len(emulator.log())) == before
    assert "; ".join(raised.value.faults) == str(raised.value)
    return raised.value.fields


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (Money(5000, EUR), "At most 49.99 EUR can be refunded."),
        (Money(0, EUR), "Write an amount above zero."),
        (Money(4998, EUR), "Payments of this account are refunded once and in full: 49.99 EUR."),
        (Money(4999, "USD"), "The payment was made in EUR: refund it in the same currency."),
        (Money(49991, EUR, 3), "49.991 EUR has 3 decimals, EUR has 2: round the amount before"),
        (49.99, "Write the amount as Money, such as Money.from_major('12.50', 'EUR')."),
    ],
)
def test_u3_amounts_that_cannot_be_refunded(
    emulator: EmulatorServer, payment: Payment, amount: Any, sentence: str
) -> None:
    assert refused(payment, emulator, amount) == {"amount": (sentence,)}


@pytest.mark.parametrize(
    ("reason", "part"),
    [
        ("", "Write the reason"),
        (" \t ", "Write the reason"),
        (None, "Write the reason"),
        ("x" * 256, "256 characters, at most 255"),
        ("sent back\nas broken", "line break"),
        ("a\x00b", "line break or control character"),
        ("paid with 4242 4242 4242 4242", "card number"),
        ("4242.4242.4242.4242", "card number"),
    ],
)
def test_u13_reasons_that_are_not_taken(emulator: EmulatorServer, payment: Payment, reason: Any, part: str) -> None:
    fields = refused(payment, emulator, reason=reason)
    assert list(fields) == ["reason"]
    assert part in fields["reason"][0]
    assert "4242" not in str(fields)


def test_every_fault_is_named_at_its_field(emulator: EmulatorServer, payment: Payment) -> None:
    assert list(refused(payment, emulator, Money(0, EUR), reason="")) == ["amount", "reason"]


@pytest.mark.parametrize("reason", ["x" * 255, "Größe falsch 👕", "ref 2026-11-24, order 1234567890123"])
def test_reasons_that_are_taken(payment: Payment, reason: str) -> None:
    assert refund_payment(payment, reason=reason).reason == reason


@pytest.mark.parametrize("status", ["created", "pending", "failed", "canceled", "expired", "rejected"])
def test_u8_only_a_paid_payment_is_refunded(emulator: EmulatorServer, payment: Payment, status: str) -> None:
    Payment.objects.update(status=status)
    fields = refused(payment, emulator)
    assert list(fields) == ["payment"]
    assert "Only a paid payment can be refunded" in fields["payment"][0]


def test_u8_payment_of_the_other_mode(emulator: EmulatorServer, payment: Payment) -> None:
    Payment.objects.update(livemode=True)
    sentence = "The payment was made with a live key, and a test key is configured now."
    assert refused(payment, emulator) == {"payment": (sentence,)}


def test_payment_of_another_contract(emulator: EmulatorServer, payment: Payment) -> None:
    Payment.objects.update(contract="dev")
    assert "made under contract “dev”, and “eu” is configured" in refused(payment, emulator)["payment"][0]


def test_payment_of_an_account_that_is_not_configured_any_more(emulator: EmulatorServer, payment: Payment) -> None:
    Payment.objects.update(account="closed")
    assert "“closed”" in refused(payment, emulator)["payment"][0]


def test_no_window_is_known_for_this_contract(payment: Payment) -> None:
    Payment.objects.update(created_at=payment.created_at - timedelta(days=4000))
    assert refund_payment(payment, reason=REASON).status == "succeeded"


def test_a_second_refund_is_refused_here(emulator: EmulatorServer, payment: Payment) -> None:
    refund_payment(payment, reason=REASON)
    assert refused(payment, emulator) == {"payment": ("The payment has been refunded in full.",)}
    assert len(sent(emulator)) == 1


def test_u1_a_second_refund_while_the_first_is_unknown_is_refused_here(
    emulator: EmulatorServer, payment: Payment
) -> None:
    emulator.fault("refund", "drop_after", times=4)
    assert refund_payment(payment, reason=REASON).is_unconfirmed
    sentence = "A refund of 49.99 EUR is under way, and nothing else is left to refund."
    assert refused(payment, emulator) == {"payment": (sentence,)}


def test_quote_tells_the_same_without_raising(emulator: EmulatorServer, payment: Payment) -> None:
    before = quote(payment)
    assert (before.remaining, before.reserved, before.partial, before.max_reason_length, before.obstacles) == (
        Money(4999, EUR),
        Money(0, EUR),
        False,
        255,
        (),
    )
    emulator.fault("refund", "drop_after", times=4)
    refund_payment(payment, reason=REASON)
    after = quote(payment)
    assert (after.remaining, after.reserved, len(after.obstacles)) == (Money(0, EUR), Money(4999, EUR), 1)


# --- Submitted twice ------------------------------------------------------------------------------------------


def test_u2_the_same_submission_does_nothing_the_second_time(emulator: EmulatorServer, payment: Payment) -> None:
    first = refund_payment(payment, reason=REASON, submission_token="form-1")
    again = refund_payment(payment, reason=REASON, submission_token="form-1")

    assert first == again
    assert len(sent(emulator)) == Refund.objects.count() == 1
    assert signals().count("refund_succeeded") == 1


def test_u2_a_submission_whose_outcome_is_unknown_is_not_sent_by_the_second(
    emulator: EmulatorServer, payment: Payment
) -> None:
    emulator.fault("refund", "drop_after", times=4)
    first = refund_payment(payment, reason=REASON, submission_token="form-1")
    again = refund_payment(payment, reason=REASON, submission_token="form-1")
    assert (first, again.is_unconfirmed) == (again, True)
    assert len(sent(emulator)) == 4


# --- Refused by the gateway -----------------------------------------------------------------------------------


def test_u6_already_refunded_in_the_dashboard_settles_the_row(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.refund(str(payment.gateway_id))

    refund = refund_payment(payment, reason=REASON)

    assert (refund.status, Payment.objects.get().amount_refunded) == ("succeeded", Money(4999, EUR))
    assert Refund.objects.count() == 1
    assert [entry.operation for entry in emulator.log()][-2:] == ["refund", "retrieve"]
    assert ApiCall.objects.get(operation="refund").error_code == "payment_already_refunded"
    assert signals() == ["payment_succeeded", "refund_succeeded"]


def test_a_refusal_releases_the_amount_and_says_why(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.fault("refund", "status_before", status=422)

    with pytest.raises(RefundRejected) as raised:
        refund_payment(payment, reason=REASON)

    refund = Refund.objects.get()
    assert raised.value.refund == refund
    assert (refund.status, refund.next_sync_at, refund.lease_until, refund.request_body) == ("failed", None, None, "")
    assert "HTTP 422" in refund.note
    assert steps() == [("created", "failed", "api")]
    assert signals() == ["payment_succeeded", "refund_failed"]
    assert Payment.objects.get().amount_refunded == Money(0, EUR)

    again = refund_payment(payment, reason=REASON)
    assert (again.status, again.idempotency_key) == ("succeeded", "refund-order-1001-2")


def test_a_refusal_is_not_final_while_the_payment_cannot_be_read(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    """ "Already refunded" may be the reason, and only the payment tells."""
    emulator.refund(str(payment.gateway_id))
    emulator.fault("retrieve", "status_before", status=503, times=4)

    refund = refund_payment(payment, reason=REASON)
    assert (refund.status, refund.lease_until) == ("created", None)
    assert refund.next_sync_at is not None

    fake_clock.advance(minutes=2)
    Run().execute()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert len({key for key, _ in sent(emulator)}) == 1


def test_a_payment_that_the_gateway_does_not_know_is_not_refunded(emulator: EmulatorServer, payment: Payment) -> None:
    emulator.fault("refund", "status_before", status=404)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason=REASON)
    assert Refund.objects.get().status == "failed"


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (403, 1)])
def test_k5_a_refused_key_leaves_the_refund_waiting_unsent(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment, status: int, calls: int
) -> None:
    emulator.fault("refund", "status_before", status=status)
    refund = refund_payment(payment, reason=REASON)

    assert (refund.status, refund.first_sent_at, refund.is_unconfirmed) == ("created", None, False)
    assert f"HTTP {status}" in refund.note
    assert len(sent(emulator)) == calls

    fake_clock.advance(minutes=1)
    assert Run().execute().changed == 1
    refund.refresh_from_db()
    assert (refund.status, refund.note) == ("succeeded", "")


def test_n1_unreachable_gateway_is_tried_again_and_given_up_after_half_an_hour(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment, settings: Any
) -> None:
    there = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": there | {"API_URL": "http://127.0.0.1:9"}}
    refund = refund_payment(payment, reason=REASON)
    assert (refund.status, refund.first_sent_at) == ("created", None)

    fake_clock.advance(minutes=29)
    Run().execute()
    refund.refresh_from_db()
    assert (refund.status, refund.first_sent_at) == ("created", None)

    fake_clock.advance(minutes=31)
    settings.FLOWLIX = {"default": there}
    Run().execute()
    refund.refresh_from_db()
    assert refund.status == "failed", "nobody expects it any more, and somebody may have used the dashboard"
    assert refund.note.startswith("never sent, given up")
    assert emulator.payments()[0].status == "succeeded"
    assert sent(emulator) == []


def test_r1_over_the_limit_waits_as_long_as_asked(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    emulator.fault("refund", "rate_limited", retry_after_seconds=120)
    refund = refund_payment(payment, reason=REASON)
    assert (refund.status, refund.first_sent_at) == ("created", None)

    fake_clock.advance(seconds=121)
    Run().execute()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert len(sent(emulator)) == 2


def test_k3_refund_waits_while_the_other_modes_key_is_configured(
    emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment
) -> None:
    emulator.fault("refund", "drop_after", times=4)
    refund = refund_payment(payment, reason=REASON)
    Payment.objects.update(livemode=True, next_sync_at=None)
    requests = len(emulator.log())
    fake_clock.advance(hours=2)
    report = Run().execute()

    refund.refresh_from_db()
    assert (refund.status, report.errors, len(emulator.log())) == ("created", [], requests)
    assert Run().count() == 0, "not taken up again at once"


@pytest.mark.parametrize(("kind", "options"), [("drop_before", {"times": 4}), ("status_before", {"status": 403})])
def test_revoked_key_in_sync_stops_the_account_after_one_request(
    emulator: EmulatorServer, fake_clock: FakeClock, kind: str, options: dict[str, Any]
) -> None:
    """Unknown refunds, which are read first, and ones that were never sent."""
    for number in range(3):
        payment = pay(emulator, fake_clock, order_reference=str(number))
        emulator.fault("refund", kind, **options)
        refund_payment(payment, reason=REASON)
    fake_clock.advance(minutes=1)
    Payment.objects.update(next_sync_at=None)
    emulator.revoke_key(TEST_KEY)
    requests = len(emulator.log())
    report = Run().execute()

    assert Refund.objects.filter(status="created").count() == 3
    assert (report.failed, len(report.errors)) == (3, 1)
    assert len(emulator.log()) - requests == 1
