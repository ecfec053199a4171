"""When the background looks at a payment or a refund next; pure.

A customer who is about to pay is looked at by every run, one who left long ago once a week: with 100 requests a minute
for a whole shop the young payments must not wait for the old ones. A paid payment is looked at now and then, because it
may be refunded in the gateway's dashboard. What failed once is tried by the next run, what keeps failing in growing
pauses.
"""

from __future__ import annotations

from datetime import datetime, timedelta

ASK_AGAIN_AFTER_SECONDS = 2.0
"""The gateway is asked at most this often about one payment, by whomever."""
NEVER_SENT_GIVES_UP_AFTER = timedelta(minutes=30)

_BY_AGE = (
    (timedelta(minutes=30), timedelta(seconds=ASK_AGAIN_AFTER_SECONDS)),
    (timedelta(hours=6), timedelta(minutes=10)),
    (timedelta(days=3), timedelta(hours=1)),
    (timedelta(days=30), timedelta(days=1)),
)
_LONGEST_PAUSE = timedelta(days=7)
# Listing shows a hundred payments per call: about 26 looks in the life of a payment cost about one call.
_PAID_BY_AGE = (
    (timedelta(days=7), timedelta(days=1)),
    (timedelta(days=60), timedelta(days=7)),
    (timedelta(days=400), timedelta(days=30)),
)
_OTHER_MODE_PAUSE = timedelta(days=1)
_FAILURE_PAUSE = timedelta(seconds=30)
_LONGEST_FAILURE_PAUSE = timedelta(hours=1)
_DELIVERY_PAUSE = timedelta(minutes=1)
_LONGEST_DELIVERY_PAUSE = timedelta(hours=6)


def next_look(created_at: datetime, now: datetime) -> datetime:
    """Return when to ask again about a payment that the gateway has not decided."""
    age = now - created_at
    return now + next((pause for limit, pause in _BY_AGE if age < limit), _LONGEST_PAUSE)


def next_look_for_refunds(created_at: datetime, now: datetime) -> datetime | None:
    """Return when to ask again about a paid payment, None for one that is too old to be refunded by anybody."""
    age = now - created_at
    return next((now + pause for limit, pause in _PAID_BY_AGE if age < limit), None)


def next_look_at_the_other_mode(now: datetime) -> datetime:
    """Return when to see whether the key of a payment's mode is configured again."""
    return now + _OTHER_MODE_PAUSE


def after_failure(failures: int, now: datetime) -> datetime:
    """Return when to try again after the n-th failure in a row: at once, 30 s, 1, 2, 4 … minutes, at most an hour."""
    return now + _growing(_FAILURE_PAUSE, failures, _LONGEST_FAILURE_PAUSE)


def next_delivery(attempts: int, now: datetime) -> datetime:
    """Return when to call a receiver again that has raised n times: at once, 1, 2, 4 … minutes, at most six hours."""
    return now + _growing(_DELIVERY_PAUSE, attempts, _LONGEST_DELIVERY_PAUSE)


def _growing(pause: timedelta, failures: int, longest: timedelta) -> timedelta:
    return timedelta(0) if failures <= 1 else min(pause * (1 << min(failures - 2, 12)), longest)
