"""Everything our own database knows about one payment, read once for all parts of its page."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, prefetch_related_objects

from ..models import ApiCall, Payment, Refund, StatusChange

MOST_ROWS = 500
"""Of each kind: a waiting page that is left open asks for days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A payment with its refunds, exchanges and changes, each the oldest first and of a long story the latest."""

    payment: Payment
    refunds: list[Refund]
    calls: list[ApiCall]
    changes: list[StatusChange]


def read_records(payment: Payment) -> Records:
    """Read what belongs to a payment. Three queries, however much there is."""
    # Prefetched, so that whoever asks the payment for its refunds afterwards needs no query either. What was sent is
    # not read for a screen.
    prefetch_related_objects([payment], Prefetch("refunds", Refund.objects.defer("request_body")))
    refunds = sorted(payment.refunds.all(), key=lambda refund: (refund.created_at, refund.pk))
    calls = payment.api_calls.order_by("-created_at", "-pk")[:MOST_ROWS]
    changes = payment.status_changes.order_by("-created_at", "-pk")[:MOST_ROWS]
    return Records(payment=payment, refunds=refunds, calls=[*reversed(calls)], changes=[*reversed(changes)])
