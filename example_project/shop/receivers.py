"""The one place where an order becomes paid, and learns what was given back."""

from __future__ import annotations

import logging

from django.dispatch import receiver

from django_flowlix.models import Payment, Refund
from django_flowlix.signals import payment_succeeded, refund_failed, refund_succeeded

from .models import CURRENCY, Order

logger = logging.getLogger(__name__)


@receiver(payment_succeeded)
def book_payment(sender: object, payment: Payment, **kwargs: object) -> None:
    """Mark the order as paid. Called again for a payment it has booked, it changes nothing."""
    order = payment.order
    if not isinstance(order, Order):
        return  # a payment of another part of the site
    if payment.amount != order.amount:
        # The order changed after the payment began: a person decides, the customer is not told that all is well.
        logger.error("order %s: paid %s, costs %s; not booked", order, payment.amount, order.amount)
        return
    if order.mark_paid():
        logger.info("order %s is paid: %s", order, payment.gateway_id)


@receiver(refund_succeeded)
def book_refund(sender: object, payment: Payment, refund: Refund, **kwargs: object) -> None:
    """Note what the order's payment has given back so far. Called again for the same refund, it changes nothing."""
    order = payment.order
    if not isinstance(order, Order):
        return
    if payment.paid_order_reference is None or payment.currency != CURRENCY:
        # Somebody paid twice and one payment goes back: the order stays as paid as it was.
        logger.info("order %s: %s given back of a payment that does not count for it", order, refund.amount)
        return
    if order.note_refunded(payment.amount_refunded.major):
        logger.info("order %s: refunded %s, in all %s", order, refund.amount, payment.amount_refunded)


@receiver(refund_failed)
def tell_of_failed_refund(sender: object, payment: Payment, refund: Refund, **kwargs: object) -> None:
    """Say it in the log: the customer still waits for the money, so a person has to try again."""
    if isinstance(payment.order, Order):
        logger.warning("order %s: the refund of %s failed", payment.order, refund.amount)
