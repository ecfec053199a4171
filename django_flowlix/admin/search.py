"""What staff may search for, and how it is found: the primary keys first, by one query of index look-ups.

An OR across tables makes every database read one of them whole, and MariaDB runs a UNION inside `IN (…)` once per row.
So the keys come out of one UNION in which every part is an exact look-up in an index; the list is then read by key.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet

from ..models import ApiCall, Payment, Refund
from ..models.unions import first

MOST_BY_CARD = 1000
"""So many payments are found by a card's last four digits, the newest ones; the other terms find a handful."""

_LAST_FOUR = re.compile(r"[0-9]{4}")


def payment_keys(term: str, searched: QuerySet[Payment]) -> list[int]:
    """Return the keys of the payments that a term names: the whole term, exactly. One query.

    It is an order reference, a payment id, a refund id, a request id of any exchange, or a card's last four digits.
    `searched` is the list as it is filtered: what is found by card is the newest of it.
    """
    parts: list[QuerySet[Any, Any]] = [
        Payment.objects.filter(gateway_id=term).values_list("pk", flat=True),
        # Exchanges are pruned after a time; the request id of the one that made the payment stays with it.
        Payment.objects.filter(request_id=term).values_list("pk", flat=True),
        Refund.objects.filter(gateway_id=term).values_list("payment_id", flat=True),
        Refund.objects.filter(request_id=term).values_list("payment_id", flat=True),
        ApiCall.objects.filter(request_id=term, payment__isnull=False).values_list("payment_id", flat=True),
    ]
    if _LAST_FOUR.fullmatch(term):
        by_card = searched.filter(card_last4=term).order_by("-created_at", "-pk")
        parts.append(first(by_card, MOST_BY_CARD).values_list("pk", flat=True))
    return list(Payment.objects.filter(order_reference=term).values_list("pk", flat=True).union(*parts))


def refund_keys(term: str) -> list[int]:
    """Return the keys of the refunds that a term names: refund id, request id, payment id or order. One query."""
    parts: list[QuerySet[Any, Any]] = [
        Refund.objects.filter(request_id=term),
        Refund.objects.filter(payment__gateway_id=term),
        Refund.objects.filter(payment__order_reference=term),
    ]
    calls = ApiCall.objects.filter(request_id=term, refund__isnull=False).values_list("refund_id", flat=True)
    others = (part.values_list("pk", flat=True) for part in parts)
    return list(Refund.objects.filter(gateway_id=term).values_list("pk", flat=True).union(calls, *others))
