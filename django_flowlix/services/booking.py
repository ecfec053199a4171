"""What an answer of the gateway means for a payment: verified, then booked; doubtful, then shown to a person.

Nothing becomes paid here unless id, amount, currency, mode and our own key in the metadata agree with the row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError

from ..api import (
    FlowlixError,
    GatewayPayment,
    GatewayRefundStatus,
    GatewayStatus,
    IdempotencyError,
    NotFoundError,
)
from ..models import Payment, Refund
from ..statuses import SETTLED_BY_AN_ANSWER, WAITING, ChangeSource, PaymentStatus, ReviewReason
from . import clock, notifications, refund_ledger, schedule, transitions
from .gateway import Gateway, is_trusted_page
from .refund_ledger import Settlement

logger = logging.getLogger("django_flowlix")

# Right after the create, a read may not know the payment yet.
_YOUNG = timedelta(minutes=5)
# A paid payment is read again for its refunds only: after a bad hour the ordinary pace is fast enough.
_FAILURES_OF_A_WATCHED_PAYMENT = 7
_MODES = {True: "live mode", False: "test mode", None: "no mode"}


def book(
    payment: Payment,
    answer: GatewayPayment,
    *,
    source: str,
    gateway: Gateway,
    needs_page: bool = False,
    accepted: Refund | None = None,
    covered: Refund | None = None,
) -> Payment:
    """Book one answer: transition, card, decline, refunds, the exchange; then tell the merchant's code.

    The first answer for a row also brings its id and, when it `needs_page`, a page that a customer may be sent to.
    `accepted` is the refund whose request it answers, `covered` the one that was refused because nothing is left to
    refund. An answer that does not match is flagged, never booked.
    """
    mismatches = mismatches_of(payment, answer)
    if needs_page and not is_trusted_page(gateway.account, answer.hosted_page_url):
        mismatches.append("hosted page on a host that is not in HOSTED_PAGE_HOSTS")
    if mismatches:
        return _book_mismatch(payment, "; ".join(mismatches), answer, source, gateway)
    decision = transitions.Decision(
        source=source,
        to=_following(payment, answer),
        values=_observed(payment, answer, gateway),
        doubt=lambda: _doubt(payment, answer),
        settles=SETTLED_BY_AN_ANSWER,
        note=f"unknown status {answer.gateway_status}" if answer.status is GatewayStatus.UNKNOWN else "",
        request_id=answer.request_id,
    )
    enter_refunds = partial(refund_ledger.settle, payment, answer, source=source, accepted=accepted, covered=covered)
    try:
        return _write(payment, decision, gateway, enter_refunds)
    except IntegrityError:
        payment.refresh_from_db()
    if decision.to == PaymentStatus.SUCCEEDED and _order_is_paid_otherwise(payment):
        second = replace(decision, doubt=lambda: ReviewReason.SECOND_SUCCESS)
        return _write(payment, second, gateway, enter_refunds)
    return _book_mismatch(payment, "payment id of another row", answer, source, gateway)


def book_failure(
    payment: Payment,
    error: FlowlixError,
    *,
    source: str,
    gateway: Gateway,
    doubt: ReviewReason | None = None,
    **values: Any,
) -> Payment:
    """Book a call that decided nothing: the status stays, the next look is planned, a lasting fault is flagged."""
    logger.warning("payment %s: %s", payment.pk, error)
    review = doubt or _lasting_fault(payment, error)
    decision = transitions.Decision(
        source=source,
        values=_later(payment, source) | values,
        doubt=lambda: review,
        note=str(error),
        request_id=error.request_id,
    )
    return _write(payment, decision, gateway)


def postpone(payment: Payment, gateway: Gateway) -> Payment:
    """Leave a payment of the other mode until its mode's key is configured again; nobody can be asked about it."""
    values = {"lease_until": None, "next_sync_at": schedule.next_look_at_the_other_mode(clock.now())}
    return _write(payment, transitions.Decision(source=ChangeSource.SYNC, values=values), gateway)


