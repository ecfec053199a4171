"""Closing hours: what happened in an hour that is over is counted once, by whichever worker comes first.

An hour is closed an hour after its end: by then every exchange of it is written, because a call writes its exchanges
when it ends, and no call may last longer than fifteen minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Min

from ...models import ApiCall, CallTally, ChangeTally, StatusChange, TalliedHour
from .. import clock
from .counts import CALL_FACTS, CHANGE_FACTS, EVERYTHING, HOUR, hour_of, raw_calls, raw_changes, tallied_until

CLOSED_AFTER = HOUR


def close_hours(now: datetime, most: int | None = None) -> int:
    """Count the hours that are over and have not been counted, the oldest first, at most so many; returns how many.

    Any number of workers may do so at the same time.
    """
    closed = 0
    for hour in _open_hours(now):
        if most is not None and closed >= most:
            break
        closed += _close(hour)
    return closed


def _open_hours(now: datetime) -> Iterator[datetime]:
    hour = tallied_until() or _first_hour()
    while hour is not None and hour + HOUR + CLOSED_AFTER <= now:
        yield hour
        hour += HOUR


def _first_hour() -> datetime | None:
    # Of one mode at a time, which is an index look-up; of both together it would read the table.
    firsts = [
        ApiCall.objects.filter(livemode=livemode).aggregate(at=Min("created_at"))["at"] for livemode in (False, True)
    ]
    firsts.append(StatusChange.objects.aggregate(at=Min("created_at"))["at"])
    return min((hour_of(first) for first in firsts if first is not None), default=None)


def _close(hour: datetime) -> bool:
    """Count one hour; False when another worker has."""
    try:
        with transaction.atomic():
            TalliedHour.objects.create(hour=hour, counted_at=clock.now())
            calls = raw_calls(hour, hour + HOUR, EVERYTHING)
            CallTally.objects.bulk_create(
                [CallTally(**dict(zip(("hour", *CALL_FACTS, "number"), row, strict=True))) for row in calls]
            )
            names = ("hour", *CHANGE_FACTS, "number", "amount_minor")
            for changes in raw_changes(hour, hour + HOUR, EVERYTHING):
                ChangeTally.objects.bulk_create([ChangeTally(**dict(zip(names, row, strict=True))) for row in changes])
    except IntegrityError:
        return False
    return True
