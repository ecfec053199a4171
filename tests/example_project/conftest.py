"""A shop with filled shelves, an order in it, and payments of that order in any state."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from django_flowlix.models import Payment
from example_project.shop.models import Order, OrderLine, Product

DETAILS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "phone": "+49 30 901820",
    "address": "Unter den Linden 1",
    "zip": "10117",
    "city": "Berlin",
    "country": "DE",
}


@pytest.fixture
def pen(db: None) -> Product:
    return Product.objects.create(
        slug="pen", name="Pen", summary="Writes", description="Really.", price=Decimal("49.00"), picture="heron-pen.svg"
    )


@pytest.fixture
def ink(db: None) -> Product:
    return Product.objects.create(
        slug="ink", name="Ink", summary="Dark", description="Wet.", price=Decimal("16.90"), picture="midnight-plum.svg"
    )


@pytest.fixture
def order(pen: Product, ink: Product) -> Order:
    """One pen and two inks: 82.80 EUR. No session knows it."""
    order = Order.objects.create(**DETAILS)
    OrderLine.objects.create(order=order, product=pen, name="Pen", unit_price=Decimal("49.00"), quantity=1)
    OrderLine.objects.create(order=order, product=ink, name="Ink", unit_price=Decimal("16.90"), quantity=2)
    return order


@pytest.fixture
def owner(client: Client, order: Order) -> Client:
    """The browser that made the order."""
    session = client.session
    session["orders"] = [str(order.public_id)]
    session.save()
    return client


@pytest.fixture
def add_payment(order: Order) -> Callable[..., Payment]:
    def add(status: str, **values: Any) -> Payment:
        attempt = Payment.objects.filter(order_reference=order.reference).count() + 1
        defaults: dict[str, Any] = {
            "account": "default",
            "contract": "eu",
            "livemode": False,
            "api_key_fingerprint": "0" * 16,
            "order_reference": order.reference,
            "order": order,
            "attempt": attempt,
            "amount_minor": 8280,
            "currency": "EUR",
            "exponent": 2,
            "idempotency_key": f"payment-order-{order.reference}-attempt-{attempt}",
            "gateway_id": f"pay_{attempt}",
            "return_token": f"token-{attempt}",
            "status": status,
        }
        return Payment.objects.create(**defaults | values)

    return add


@pytest.fixture
def details() -> dict[str, str]:
    return dict(DETAILS)
