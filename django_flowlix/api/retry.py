"""When to try again, and when not: pure decisions, run by tenacity in `calls.py`.

| answer                                                 | waits before the next try                                |
|--------------------------------------------------------|----------------------------------------------------------|
| not sent, no answer, unreadable, 5xx, 408/421/425, 409 | 1 s, 2 s, 4 s, then give up                              |
| 429                                                    | `Retry-After`; without a usable one 1, 2, 4, 8, 16, 30 s |
| every other 4xx, 3xx                                   | never                                                    |

Waits never fall below the table; jitter is only added. No wait passes the call's deadline.

Source: docs.flowlix.eu/guides/go-live, docs.flowlix.eu/api-reference/rate-limits; Retry-After: RFC 9110 §10.2.3
"""

from __future__ import annotations

import re
from email.utils import mktime_tz, parsedate_tz

from .errors import (
    ApiError,
    FlowlixError,
    IdempotencyError,
    NoAnswerError,
    NotSentError,
    RateLimitError,
    UnreadableAnswerError,
)

BACKOFF_SECONDS = (1.0, 2.0, 4.0)
RATE_LIMIT_BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
RETRY_AFTER_CAP_SECONDS = 60 * 60.0
"""Longer demands are cut to this: the published window is a minute, and one rubbish header must not close the shop."""

_JITTER_SHARE = 0.1
_SECONDS = re.compile(r"[0-9]+")
# The three date forms of RFC 9110 all begin with a day's name, which keeps ISO 8601 and prose away from the lax parser.
_HTTP_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [ -~]*[0-9]{2}:[0-9]{2}:[0-9]{2}[ -~]*")


def retry_after_seconds(value: str | None, *, now: float) -> float | None:
    """Return the seconds a `Retry-After` header asks for, 0 for a date gone by, None when it says nothing usable.

    `now` is Unix time. Source: RFC 9110 §5.6.7 (dates), §10.2.3 (Retry-After)
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_CAP_SECONDS)
    parsed = parsedate_tz(text) if _HTTP_DATE.fullmatch(text) else None
    if parsed is None:
        return None
    try:
        moment = mktime_tz(parsed)
    except (ValueError, OverflowError):
        return None
    return min(max(moment - now, 0.0), RETRY_AFTER_CAP_SECONDS)


def rate_limit_backoff(tries_made: int) -> float:
    """Return the seconds to stay away after a 429 that does not say how long."""
    return RATE_LIMIT_BACKOFF_SECONDS[min(tries_made, len(RATE_LIMIT_BACKOFF_SECONDS)) - 1]


def wait_before_next_try(error: FlowlixError, *, tries_made: int) -> float | None:
    """Return the least seconds to wait before another try, or None when this error is not tried again."""
    if isinstance(error, RateLimitError):
        asked = error.retry_after_seconds
        if tries_made > len(RATE_LIMIT_BACKOFF_SECONDS):
            return None
        return rate_limit_backoff(tries_made) if asked is None else asked
    if not _may_help(error) or tries_made > len(BACKOFF_SECONDS):
        return None
    return BACKOFF_SECONDS[tries_made - 1]


def with_jitter(seconds: float, *, chance: float) -> float:
    """Lengthen a wait by up to a tenth (at least up to 0.1 s), `chance` being uniform in [0, 1)."""
    return seconds + chance * max(seconds * _JITTER_SHARE, 0.1)


def _may_help(error: FlowlixError) -> bool:
    if isinstance(error, UnreadableAnswerError):
        return not 300 <= (error.status or 0) < 400
    return isinstance(error, NotSentError | NoAnswerError | ApiError | IdempotencyError)
