"""Giving money back: the amount is reserved and committed before the gateway hears of it, and sent under a stored key.

One refund here is at most one refund at the gateway. A request may go out again only under the API key and within the
life of its idempotency key; afterwards reading the payment tells what became of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError

from ..api import FlowlixError, Money
from ..api.idempotency import refund_key
from ..api.wire import body_text
from ..conf import Account
from ..conf import account as configured_account
from ..models import Payment, Refund
from ..statuses import ChangeSource, RefundSource
from . import clock, leases, refund_sending
from .gateway import Gateway
from .refund_ledger import next_sequence
from .refund_request import check_refund, wire_request
from .refund_transitions import under_lock
from .spans import traced

_MOST_ROUNDS = 6
_ROUND_PAUSE_SECONDS = 0.1


@traced("refund_payment")
def refund_payment(
    payment: Payment,
    amount: Money | None = None,
    *,
    reason: str,
    actor: Any = None,
    source: str = RefundSource.API,
    submission_token: str | None = None,
) -> Refund:
    """Refund a paid payment, in part where the contract allows it; returns the refund as it stands then.

    `amount` None means all that is left. `reason` is for the books, and for the gateway where it takes one. `actor` is
    the user who asks for it. A second call with the same `submission_token` (at most 64 characters, of a form, say)
    returns the first one's refund and does nothing (`is_repeat`).

    The returned refund is `succeeded`; `pending` (the gateway is at it); or `created`: the outcome is not known yet
    (`is_unconfirmed`), or it could not be sent yet and `note` says why. `flowlix_sync` completes what is open; the
    signals refund_succeeded and refund_failed tell how it ended. `payment` is up to date afterwards.

    Raises: InvalidRefundRequest (nothing happened), RefundRejected (the gateway refused); RuntimeError inside
        `atomic()`.
    Source: docs.flowlix.eu/guides/refunds, docs.flowlix.dev/guides/refunds
    """
    began = clock.monotonic()
    asked = _Asked(amount, reason, actor, source, submission_token or None)
    refund, is_new = _reserved(payment, asked)
    refund.is_repeat = not is_new
    try:
        if is_new:
            gateway = Gateway(configured_account(payment.account), refund=refund)
            gateway.shorten_deadline(clock.monotonic() - began)
            with suppress(FlowlixError):  # the row says what is not settled, and the background goes on
                refund_sending.submit(refund, gateway, source=_change_source(source), is_new=True)
    finally:
        payment.refresh_from_db()
    return refund


def submitted_refund(submission_token: str) -> Refund | None:
    """Return the refund that a form's token has brought about, None when it has brought about none."""
    return Refund.objects.filter(submission_token=submission_token).first()


@dataclass(frozen=True, slots=True)
class _Asked:
    amount: Money | None
    reason: str
    actor: Any
    source: str
    submission_token: str | None


def _reserved(payment: Payment, asked: _Asked) -> tuple[Refund, bool]:
    """Return the committed refund, and whether it is new. Raises: InvalidRefundRequest"""
    for _ in range(_MOST_ROUNDS - 1):
        try:
            return under_lock(payment, lambda: _reserve(payment, asked))
        except (IntegrityError, OperationalError):
            # Another worker took the number, or SQLite is locked: nothing was sent.
            clock.sleep(_ROUND_PAUSE_SECONDS)
    return under_lock(payment, lambda: _reserve(payment, asked))


def _reserve(payment: Payment, asked: _Asked) -> tuple[Refund, bool]:
    if asked.submission_token is not None:
        earlier = payment.refunds.filter(submission_token=asked.submission_token).first()
        if earlier is not None:
            return earlier, False
    payment.refresh_from_db()
    amount = check_refund(payment, asked.amount, asked.reason)
    return _insert(payment, amount, asked), True


def _insert(payment: Payment, amount: Money, asked: _Asked) -> Refund:
    account = configured_account(payment.account)
    sequence, now, reason = next_sequence(payment), clock.now(), asked.reason.strip()
    return Refund.objects.create(
        payment=payment,
        account=payment.account,
        sequence=sequence,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        exponent=amount.exponent,
        reason=reason,
        source=asked.source,
        requested_by=asked.actor,
        requested_by_name=asked.actor.get_username()[:150] if asked.actor is not None else "",
        submission_token=asked.submission_token,
        request_body=_body(payment, account, amount, reason),
        idempotency_key=refund_key(payment.order_reference, sequence, account.idempotency_namespace),
        api_key_fingerprint=account.api_key_fingerprint,
        first_sent_at=now,
        last_sent_at=now,
        next_sync_at=now,
        lease_until=leases.lease_until(account),
        created_at=now,
        updated_at=now,
    )


def _body(payment: Payment, account: Account, amount: Money, reason: str) -> str:
    """Return the exact text to send, "" where the contract sends none."""
    body = account.contract.refund_body(wire_request(payment, amount, reason))
    return "" if body is None else body_text(body).reveal()


def _change_source(source: str) -> ChangeSource:
    return ChangeSource.ADMIN if source == RefundSource.ADMIN else ChangeSource.API
