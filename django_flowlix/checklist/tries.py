"""What the recorded calls say about tries that followed others: which were repeated, under which keys, and how soon."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, Subquery

from ..models import ApiCall
from . import records
from .context import Context

_MOST_REPEATS = 1000
_MOST_PAUSES = 20
_LEEWAY = timedelta(seconds=0.5)
"""Clocks are set while they run, and durations are rounded."""
_UNDER_WAY = timedelta(seconds=2)
"""A process that is about to call has looked for pauses already."""
_PAGE = timedelta(minutes=1)
"""How long the page of a list may take, with what is done about it."""


class Repeat(NamedTuple):
    """A POST that was tried again after an answer of 4xx."""

    order_reference: str
    operation: str
    began_at: datetime
    earlier_status: int
    earlier_paused_until: datetime | None

    @property
    def is_too_early(self) -> bool:
        return self.earlier_paused_until is not None and self.began_at < self.earlier_paused_until - _LEEWAY


class Pause(NamedTuple):
    """For how long the gateway asked whoever uses a key to stay away."""

    api_key_fingerprint: str
    began_at: datetime
    until: datetime


def repeats_of_refused(context: Context) -> list[Repeat]:
    """Return the latest POSTs that were tried again after an answer of 4xx. One statement, besides the sample's.

    Their key tells which tries belong together; what has none may be another process's.
    """
    same_call = ApiCall.objects.filter(
        payment=OuterRef("payment"),
        operation=OuterRef("operation"),
        idempotency_key=OuterRef("idempotency_key"),
        pk__lt=OuterRef("pk"),
    ).order_by("-pk")
    repeats = context.once(records.calls).rows.filter(method="POST", try_number__gt=1, payment__isnull=False)
    repeats = repeats.exclude(idempotency_key="")
    found = repeats.annotate(
        earlier_status=Subquery(same_call.values("http_status")[:1]),
        earlier_paused_until=Subquery(same_call.values("paused_until")[:1]),
    ).filter(earlier_status__gte=400, earlier_status__lt=500)
    columns = ("payment__order_reference", "operation", "earlier_status", "earlier_paused_until", *_TIMES)
    return [
        Repeat(order, operation, _began(created_at, duration_ms), status, until)
        for order, operation, status, until, created_at, duration_ms in found.order_by("-created_at").values_list(
            *columns
        )[:_MOST_REPEATS]
    ]


def pauses(context: Context) -> list[Pause]:
    """Return the latest times at which the gateway asked to stay away. One statement, besides the sample's."""
    asked = context.once(records.calls).rows.filter(http_status=429, paused_until__isnull=False)
    columns = ("api_key_fingerprint", "created_at", "paused_until")
    return [Pause(*row) for row in asked.order_by("-created_at").values_list(*columns)[:_MOST_PAUSES]]


def calls_in_pauses(context: Context) -> list[tuple[str, datetime]]:
    """Return operation and time of calls that were begun anew, and had ended, within a pause of their key.

    A call that had begun before makes its tries and turns its pages as it would have done: it is not counted. Each
    page is a first try, so a list counts where none of its key was read shortly before.
    """
    found: list[tuple[str, datetime]] = []
    known = context.once(pauses)
    if known:
        within = ApiCall.objects.filter(reduce(or_, map(_within, known)), try_number=1)
        for operation, fingerprint, *times in within.order_by("created_at").values_list(
            "operation", "api_key_fingerprint", *_TIMES
        )[:_MOST_REPEATS]:
            began_at = _began(*times)
            if any(pause.api_key_fingerprint == fingerprint and _is_within(began_at, pause) for pause in known):
                found.append((operation, began_at))
    return found


def orders_with_several_keys(context: Context) -> list[str]:
    """Return some orders of which one payment was created under more than one key. One statement."""
    creates = context.once(records.calls).rows.filter(operation="create_hosted", payment__isnull=False)
    keys = creates.order_by().values("payment").annotate(keys=Count("idempotency_key", distinct=True))
    return list(keys.filter(keys__gt=1).values_list("payment__order_reference", flat=True)[: records.EXAMPLES])


_TIMES = ("created_at", "duration_ms")


def _began(created_at: datetime, duration_ms: int) -> datetime:
    return created_at - timedelta(milliseconds=duration_ms)


def _within(pause: Pause) -> Q:
    of_the_key = Q(api_key_fingerprint=pause.api_key_fingerprint)
    earlier_page = ApiCall.objects.filter(
        of_the_key, operation="list", created_at__gt=pause.began_at - _PAGE, created_at__lt=OuterRef("created_at")
    )
    is_page = Q(operation="list") & Q(Exists(earlier_page))
    return of_the_key & Q(created_at__gt=pause.began_at, created_at__lt=pause.until) & ~is_page


def _is_within(began_at: datetime, pause: Pause) -> bool:
    return pause.began_at + _UNDER_WAY < began_at < pause.until - _LEEWAY
