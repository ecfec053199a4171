"""What the rules look at: one account's figures of now and of the last seven days, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from ...conf import Account
from ...statuses import PaymentStatus
from .counts import HOUR, Scope, hour_of
from .queues import ALL_QUEUES, Queue, Waiting, waiting
from .statistics import Statistics, read_statistics

USUAL_DAYS = 7
"""The shop's own figures are those of so many days before the window."""


@dataclass(kw_only=True)
class Readings:
    """One account in one mode at one moment."""

    account: Account
    scope: Scope
    now: datetime
    _windows: dict[timedelta, Statistics] = field(default_factory=dict)

    def window(self, minutes: float) -> Statistics:
        """Return the figures of the last so many minutes."""
        length = timedelta(minutes=minutes)
        if length not in self._windows:
            self._windows[length] = read_statistics(self.now - length, self.now, self.scope)
        return self._windows[length]

    @cached_property
    def usual(self) -> Statistics:
        """Return the figures of the seven days before the longest window of the account's rules, in whole hours."""
        longest = max((rule.window_minutes for rule in self.account.alert_rules.values()), default=0.0)
        until = hour_of(self.now - timedelta(minutes=longest))
        return read_statistics(until - timedelta(days=USUAL_DAYS), until, self.scope)

    def expected_sales(self, minutes: float) -> float:
        """Return how many payments succeed in a window of the day like this one, on average of the seven days."""
        begin, end = self.now - timedelta(minutes=minutes), self.now
        days = [timedelta(days=day) for day in range(1, USUAL_DAYS + 1)]
        total = 0.0
        for count in self.usual.changes:
            if count.status == PaymentStatus.SUCCEEDED and not count.of_refunds:
                total += count.number * sum(_overlap(count.at, begin - day, end - day) for day in days)
        return total / USUAL_DAYS

    @cached_property
    def waiting(self) -> dict[Queue, Waiting]:
        return waiting(ALL_QUEUES, self.scope)


def _overlap(hour: datetime, begin: datetime, end: datetime) -> float:
    """Return which share of an hour lies between two moments."""
    return max((min(hour + HOUR, end) - max(hour, begin)) / HOUR, 0.0)