def reject(payment: Payment, *, note: str, source: str, gateway: Gateway, request_id: str = "") -> Payment:
    """Book that the gateway refused the payment for good, or that it is proven absent there."""
    decision = transitions.Decision(
        source=source,
        to=PaymentStatus.REJECTED,
        values={"lease_until": None, "next_sync_at": None, "request_body": ""},
        settles=SETTLED_BY_AN_ANSWER,
        note=note,
        request_id=request_id,
    )
    return _write(payment, decision, gateway)


def _book_mismatch(payment: Payment, note: str, answer: GatewayPayment, source: str, gateway: Gateway) -> Payment:
    logger.error("payment %s does not match the gateway's answer: %s", payment.pk, note)
    decision = transitions.Decision(
        source=source,
        values=_later(payment, source),
        doubt=lambda: ReviewReason.MISMATCH,
        note=note,
        request_id=answer.request_id,
    )
    return _write(payment, decision, gateway)


def _write(
    payment: Payment,
    decision: transitions.Decision,
    gateway: Gateway,
    enter_refunds: Callable[[], Settlement] = Settlement,
) -> Payment:
    settled = Settlement()

    def also() -> None:
        nonlocal settled
        gateway.record()
        settled = enter_refunds()

    change = transitions.apply(payment, decision, also=also)
    gateway.recorded()
    if settled.changes:
        payment.refresh_from_db()
    for news in [change, *settled.changes]:
        if news is not None:
            notifications.deliver(news)
    if settled.faults or settled.doubles:
        _flag_refunds(payment, settled, decision)
    return payment


def _flag_refunds(payment: Payment, settled: Settlement, decision: transitions.Decision) -> None:
    """Show a person that the gateway's refunds and ours do not add up; what could be booked is booked."""
    doubtful = transitions.Decision(
        source=decision.source,
        doubt=lambda: ReviewReason.REFUND_MISMATCH,
        is_new=bool(settled.doubles),
        note="; ".join([*settled.doubles, *settled.faults]),
        request_id=decision.request_id,
    )
    if change := transitions.apply(payment, doubtful, also=lambda: None):
        notifications.deliver(change)


def mismatches_of(payment: Payment, answer: GatewayPayment) -> list[str]:
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
        "next_sync_at": _next_look(payment, answer, undecided=undecided),
        "lease_until": None,
        "sync_failures": 0,
        "request_body": "",
        "gateway_status": answer.gateway_status,
        "decline_code": answer.decline_code,
        "decline_message": answer.decline_message,
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


def _next_look(payment: Payment, answer: GatewayPayment, *, undecided: bool) -> datetime | None:
    """Return when the background asks again: soon while it is open, now and then while it can be refunded."""
    if undecided:
        return schedule.next_look(payment.created_at, clock.now())
    watched = answer.status is GatewayStatus.SUCCEEDED and answer.amount_refunded_minor < payment.amount_minor
    return schedule.next_look_for_refunds(payment.created_at, clock.now()) if watched else None


def _later(payment: Payment, source: str) -> dict[str, Any]:
    """Return the columns of a look that decided nothing."""
    if source == ChangeSource.RETURN:
        return {}  # a waiting page asks every few seconds: its failures must not put off the background's look
    failures, now = payment.sync_failures + 1, clock.now()
    next_sync_at = schedule.after_failure(failures, now) if payment.is_open else None
    if payment.status == PaymentStatus.SUCCEEDED:
        next_sync_at = schedule.next_look_for_refunds(payment.created_at, now)
        if failures <= _FAILURES_OF_A_WATCHED_PAYMENT:
            next_sync_at = schedule.after_failure(failures, now)
    return {"lease_until": None, "sync_failures": failures, "next_sync_at": next_sync_at}


def _doubt(payment: Payment, answer: GatewayPayment) -> ReviewReason | None:
    """Return why a person must look before the merchant's code may believe an answer."""
    if answer.status is GatewayStatus.UNKNOWN:
        return ReviewReason.UNKNOWN_STATUS
    if answer.status is not GatewayStatus.SUCCEEDED or payment.status == PaymentStatus.SUCCEEDED:
        return None
    if payment.superseded_at is not None:
        return ReviewReason.SUPERSEDED_SUCCESS
    given_back = any(entry.status is not GatewayRefundStatus.FAILED for entry in answer.refunds or ())
    return ReviewReason.REFUNDED_EARLY if given_back else None


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
