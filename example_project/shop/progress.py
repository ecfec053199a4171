"""Where an order stands with its payment, in the customer's terms.

Reading only: an order becomes paid in `receivers.py`.
"""

from __future__ import annotations

from django_flowlix.models import Payment
from django_flowlix.statuses import PaymentStatus

from .models import Order


class Progress:
    """An order and the payment that counts: the one it is paid with, else one that succeeded, else the newest."""

    def __init__(self, order: Order) -> None:
        self.is_paid = order.paid_at is not None
        self.payment = _payment_that_counts(order)
        self.refunded = order.amount_refunded

    @property
    def is_refunded_in_full(self) -> bool:
        """Nothing of the payment is left with the shop."""
        return self.payment is not None and self.refunded >= self.payment.amount.major

    @property
    def is_being_booked(self) -> bool:
        """The money has arrived and the order does not know it yet; no second payment may be offered."""
        arrived = self._status == PaymentStatus.SUCCEEDED and not self.is_refunded_in_full
        return not self.is_paid and arrived

    @property
    def is_open(self) -> bool:
        """A payment has begun and nobody knows yet how it ends."""
        return not self.is_paid and self.payment is not None and self.payment.is_open

    @property
    def has_ended_unpaid(self) -> bool:
        """The last try ended without money; another one may begin."""
        ended = {PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED, PaymentStatus.REJECTED}
        return not self.is_paid and self._status in ended

    @property
    def customer_text(self) -> str:
        """What the gateway's decline code means to the customer; "" when no card was declined."""
        payment = self.payment
        if payment is None or not payment.decline_code or payment.decline is None:
            return ""
        return payment.decline.customer_text

    @property
    def _status(self) -> str:
        return self.payment.status if self.payment else ""


def _payment_that_counts(order: Order) -> Payment | None:
    payments = list(Payment.objects.for_order(order.reference))
    booked = [payment for payment in payments if payment.paid_order_reference is not None]
    succeeded = [payment for payment in payments if payment.status == PaymentStatus.SUCCEEDED]
    return next(iter(booked or succeeded or payments), None)
