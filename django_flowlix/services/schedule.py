"""When the background looks at a payment next; pure.

A customer who is about to pay is looked at every minute, one who left long ago once a day: with 100 requests a minute
for a whole shop the young payments must not wait for the old ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LEASE_MARGIN = timedelta(seconds=15)
"""A lease outlives the call's deadline by this, for the database work around it."""
NEVER_SENT_GIVES_UP_AFTER = timedelta(minutes=30)

_BY_AGE = (
    (timedelta(minutes=30), timedelta(minutes=1)),
    (timedelta(hours=6), timedelta(minutes=10)),
    (timedelta(days=3), timedelta(hours=1)),
)
_LONGEST_PAUSE = timedelta(days=1)
_FIRST_FAILURE_PAUSE = timedelta(seconds=30)
_LONGEST_FAILURE_PAUSE = timedelta(hours=1)
_LONGEST_DELIVERY_PAUSE = timedelta(hours=6)


def next_look(created_at: datetime, now: datetime) -> datetime:
    """Return when to ask again about a payment that the gateway has not decided."""
    age = now - created_at
    return now + next((pause for limit, pause in _BY_AGE if age < limit), _LONGEST_PAUSE)


def after_failure(failures: int, now: datetime) -> datetime:
    """Return when to try again after the n-th failure in a row: 30 s, 1, 2, 4 … minutes, at most an hour."""
    return now + min(_FIRST_FAILURE_PAUSE * (1 << min(failures - 1, 12)), _LONGEST_FAILURE_PAUSE)


def next_delivery(attempts: int, now: datetime) -> datetime:
    """Return when to call a receiver again that has raised n times: 1, 2, 4 … minutes, at most six hours."""
    return now + min(timedelta(minutes=1) * (1 << min(attempts - 1, 12)), _LONGEST_DELIVERY_PAUSE)
