"""Making the gateway do a refund whose row is committed: send, send again, or read what became of it.

Everything here is repeatable: the stored body goes out under the stored key, and only within the key's life and under
the API key it was first sent with, and only when the payment does not show the refund already. Otherwise sending could
refund *again*. The caller holds the refund's lease.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from ..api import (
    AuthenticationError,
    CardError,
    FlowlixError,
    GatewayPayment,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
    UnreadableAnswerError,
)
from ..conf import Account
from ..exceptions import RefundRejected
from ..models import Refund, StatusChange
from ..statuses import RefundStatus, ReviewReason
from . import booking, clock, notifications, schedule, transitions
from .gateway import Gateway
from .refund_ledger import is_refunded_in_full
from .refund_transitions import move_refund, under_lock
from .sending import forget_sending, may_send_again

logger = logging.getLogger("django_flowlix")

# A request may still be under way, and what the gateway shows may lag behind its work.
_READING_PROVES_AFTER = timedelta(minutes=5)
# A gateway that keeps no failed answers would do the work again, so its books get time to show what it has done.
_REPEATED_AFTER = timedelta(seconds=60)


def submit(refund: Refund, gateway: Gateway, *, source: str, is_new: bool = False) -> Refund:
    """Bring a `created` refund as far as it gets now; what stays open is taken up again by `flowlix_sync`.

    `is_new` says that this worker has just committed the row: nothing was sent before.
    Raises: RefundRejected; FlowlixError when the gateway could not be asked, and the refund stays open
    """
    sent_before = refund.first_sent_at is not None and not is_new
    if sent_before and not _is_still_wanted(refund, gateway, source):
        return refund
    if refund.first_sent_at is None and clock.now() - refund.created_at >= schedule.NEVER_SENT_GIVES_UP_AFTER:
        return _fail(refund, f"never sent, given up: {refund.note}", gateway, source)
    unknown_since = refund.last_sent_at if sent_before else None
    if not is_new and not _note_sending(refund, gateway.account):
        return refund  # another worker has taken over or settled it
    began = clock.monotonic()
    try:
        answer = gateway.client().refund_payment(
            payment_id=refund.payment.gateway_id or "",
            body=refund.request_body,
            idempotency_key=refund.idempotency_key or "",
        )
    except FlowlixError as error:
        gateway.shorten_deadline(clock.monotonic() - began)
        return _after_error(refund, error, gateway, source, unknown_since=unknown_since)
    return _book(refund, answer, gateway, source)


def _note_sending(refund: Refund, account: Account) -> bool:
    """Commit that the request goes out now; False when the refund is not ours to send any more."""
    now, first_sent_at = clock.now(), refund.first_sent_at or clock.now()
    sent = {"first_sent_at": first_sent_at, "last_sent_at": now, "api_key_fingerprint": account.api_key_fingerprint}
    mine = Refund.objects.filter(pk=refund.pk, status=RefundStatus.CREATED, lease_until=refund.lease_until)
    if not mine.update(**sent):
        refund.refresh_from_db()
        return False
    for name, value in sent.items():
        setattr(refund, name, value)
    return True


def is_of(refund: Refund, account: Account) -> bool:
    """Tell whether the configured account can be asked about a refund: it has the mode and contract of its payment."""
    payment = refund.payment
    return (payment.livemode, payment.contract) == (account.livemode, account.contract_name)


def postpone(refund: Refund) -> None:
    """Leave a refund until the mode and contract of its payment are configured again."""
    later = schedule.next_look_at_the_other_mode(clock.now())
    Refund.objects.filter(pk=refund.pk).update(lease_until=None, next_sync_at=later)


def _book(refund: Refund, answer: GatewayPayment, gateway: Gateway, source: str) -> Refund:
    try:
        booking.book(refund.payment, answer, source=source, gateway=gateway, accepted=refund)
    except DatabaseError:  # the gateway has it, our books do not: the same bytes bring the same answer again
        logger.exception("refund %s was accepted but could not be booked", refund.pk)
        return refund
    refund.refresh_from_db()
    if refund.status == RefundStatus.CREATED:
        _leave_open(refund, "the gateway's answer does not match the payment: it is under review", gateway)
    return refund


def _after_error(
    refund: Refund, error: FlowlixError, gateway: Gateway, source: str, *, unknown_since: datetime | None
) -> Refund:
    """Book a request that failed, by what that means: refused, not sent, or not known.

    `unknown_since` is when a request before it went out whose outcome is not known, None when there was none.
    Raises: RefundRejected; the error itself when the refund stays open
    """
    logger.warning("refund %s of payment %s: %s", refund.pk, refund.payment_id, error)
    if error.outcome_unknown or (unknown_since and not error.settles_earlier_tries):
        if isinstance(error, IdempotencyError) and refund.sync_failures:
            # Once, it may be in flight; again after all the waits, the key was used for another request.
            _flag(refund, f"the key of refund {refund.sequence} was used with another request", source)
        _leave_open(refund, str(error), gateway)
        raise error
    if isinstance(error, CardError | InvalidRequestError):
        if error.earlier_tries_unknown:
            unknown_since = refund.last_sent_at
        return _refused(refund, error, gateway, source, unknown_since=unknown_since)
    if isinstance(error, AuthenticationError):
        logger.critical("Flowlix account %s cannot refund payments: %s", refund.account, error)
    forget_sending(refund)
    _leave_open(refund, str(error), gateway)
    raise error


def _refused(
    refund: Refund,
    error: CardError | InvalidRequestError,
    gateway: Gateway,
    source: str,
    *,
    unknown_since: datetime | None,
) -> Refund:
    """Book a refusal once the payment has been read: "already refunded" is what was wanted.

    A request before this one that may have been done may be what the refusal is about; this one did nothing.
    Raises: RefundRejected; FlowlixError when nothing is proven, and the refund stays open
    """
    if not isinstance(error, NotFoundError):
        try:
            answer = _read(refund, gateway)
        except FlowlixError:
            _leave_open(refund, str(error), gateway)
            raise
        covered = refund if is_refunded_in_full(answer) else None
        if covered is None and unknown_since is None:
            # Nothing of ours is there: what looks like it was made by somebody else.
            _fail(refund, str(error), gateway, source, error)
        booking.book(refund.payment, answer, source=source, gateway=gateway, covered=covered)
        refund.refresh_from_db()
        if refund.status == RefundStatus.CREATED and unknown_since and _unproven(answer, unknown_since):
            _leave_open(refund, str(error), gateway, last_sent_at=unknown_since)
            raise error
    if refund.status == RefundStatus.CREATED:
        _fail(refund, str(error), gateway, source, error)
    if refund.status == RefundStatus.FAILED:
        raise RefundRejected(f"the gateway refused the refund: {error}", refund.payment, refund) from error
    return refund


def _is_still_wanted(refund: Refund, gateway: Gateway, source: str) -> bool:
    """Learn from the payment whether a refund that was sent is there; False when it must not go out again.

    A gateway that failed after it had done its work may have forgotten the key, so it is read before it is repeated.
    What is not shown when the key may not be used any more never happened.
    """
    try:
        answer = _read(refund, gateway)
    except FlowlixError as error:
        _leave_open(refund, str(error), gateway)
        raise
    booking.book(refund.payment, answer, source=source, gateway=gateway)
    refund.refresh_from_db()
    if refund.status != RefundStatus.CREATED:
        return False
    unproven = _unproven(answer, _last_sent_at(refund))
    if may_send_again(refund, gateway.account):
        if clock.now() - _last_sent_at(refund) >= _REPEATED_AFTER or gateway.account.contract.keeps_failed_answers:
            return True
        _leave_open(refund, unproven, gateway)
    elif unproven:
        if answer.refunds is None:
            _flag(refund, unproven, source)
        _leave_open(refund, unproven, gateway)
    else:
        _fail(refund, "the gateway does not have it", gateway, source)
    return False


def _unproven(answer: GatewayPayment, unknown_since: datetime) -> str:
    """Say why a payment that does not show a refund does not prove its absence; "" when it does."""
    if answer.refunds is None:
        return "the gateway does not show the payment's refunds"
    young = clock.now() - unknown_since < _READING_PROVES_AFTER
    return "the gateway does not show it yet" if young else ""


def _last_sent_at(refund: Refund) -> datetime:
    return refund.last_sent_at or refund.first_sent_at or refund.created_at


def _read(refund: Refund, gateway: Gateway) -> GatewayPayment:
    """Return the payment as the gateway has it.

    Raises: FlowlixError when it cannot be read, or the answer is about another payment
    """
    payment = refund.payment
    answer = gateway.client().retrieve_payment(payment_id=payment.gateway_id or "")
    if mismatches := booking.mismatches_of(payment, answer):
        raise UnreadableAnswerError(f"not the payment asked for: {'; '.join(mismatches)}", operation="retrieve")
    return answer


def _leave_open(refund: Refund, note: str, gateway: Gateway, **values: Any) -> Refund:
    """Book that nothing is decided: the amount stays reserved, the next try is planned."""
    failures, now = refund.sync_failures + 1, clock.now()

    def work() -> None:
        gateway.record()
        mine = Refund.objects.filter(pk=refund.pk, status=refund.status, lease_until=refund.lease_until)
        mine.update(
            lease_until=None,
            sync_failures=failures,
            next_sync_at=schedule.after_failure(failures, now),
            note=note[:500],
            updated_at=now,
            **values,
        )

    under_lock(refund.payment, work)  # locks are always taken in one order, the payment's first
    gateway.recorded()
    refund.refresh_from_db()
    return refund


def _fail(refund: Refund, note: str, gateway: Gateway, source: str, error: FlowlixError | None = None) -> Refund:
    """Book that the refund did not happen; its amount is free again."""
    values = {"lease_until": None, "next_sync_at": None, "request_body": "", "note": note[:500]}
    if error is not None:
        values["decline_code"] = error.decline_code

    def work() -> StatusChange | None:
        refund.refresh_from_db()
        gateway.record()
        if refund.status != RefundStatus.CREATED:
            return None  # a look has found it at the gateway meanwhile
        request_id = error.request_id if error is not None else ""
        return move_refund(refund, RefundStatus.FAILED, source=source, values=values, note=note, request_id=request_id)

    change = under_lock(refund.payment, work)
    gateway.recorded()
    if change is not None:
        notifications.deliver(change)
    return refund


def _flag(refund: Refund, note: str, source: str) -> None:
    """Show a person that a refund needs one; an ordinary answer about the payment does not settle that."""
    decision = transitions.Decision(source=source, doubt=lambda: ReviewReason.REFUND_MISMATCH, note=note)
    if change := transitions.apply(refund.payment, decision, also=lambda: None):
        notifications.deliver(change)
