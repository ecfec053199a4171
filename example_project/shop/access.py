"""Who may see an order: the session that made it, and staff with the permission to view orders (scenario S16).

The unguessable id alone is not enough, because addresses are shared, logged and left in browser histories.
"""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest

from .models import Order

_SESSION_KEY = "orders"
_MAX_REMEMBERED = 50


def remember(request: HttpRequest, order: Order) -> None:
    """Give this session access to an order it has just made."""
    others = [known for known in request.session.get(_SESSION_KEY, []) if known != str(order.public_id)]
    request.session[_SESSION_KEY] = [*others, str(order.public_id)][-_MAX_REMEMBERED:]


def is_own(request: HttpRequest, public_id: uuid.UUID) -> bool:
    """Tell whether this session made the order."""
    return str(public_id) in request.session.get(_SESSION_KEY, [])


def own_order(request: HttpRequest, public_id: uuid.UUID) -> Order | None:
    """Return the order if this session made it."""
    return _orders().filter(public_id=public_id).first() if is_own(request, public_id) else None


def readable_order(request: HttpRequest, public_id: uuid.UUID) -> Order | None:
    """Return the order if this session made it or staff is looking."""
    if request.user.is_staff and request.user.has_perm("shop.view_order"):
        return _orders().filter(public_id=public_id).first()
    return own_order(request, public_id)


def latest_order(request: HttpRequest) -> Order | None:
    """Return the order this session made last."""
    known = request.session.get(_SESSION_KEY, [])
    return _orders().filter(public_id=known[-1]).first() if known else None


def _orders() -> QuerySet[Order]:
    return Order.objects.prefetch_related("lines")
