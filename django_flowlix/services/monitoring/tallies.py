"""Closing hours: what happened in an hour that is over is counted once, by whichever worker comes first.

An hour is closed an hour after its end: by then every exchange of it is written, because a call writes its exchanges
when it ends, and no call may last longer than fifteen minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Min, Model, QuerySet

from ...models import ApiCall, CallTally, ChangeTally, StatusChange, TalliedHour
from .. import clock
from .counts import CALL_FACTS, CHANGE_FACTS, EVERYTHING, HOUR, Scope, hour_of, raw_calls, raw_changes, tallied_until

CLOSED_AFTER = HOUR

SILENT_FOR = timedelta(days=1)
_CALL_COLUMNS = (*CALL_FACTS, "number")
_CHANGE_COLUMNS = (*CHANGE_FACTS, "number", "amount_minor")
_AT_ONCE = 24
"""A shop without traffic, or one that has never counted, gets on by days."""


def close_hours(now: datetime, most: int | None = None) -> int:
    """Count the hours that are over and have not been counted, the oldest first, at most so many; returns how many.

    Any number of workers may do so at the same time; who comes second leaves the rest to the first.
    """
    closed = 0
    while hours := _open_hours(now)[: _AT_ONCE if most is None else min(_AT_ONCE, most - closed)]:
        if not _close(hours):
            break
        closed += len(hours)
    return closed


def _open_hours(now: datetime) -> list[datetime]:
    """Return the first hours that are over and not counted.

    Never one after the newest row, and that row's own only after a day: a clock that is ahead must not close hours to
    come.
    """
    first = tallied_until() or _outermost(Min)
    newest = _outermost(Max)
    if first is None or newest is None:
        return []
    end = newest + HOUR if now - newest > SILENT_FOR else newest
    number = (min(hour_of(now - CLOSED_AFTER), end) - first) // HOUR
    return [first + position * HOUR for position in range(min(max(number, 0), _AT_ONCE))]


def _outermost(bound: type[Max | Min]) -> datetime | None:
    """Return the hour of the first or last row."""
    # Of one mode at a time, which is an index look-up; of both together it would read the table.
    tables = (
        *(ApiCall.objects.filter(Scope(livemode).filters()) for livemode in (False, True)),
        StatusChange.objects.all(),
    )
    found = [hour_of(at) for rows in tables if (at := rows.aggregate(at=bound("created_at"))["at"]) is not None]
    return (min if bound is Min else max)(found, default=None)


def _close(hours: list[datetime]) -> bool:
    """Count successive hours in one transaction; False when another worker has counted one of them."""
    begin, end, now = hours[0], hours[-1] + HOUR, clock.now()
    try:
        with transaction.atomic():
            TalliedHour.objects.bulk_create(TalliedHour(hour=hour, counted_at=now) for hour in hours)
            _store(CallTally, _CALL_COLUMNS, raw_calls(begin, end, EVERYTHING))
            for changes in raw_changes(begin, end, EVERYTHING):
                _store(ChangeTally, _CHANGE_COLUMNS, changes)
    except IntegrityError:
        return False
    return True


def _store(model: type[Model], columns: tuple[str, ...], rows: QuerySet[Any, Any]) -> None:
    tallies = (model(hour=hour, **dict(zip(columns, row, strict=True))) for hour, _quarter, *row in rows)
    model._default_manager.bulk_create(tallies)
