"""Refunds of a part or of the rest, as many as the amount allows, each pending at first.

Source: docs.flowlix.dev/guides/refunds, docs.flowlix.dev/api-reference/payments/refund-a-payment
"""

from __future__ import annotations

from ..ids import ulid
from ..payments import Payment
from ..refunds import Refund, RefundNotAllowedError
from .base import RefundOrder

WINDOW_SECONDS = 180 * 24 * 60 * 60


def open_refund(payment: Payment, order: RefundOrder) -> None:
    """Add a pending refund. Raises: RefundNotAllowedError if the payment or the amount does not allow it."""
    _require_refundable(payment, order.now)
    remaining_minor = payment.amount_minor - payment.refunded_amount_minor
    amount_minor = remaining_minor if order.amount_minor is None else order.amount_minor
    if not 1 <= amount_minor <= remaining_minor:
        message = f"The amount must be from 1 to what can still be refunded, which is {remaining_minor}."
        raise RefundNotAllowedError("refund_amount_invalid", message)
    due_at = None if order.delay_seconds is None else order.now + order.delay_seconds
    refund_id, created = ulid(order.now), int(order.now)
    payment.add_refund(Refund(refund_id, amount_minor, payment.currency, order.reason, created, due_at))


def _require_refundable(payment: Payment, now: float) -> None:
    if payment.status == "refunded":
        raise RefundNotAllowedError("payment_already_refunded", "The payment has already been refunded in full.")
    if payment.status != "succeeded":
        message = f"Only a succeeded payment can be refunded; this one is {payment.status}."
        raise RefundNotAllowedError("payment_not_refundable", message)
    if now > payment.created + WINDOW_SECONDS:
        message = "A payment can be refunded within 180 days of its creation; this one is older."
        raise RefundNotAllowedError("refund_window_closed", message)
