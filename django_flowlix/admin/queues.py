"""What waits for a person: which rows stand in which work queue, in which order, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import IntegerField, Model, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from ..models import Payment, Refund
from ..services import clock
from .search import first

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A work queue; what waits longest comes first.

    `order` is that of the index by which the rows are found: sorted otherwise, a database may read a whole table in
    search of fifty rows that wait.
    """

    name: str
    label: _StrPromise
    model: type[Model]
    narrow: Callable[[Any, datetime], QuerySet[Any]]
    order: tuple[str, ...]

    def rows(self, among: QuerySet[Any] | None = None) -> QuerySet[Any]:
        """Return the rows that wait, of all rows or `among` those."""
        found = self.model._default_manager.all() if among is None else among
        return self.narrow(found, clock.now())


REVIEW = Queue(
    name="review",
    label=_("needs review"),
    model=Payment,
    narrow=lambda payments, now: payments.needing_review(),
    order=("review_since", "pk"),
)
PAYMENT_QUEUES = (
    REVIEW,
    Queue(
        name="unconfirmed",
        label=_("unconfirmed"),
        model=Payment,
        narrow=lambda payments, now: payments.unconfirmed(),
        order=("status", "created_at", "pk"),
    ),
    Queue(
        name="stuck",
        label=_("stuck"),
        model=Payment,
        narrow=lambda payments, now: payments.stuck(now),
        order=("status", "created_at", "pk"),
    ),
)
REFUND_QUEUES = (
    Queue(
        name="unconfirmed",
        label=_("unconfirmed"),
        model=Refund,
        narrow=lambda refunds, now: refunds.unconfirmed(),
        order=("status", "created_at", "pk"),
    ),
    Queue(
        name="stuck",
        label=_("stuck"),
        model=Refund,
        narrow=lambda refunds, now: refunds.stuck(now),
        order=("status", "created_at", "pk"),
    ),
)


def count(queues: Sequence[Queue]) -> dict[Queue, int]:
    """Return how many rows wait in each queue, `MOST_COUNTED` + 1 for more. One query for all."""
    if not queues:
        return {}
    parts = [
        first(queue.rows().order_by(*queue.order), MOST_COUNTED + 1)
        .annotate(queue=Value(position, output_field=IntegerField()))
        .values_list("queue", flat=True)
        for position, queue in enumerate(queues)
    ]
    waiting = Counter(parts[0].union(*parts[1:], all=True))
    return {queue: waiting[position] for position, queue in enumerate(queues)}
