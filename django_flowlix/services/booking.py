"""What an answer of the gateway means for a payment: verified, then booked; doubtful, then shown to a person.

Nothing becomes paid here unless id, amount, currency, mode and our own key in the metadata agree with the row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError

from ..api import FlowlixError, GatewayPayment, GatewayStatus, IdempotencyError, NotFoundError
from ..models import Payment
from ..statuses import WAITING, ChangeSource, PaymentStatus, ReviewReason
from . import clock, notifications, schedule, transitions
from .gateway import Gateway, is_trusted_page

logger = logging.getLogger("django_flowlix")

# Right after the create, a read may not know the payment yet.
_YOUNG = timedelta(minutes=5)
_MODES = {True: "live mode", False: "test mode", None: "no mode"}


def book(
    payment: Payment, answer: GatewayPayment, *, source: str, gateway: Gateway, needs_page: bool = False
) -> Payment:
    """Book one answer: transition, card, decline, refunded sum, the exchange; then tell the merchant's code.

    The first answer for a row also brings its id and, when it `needs_page`, a page that a customer may be sent to. An
    answer that does not match is flagged, never booked.
    """
    mismatches = _mismatches(payment, answer)
    if needs_page and not is_trusted_page(gateway.account, answer.hosted_page_url):
        mismatches.append("hosted page on a host that is not in HOSTED_PAGE_HOSTS")
    if mismatches:
        note = "; ".join(mismatches)
        logger.error("payment %s does not match the gateway's answer: %s", payment.pk, note)
        return _keep(payment, _later(payment, source), source, gateway, ReviewReason.MISMATCH, note)
    values = _observed(payment, answer, gateway)
    note = f"unknown status {answer.gateway_status}" if answer.status is GatewayStatus.UNKNOWN else ""
    to = _following(payment, answer)
    try:
        return _apply(payment, to, values, source, gateway, lambda: _doubt(payment, answer, to), note)
    except IntegrityError:
        payment.refresh_from_db()
    if to == PaymentStatus.SUCCEEDED and _order_is_paid_otherwise(payment):
        return _apply(payment, to, values, source, gateway, lambda: ReviewReason.SECOND_SUCCESS)
    return _keep(payment, _later(payment, source), source, gateway, ReviewReason.MISMATCH, "payment id of another row")


def book_failure(payment: Payment, error: FlowlixError, *, source: str, gateway: Gateway, **values: Any) -> Payment:
    """Book a call that decided nothing: the status stays, the next look is planned, a lasting fault is flagged."""
    logger.warning("payment %s: %s", payment.pk, error)
    review = _lasting_fault(payment, error)
    return _keep(payment, _later(payment, source) | values, source, gateway, review, str(error))


def postpone(payment: Payment, gateway: Gateway) -> Payment:
    """Leave a payment of the other mode until its mode's key is configured again; nobody can be asked about it."""
    values = {"lease_until": None, "next_sync_at": schedule.next_look_at_the_other_mode(clock.now())}
    return _keep(payment, values, ChangeSource.SYNC, gateway, None, "")


def reject(payment: Payment, *, note: str, source: str, gateway: Gateway) -> Payment:
    """Book that the gateway refused the payment for good, or that it is proven absent there."""
    values = {"lease_until": None, "next_sync_at": None, "request_body": ""}
    return _apply(payment, PaymentStatus.REJECTED, values, source, gateway, lambda: None, note)


def _keep(
    payment: Payment,
    values: dict[str, Any],
    source: str,
    gateway: Gateway,
    review: ReviewReason | None,
    note: str,
) -> Payment:
    return _apply(payment, None, values, source, gateway, lambda: review, note)


def _apply(
    payment: Payment,
    to: PaymentStatus | None,
    values: dict[str, Any],
    source: str,
    gateway: Gateway,
    doubt: Callable[[], ReviewReason | None],
    note: str = "",
) -> Payment:
    change = transitions.apply(payment, to, source=source, values=values, doubt=doubt, note=note, also=gateway.record)
    gateway.recorded()
    if change is not None:
        notifications.deliver(change)
    return payment


