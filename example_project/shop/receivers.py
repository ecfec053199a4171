"""The one place where an order becomes paid."""

from __future__ import annotations

import logging

from django.dispatch import receiver

from django_flowlix.models import Payment
from django_flowlix.signals import payment_succeeded

from .models import Order

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
