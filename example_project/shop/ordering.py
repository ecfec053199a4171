"""Turning a basket into an order, once."""

from __future__ import annotations

from django.db import transaction

from .basket import Basket
from .forms import CheckoutForm
from .models import Order, OrderLine


@transaction.atomic
def place_order(basket: Basket, form: CheckoutForm) -> Order:
    """Store the order with today's names and prices; a second call for the same basket returns the first order."""
    order, is_new = Order.objects.get_or_create(public_id=basket.order_id, defaults=form.cleaned_data)
    if is_new:
        OrderLine.objects.bulk_create(
            OrderLine(
                order=order,
                product=line.product,
                name=line.product.name,
                unit_price=line.product.price,
                quantity=line.quantity,
            )
            for line in basket
        )
    return order
