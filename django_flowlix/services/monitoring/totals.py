"""Totals since the beginning, for counters that never go down: closed hours are read once per process and kept.

Hours that are closed never change, so a process adds only those that have been closed since it last looked, and counts
the open ones on the spot. Every process thus shows the same totals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from django.db.models import Min

from ...api.declines import DECLINES
from ...models import ApiCall, StatusChange
from ...statuses import PaymentStatus
from .counts import EVERYTHING, HOUR, CallCount, ChangeCount, Scope, count_calls, count_changes, hour_of, tallied_until

MOST_OPEN = timedelta(days=2)
"""More than this is not counted on the spot: a look every few seconds must not read months of rows each time."""
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
# Rows of a machine whose clock is ahead count as well: a process whose clock is behind would otherwise show less.
_AHEAD = timedelta(days=1)

OTHER, UNKNOWN = "other", "unknown"
CARD_BRANDS = frozenset(
    {"visa", "mastercard", "amex", "discover", "diners", "jcb", "maestro", "mir", "unionpay", "cartes_bancaires"}
)


class HoursNotClosedError(Exception):
    """Too many hours wait to be closed: `flowlix_monitor` has not run for long."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How often something happened. Keys begin with the account's name and with whether it was in live mode.

    `calls` by operation, CallResult and duration class; `outcomes` by whether they are a refund's and status;
    `declines` by code and brand, each limited to known words, `other` and `unknown`; `amounts_minor`, paid or (True)
    given back, by that, currency and exponent.
    """

    calls: Counter[tuple[str, bool, str, str, int]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, bool, bool, str]] = field(default_factory=Counter)
    declines: Counter[tuple[str, bool, str, str]] = field(default_factory=Counter)
    amounts_minor: Counter[tuple[str, bool, bool, str, int]] = field(default_factory=Counter)

    def __add__(self, other: Totals) -> Totals:
        return Totals(
            self.calls + other.calls,
            self.outcomes + other.outcomes,
            self.declines + other.declines,
            self.amounts_minor + other.amounts_minor,
        )

    def __or__(self, other: Totals) -> Totals:
        """Return the larger number of each."""
        return Totals(
            self.calls | other.calls,
            self.outcomes | other.outcomes,
            self.declines | other.declines,
            self.amounts_minor | other.amounts_minor,
        )


class RunningTotals:
    """What a process knows of the closed hours, and has shown; for any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed = Totals()
        self._closed_until: datetime | None = None
        self._shown = Totals()

    def read(self, now: datetime) -> Totals:
        """Return the totals. Three statements; two more when hours have been closed since the last look, and up to six
        in a shop in which nothing has happened for days.

        Raises: HoursNotClosedError when more than `MOST_OPEN` would have to be counted on the spot.
        """
        closed, closed_until = self._read_closed()
        if _too_much_is_open(closed_until, now):
            raise HoursNotClosedError("hours are not closed: run flowlix_monitor every minute")
        totals = closed + _totals(closed_until or _BEGINNING, now + _AHEAD)
        with self._lock:
            # While an hour is open, the gateway may still take a decline's reason back, which is then one less.
            self._shown |= totals
            return self._shown

    def _read_closed(self) -> tuple[Totals, datetime | None]:
        with self._lock:
            closed, known_until = self._closed, self._closed_until
        until = tallied_until()
        if until is None or (known_until is not None and until <= known_until):
            return closed, known_until
        closed += _totals(known_until or _BEGINNING, until, closed_until=until)
        with self._lock:
            # Whichever thread writes last: its totals and its time belong together.
            self._closed, self._closed_until = closed, until
        return closed, until


def _too_much_is_open(closed_until: datetime | None, now: datetime) -> bool:
    """Tell whether rows that are older than the limit wait to be counted.

    How far hours are closed does not tell: a shop in which nothing happens closes none, and the hour of the newest row
    stays open. So one hour of rows is no fault, however old it is.
    """
    limit = now - MOST_OPEN
    if closed_until is not None and closed_until >= limit:
        return False
    # Of one mode at a time, because the first row of both together is not found by the index.
    tables = (*(ApiCall.objects.filter(Scope(mode).filters()) for mode in (False, True)), StatusChange.objects.all())
    waiting = [rows.filter(created_at__gte=closed_until or _BEGINNING, created_at__lt=limit) for rows in tables]
    firsts = [rows.aggregate(at=Min("created_at"))["at"] for rows in waiting]
    first = min((at for at in firsts if at is not None), default=None)
    if first is None:
        return False
    return any(rows.filter(created_at__gte=hour_of(first) + HOUR).exists() for rows in waiting)


def _totals(since: datetime, until: datetime, *, closed_until: datetime | None = None) -> Totals:
    """Count a span: all of it in closed hours, or none."""
    calls = count_calls(since, until, EVERYTHING, closed_until=closed_until, grain="year")
    changes = count_changes(since, until, EVERYTHING, closed_until=closed_until, grain="year")
    return _folded(calls, changes)


def _folded(calls: Iterable[CallCount], changes: Iterable[ChangeCount]) -> Totals:
    totals = Totals()
    for call in calls:
        key = (call.account, call.livemode, call.operation, call.result.value, call.duration_class)
        totals.calls[key] += call.number
    for change in changes:
        whose = (change.account, change.livemode)
        totals.outcomes[*whose, change.of_refunds, change.status] += change.number
        if change.status == PaymentStatus.SUCCEEDED:  # a refund's word for it is the same
            totals.amounts_minor[*whose, change.of_refunds, change.currency, change.exponent] += change.amount_minor
        elif change.status == PaymentStatus.FAILED and not change.of_refunds:
            code, brand = _known(change.decline_code, DECLINES), _known(change.card_brand, CARD_BRANDS)
            totals.declines[*whose, code, brand] += change.number
    return totals


def _known(word: str, words: Container[str]) -> str:
    """Return a word of the gateway if it is one of those: each new word would be a new time series."""
    word = word.strip().lower()
    return word if word in words else OTHER if word else UNKNOWN
