"""The basket: product slugs and quantities in the session, and the id the order will have.

The id is drawn when the basket begins and becomes the order's public id, so that sending the checkout form twice makes
one order.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase

from .models import Product

MAX_QUANTITY = 20
_SESSION_KEY = "basket"


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A product and how often it is wanted."""

    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


class Basket:
    """The basket of one session; every change is saved with the session."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._content = session.get(_SESSION_KEY, {})
        self._quantities: dict[str, int] = dict(self._content.get("quantities", {}))

    def __iter__(self) -> Iterator[BasketLine]:
        """Yield the lines in the order they were added; products that are gone are left out."""
        products = {product.slug: product for product in Product.objects.filter(slug__in=self._quantities)}
        for slug, quantity in self._quantities.items():
            if slug in products:
                yield BasketLine(products[slug], quantity)

    @property
    def count(self) -> int:
        """How many things are in it, counting quantities."""
        return sum(self._quantities.values())

    @property
    def order_id(self) -> uuid.UUID:
        """The public id of the order that this basket becomes."""
        return uuid.UUID(self._content["order_id"])

    def add(self, product: Product, quantity: int) -> None:
        self.set_quantity(product, self._quantities.get(product.slug, 0) + quantity)

    def set_quantity(self, product: Product, quantity: int) -> None:
        """Set how often a product is wanted: 0 removes it, more than `MAX_QUANTITY` is cut to that."""
        if quantity > 0:
            self._quantities[product.slug] = min(quantity, MAX_QUANTITY)
        else:
            self._quantities.pop(product.slug, None)
        self._save()

    def clear(self) -> None:
        self._quantities.clear()
        self._session.pop(_SESSION_KEY, None)

    def _save(self) -> None:
        order_id = self._content.get("order_id") or str(uuid.uuid4())
        self._content = {"quantities": self._quantities, "order_id": order_id}
        self._session[_SESSION_KEY] = self._content
