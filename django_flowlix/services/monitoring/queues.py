"""What waits for somebody: which rows stand in which work queue, in which order, how many and since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import F, IntegerField, Model, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from ...models import MonitorRun, Payment, Refund, StatusChange
from ...models.unions import first
from .. import clock
from .counts import EVERYTHING, Scope

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST_COUNTED = 1000
UNTOLD_AFTER = timedelta(minutes=10)
"""Receivers are called at once; so long after they were due, nobody has."""
OVERDUE_AFTER = timedelta(minutes=30)
"""The background is due to look and has not: nobody runs `flowlix_sync`, or it cannot keep up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A work queue; what waits longest comes first.

    `order` is that of the index by which the rows are found: sorted otherwise, a database may read a whole table in
    search of fifty rows that wait. `since` is the column that says since when a row waits, `payment` how its payment is
    reached.
    """

    name: str
    label: _StrPromise
    model: type[Model]
    narrow: Callable[[Any, datetime], QuerySet[Any]]
    order: tuple[str, ...] = ("status", "created_at", "pk")
    since: str = "created_at"
    payment: str = ""

    def rows(self, among: QuerySet[Any] | None = None) -> QuerySet[Any]:
        """Return the rows that wait, of all rows or `among` those."""
        found = self.model._default_manager.all() if among is None else among
        return self.narrow(found, clock.now())


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many rows wait, `MOST_COUNTED` + 1 for more, and since when the longest of those does."""

    number: int
    since: datetime | None


REVIEW = Queue(
    name="review",
    label=_("needs review"),
    model=Payment,
    narrow=lambda payments, now: payments.needing_review(),
    order=("review_since", "pk"),
    since="review_since",
)
UNCONFIRMED = Queue(
    name="unconfirmed",
    label=_("unconfirmed"),
    model=Payment,
    narrow=lambda payments, now: payments.unconfirmed(),
)
STUCK = Queue(name="stuck", label=_("stuck"), model=Payment, narrow=lambda payments, now: payments.stuck(now))
UNCONFIRMED_REFUNDS = Queue(
    name="unconfirmed",
    label=_("unconfirmed"),
    model=Refund,
    narrow=lambda refunds, now: refunds.unconfirmed(),
    payment="payment__",
)
STUCK_REFUNDS = Queue(
    name="stuck",
    label=_("stuck"),
    model=Refund,
    narrow=lambda refunds, now: refunds.stuck(now),
    payment="payment__",
)
UNTOLD = Queue(
    name="untold",
    label=_("not told"),
    model=StatusChange,
    # A receiver that raises, and one that takes the process with it: of that nobody counts an attempt.
    narrow=lambda changes, now: changes.filter(
        Q(delivery_attempts__gt=0) | Q(deliver_at__lte=now - UNTOLD_AFTER), deliver_at__isnull=False
    ),
    order=("deliver_at", "pk"),
    payment="payment__",
)
OVERDUE = Queue(
    name="overdue",
    label=_("overdue for flowlix_sync"),
    model=Payment,
    narrow=lambda payments, now: _overdue(payments, now),
    order=("next_sync_at", "pk"),
    since="next_sync_at",
)
OVERDUE_REFUNDS = Queue(
    name="overdue",
    label=_("overdue for flowlix_sync"),
    model=Refund,
    narrow=lambda refunds, now: _overdue(refunds, now),
    order=("next_sync_at", "pk"),
    since="next_sync_at",
    payment="payment__",
)
JUDGED = Queue(
    name="judged",
    label=_("judged by flowlix_monitor"),
    model=MonitorRun,
    narrow=lambda runs, now: runs,
    order=("completed_at", "pk"),
    since="completed_at",
)
"""No work, but asked for with it: since when an account and mode has not been judged."""
PAYMENT_QUEUES = (REVIEW, UNCONFIRMED, STUCK)
REFUND_QUEUES = (UNCONFIRMED_REFUNDS, STUCK_REFUNDS)
ALL_QUEUES = (*PAYMENT_QUEUES, *REFUND_QUEUES, UNTOLD, OVERDUE, OVERDUE_REFUNDS)


def waiting(queues: Sequence[Queue], scope: Scope = EVERYTHING) -> dict[Queue, Waiting]:
    """Return how much waits in each queue. One statement for all."""
    if not queues:
        return {}
    parts = [_part(queue, position, scope) for position, queue in enumerate(queues)]
    times: dict[int, list[datetime]] = {position: [] for position in range(len(queues))}
    for position, since in parts[0].union(*parts[1:], all=True):
        times[position].append(since)
    return {queue: Waiting(len(times[i]), min(times[i], default=None)) for i, queue in enumerate(queues)}


def _part(queue: Queue, position: int, scope: Scope) -> QuerySet[Any, Any]:
    rows = queue.rows().filter(scope.filters(queue.payment)).order_by(*queue.order)
    counted = first(rows, MOST_COUNTED + 1).annotate(
        queue=Value(position, output_field=IntegerField()), waits_since=F(queue.since)
    )
    part: QuerySet[Any, Any] = counted.values_list("queue", "waits_since")
    return part


def _overdue(rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return rows.filter(free, next_sync_at__lte=now - OVERDUE_AFTER)