def _mismatches(payment: Payment, answer: GatewayPayment) -> list[str]:
    """Say in which points an answer is not about this payment, in our own words."""
    key = answer.metadata.get("idempotency_key", payment.idempotency_key)
    points = (
        (payment.gateway_id in (None, answer.id), "another payment id"),
        (
            answer.amount_minor == payment.amount_minor,
            f"amount {answer.amount_minor} instead of {payment.amount_minor}",
        ),
        (answer.currency == payment.currency, f"currency {answer.currency[:3]} instead of {payment.currency}"),
        (
            answer.livemode is payment.livemode,
            f"{_MODES[answer.livemode]} instead of {_MODES[payment.livemode]}",
        ),
        (key == payment.idempotency_key, "made under another idempotency key"),
    )
    return [text for agrees, text in points if not agrees]


def _following(payment: Payment, answer: GatewayPayment) -> PaymentStatus | None:
    """Return the status an answer leads to; None for a word we do not know, unless it proves the payment's creation."""
    if answer.status is not GatewayStatus.UNKNOWN:
        return PaymentStatus(answer.status.value)
    return PaymentStatus.PENDING if payment.status == PaymentStatus.CREATED else None


def _observed(payment: Payment, answer: GatewayPayment, gateway: Gateway) -> dict[str, Any]:
    """Return what an answer that matches says, as columns."""
    now = clock.now()
    undecided = answer.status is GatewayStatus.UNKNOWN or answer.status.value in WAITING
    values: dict[str, Any] = {
        "last_synced_at": now,
        "next_sync_at": schedule.next_look(payment.created_at, now) if undecided else None,
        "lease_until": None,
        "sync_failures": 0,
        "request_body": "",
        "gateway_status": answer.gateway_status,
        "decline_code": answer.decline_code,
        "decline_message": answer.decline_message,
        "amount_refunded_minor": answer.amount_refunded_minor,
    }
    if answer.card is not None:
        card = answer.card
        values |= {"card_brand": card.brand, "card_last4": card.last4, "card_country": card.country}
        values |= {"card_exp_month": card.exp_month, "card_exp_year": card.exp_year}
    if not payment.gateway_id:
        values |= {"gateway_id": answer.id, "request_id": answer.request_id}
        # The answer to the create is no look: the customer may pay, and return, within the second.
        values |= {"last_synced_at": None, "next_sync_at": now if undecided else None}
    if not payment.hosted_page_url and is_trusted_page(gateway.account, answer.hosted_page_url):
        values["hosted_page_url"] = answer.hosted_page_url
    return values


def _later(payment: Payment, source: str) -> dict[str, Any]:
    """Return the columns of a look that decided nothing."""
    if source == ChangeSource.RETURN:
        return {}  # a waiting page asks every few seconds: its failures must not put off the background's look
    failures = payment.sync_failures + 1
    return {
        "lease_until": None,
        "sync_failures": failures,
        "next_sync_at": schedule.after_failure(failures, clock.now()) if payment.is_open else None,
    }


def _doubt(payment: Payment, answer: GatewayPayment, to: PaymentStatus | None) -> ReviewReason | None:
    """Return why a person must look before the merchant's code may believe an answer."""
    if answer.status is GatewayStatus.UNKNOWN:
        return ReviewReason.UNKNOWN_STATUS
    if to != PaymentStatus.SUCCEEDED or payment.status == PaymentStatus.SUCCEEDED:
        return None
    if payment.superseded_at is not None:
        return ReviewReason.SUPERSEDED_SUCCESS
    return ReviewReason.REFUNDED_EARLY if answer.amount_refunded_minor else None


def _lasting_fault(payment: Payment, error: FlowlixError) -> ReviewReason | None:
    if isinstance(error, NotFoundError) and payment.gateway_id:
        return ReviewReason.NOT_FOUND if clock.now() - payment.created_at > _YOUNG else None
    # Once, it may be in flight; again after all the waits, the key was used with another body.
    return ReviewReason.KEY_CONFLICT if isinstance(error, IdempotencyError) and payment.sync_failures else None


def _order_is_paid_otherwise(payment: Payment) -> bool:
    return (
        Payment.objects.filter(account=payment.account, paid_order_reference=payment.order_reference)
        .exclude(pk=payment.pk)
        .exists()
    )
