"""Where an order stands with its payment, in the customer's terms.

Reading only: an order becomes paid in `receivers.py`.
"""

from __future__ import annotations

from django_flowlix.models import Payment
from django_flowlix.statuses import PaymentStatus

from .models import Order


class Progress:
    """An order and the payment that counts: the one that succeeded, else the newest."""

    def __init__(self, order: Order) -> None:
        self.is_paid = order.paid_at is not None
        self.payment = _payment_that_counts(order)

    @property
    def is_being_booked(self) -> bool:
        """The money has arrived and the order does not know it yet; no second payment may be offered."""
        return not self.is_paid and self._status == PaymentStatus.SUCCEEDED

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
    succeeded = [payment for payment in payments if payment.status == PaymentStatus.SUCCEEDED]
    return next(iter(succeeded or payments), None)
