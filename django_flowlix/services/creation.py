"""Making the gateway create a payment whose row is committed: send, send again, or find out whether it was created.

Everything here is repeatable: the stored body goes out under the stored key, byte for byte, and only within the key's
life and under the API key it was first sent with. Otherwise sending would be a *new* charge, so the gateway's list is
asked instead. The caller holds the payment's lease.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import NoReturn

from django.db import DatabaseError

from ..api import AuthenticationError, CardError, FlowlixError, GatewayPayment, InvalidRequestError, NotFoundError
from ..api.idempotency import KEY_LIFE
from ..conf import Account
from ..exceptions import PaymentRejected, PaymentUnavailable, PaymentUnconfirmed
from ..models import Payment
from ..statuses import ChangeSource, PaymentStatus, ReviewReason
from . import booking, clock, schedule
from .gateway import Gateway
from .leases import take_from_other
from .sending import forget_sending, may_send_again, note_first_sending

logger = logging.getLogger("django_flowlix")

_CLOCK_SKEW = timedelta(minutes=10)
# A request may still be under way, and the gateway's list may lag behind its work.
_LIST_PROVES_AFTER = timedelta(minutes=5)
_COME_BACK_SECONDS = 30.0


def take_over(payment: Payment, account: Account) -> bool:
    """Claim a payment that another worker holds, if sending does no harm even beside it: same body, living key."""
    harmless = payment.first_sent_at is None or may_send_again(payment, account)
    return harmless and take_from_other(payment, account)


def submit(payment: Payment, gateway: Gateway, *, source: ChangeSource, is_new: bool = False) -> Payment:
    """Bring a `created` payment to a definite state: send it, send it again, or find it at the gateway.

    `is_new` says that this worker has just committed the row: nothing was sent before.
    Raises: PaymentRejected, PaymentUnavailable (certainly not started), PaymentUnconfirmed (not known)
    """
    if payment.livemode is not gateway.account.livemode:
        # The other mode's key can neither send it nor prove by its list that it does not exist.
        raise PaymentUnconfirmed("the payment belongs to the other mode's key", payment)
    sent_before = payment.first_sent_at is not None and not is_new
    if sent_before and not may_send_again(payment, gateway.account):
        return _find(payment, gateway, source=source)
    if payment.first_sent_at is None:
        note_first_sending(payment, gateway.account)
    try:
        answer = gateway.client().create_hosted_payment(
            body=payment.request_body, idempotency_key=payment.idempotency_key
        )
    except FlowlixError as error:
        _give_up(payment, error, gateway, source=source, sent_before=sent_before)
    try:
        booking.book(payment, answer, source=source, gateway=gateway, needs_page=True)
    except DatabaseError as error:  # the gateway has it, our books do not: the same bytes bring the same answer again
        logger.exception("payment %s was created but could not be booked", payment.pk)
        raise PaymentUnconfirmed("the payment was created and is being booked", payment) from error
    if payment.status == PaymentStatus.CREATED:
        raise PaymentUnconfirmed("the gateway's answer does not match the payment: it is under review", payment)
    return payment


def _give_up(
    payment: Payment, error: FlowlixError, gateway: Gateway, *, source: ChangeSource, sent_before: bool
) -> NoReturn:
    """Book a create that failed, and say what that means: refused, not started, or not known.

    A refusal of the key or the connection says nothing about what was sent before it.
    """
    if error.outcome_unknown or (sent_before and not error.settles_earlier_tries):
        _leave_unknown(payment, error, gateway, source=source)
    if isinstance(error, CardError | InvalidRequestError) and not isinstance(error, NotFoundError):
        booking.reject(payment, note=str(error), source=source, gateway=gateway, request_id=error.request_id)
        logger.error("payment %s was refused by the gateway: %s", payment.pk, error)
        raise PaymentRejected(f"the gateway refused to create the payment: {error}", payment) from error
    if isinstance(error, AuthenticationError | NotFoundError):
        logger.critical("Flowlix account %s cannot create payments: %s", payment.account, error)
    if not forget_sending(payment):
        _leave_unknown(payment, error, gateway, source=source)
    give_up_at = payment.created_at + schedule.NEVER_SENT_GIVES_UP_AFTER
    booking.book_failure(payment, error, source=source, gateway=gateway, next_sync_at=give_up_at)
    raise PaymentUnavailable(
        f"the payment was not started: {error}",
        payment,
        retry_after_seconds=error.retry_after_seconds or _COME_BACK_SECONDS,
    ) from error


def _leave_unknown(
    payment: Payment,
    error: FlowlixError,
    gateway: Gateway,
    *,
    source: ChangeSource,
    doubt: ReviewReason | None = None,
) -> NoReturn:
    booking.book_failure(payment, error, source=source, gateway=gateway, doubt=doubt)
    raise PaymentUnconfirmed("it is not known yet whether the payment was created", payment) from error


def _find(payment: Payment, gateway: Gateway, *, source: ChangeSource) -> Payment:
    """Look for the payment in the gateway's list by the key in its metadata; adopt it, or book its proven absence.

    Raises: PaymentUnconfirmed when the list cannot be read, or is read too early to prove anything
    """
    assert payment.first_sent_at is not None  # noqa: S101  narrows: only a sent payment is looked for
    begin, end = payment.first_sent_at - _CLOCK_SKEW, payment.first_sent_at + KEY_LIFE + _CLOCK_SKEW
    nameless = False
    try:
        for listed in gateway.client().list_payments(
            created_from=int(begin.timestamp()), created_before=int(end.timestamp())
        ):
            if listed.metadata.get("idempotency_key") == payment.idempotency_key:
                return booking.book(payment, listed, source=source, gateway=gateway)
            nameless = nameless or _may_be(payment, listed)
    except FlowlixError as error:
        _leave_unknown(payment, error, gateway, source=source)
    if clock.now() - payment.first_sent_at < _LIST_PROVES_AFTER:
        _leave_unknown(payment, NotFoundError("not in the list yet", operation="list"), gateway, source=source)
    if nameless:
        unclear = NotFoundError("the list has payments of this amount without our key", operation="list")
        _leave_unknown(payment, unclear, gateway, source=source, doubt=ReviewReason.UNPROVEN)
    return booking.reject(payment, note="the gateway's list does not have it", source=source, gateway=gateway)


def _may_be(payment: Payment, listed: GatewayPayment) -> bool:
    """Tell whether a listed payment that does not carry our key may yet be this one; a row of ours has its own."""
    alike = (listed.amount_minor, listed.currency) == (payment.amount_minor, payment.currency)
    if not alike or "idempotency_key" in listed.metadata:
        return False
    return not Payment.objects.filter(account=payment.account, gateway_id=listed.id).exists()
