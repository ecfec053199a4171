"""Figures of a window of time: rates, outcomes, latencies, amounts.

A rate of few events says nothing: below `MINIMUM_SAMPLE` it is shown with its sample and not judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ...api.money import Money
from ...statuses import PaymentStatus, RefundStatus
from .call_result import CallResult
from .counts import DECIDED, CallCount, ChangeCount, Scope, count_calls, count_changes, tallied_until
from .grains import Grain
from .latency import percentile_seconds

MINIMUM_SAMPLE = 20
"""From so many events on a rate is judged, unless a rule says otherwise."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share: `part` of `whole`; `value` is None when there is nothing to divide."""

    part: int
    whole: int
    minimum: int = MINIMUM_SAMPLE

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def is_judged(self) -> bool:
        """Are there enough events for the share to say something?"""
        return self.whole > 0 and self.whole >= self.minimum


@dataclass(frozen=True, slots=True)
class Statistics:
    """What happened from `since` (inclusive) to `until` (exclusive) in one mode, of one account or of all."""

    since: datetime
    until: datetime
    calls: list[CallCount]
    changes: list[ChangeCount]

    # --- Payments and refunds ---

    @property
    def outcomes(self) -> Counter[str]:
        """Return how many payments came to each status; `PaymentStatus` gives the words."""
        return self._changes_by(lambda change: change.status, of_refunds=False)

    @property
    def refund_outcomes(self) -> Counter[str]:
        return self._changes_by(lambda change: change.status, of_refunds=True)

    @property
    def decline_rate(self) -> Rate:
        """Return the share of the decided payments that were declined."""
        return Rate(self.outcomes[PaymentStatus.FAILED], sum(self.outcomes[status] for status in DECIDED))

    def decline_rates_by(self, fact: str) -> dict[str, Rate]:
        """Return decline rates by `card_brand` or `card_country` ("" where the gateway did not say), the largest first.

        Largest by decided payments.
        """
        return _rates(
            (getattr(change, fact), change.number, change.status == PaymentStatus.FAILED)
            for change in self.changes
            if not change.of_refunds and change.status in DECIDED
        )

    @property
    def decline_codes(self) -> Counter[str]:
        """Return the declined payments by decline code ("" where the gateway did not say)."""
        declined = (c for c in self.changes if not c.of_refunds and c.status == PaymentStatus.FAILED)
        return _counter((change.decline_code, change.number) for change in declined)

    @property
    def paid(self) -> list[Money]:
        """Return what was paid, one sum per currency, sorted by currency."""
        return self._sums(PaymentStatus.SUCCEEDED, of_refunds=False)

    @property
    def refunded(self) -> list[Money]:
        """Return what was given back, one sum per currency, sorted by currency."""
        return self._sums(RefundStatus.SUCCEEDED, of_refunds=True)

    # --- Calls ---

    @property
    def results(self) -> Counter[CallResult]:
        return _counter((call.result, call.number) for call in self.calls)

    @property
    def server_errors(self) -> Rate:
        """Return the share of the calls that the gateway answered with 5xx."""
        return self._share_of_calls(CallResult.SERVER_ERROR)

    @property
    def no_answers(self) -> Rate:
        """Return the share of the calls that got no (readable) answer: timeouts, broken ones, no connection."""
        return self._share_of_calls(CallResult.NO_ANSWER, CallResult.NOT_SENT)

    def calls_with(self, *results: CallResult) -> int:
        return sum(self.results[result] for result in results)

    def latency_seconds(self, share: float, operation: str = "") -> float | None:
        """Return the duration that `share` (0.95) of the calls, or those of one operation, did not exceed."""
        return percentile_seconds(self._durations(operation), share)

    @property
    def operations(self) -> Counter[str]:
        """Return the calls by operation, without those that were never sent."""
        return _counter((call.operation, call.number) for call in self._sent())

    # --- Over time ---

    def slices(self, starts: list[datetime]) -> list[Statistics]:
        """Cut the window at `starts` (ascending, the first not after `since`); hours and days are not cut through."""
        calls: list[list[CallCount]] = [[] for _ in starts]
        changes: list[list[ChangeCount]] = [[] for _ in starts]
        for call in self.calls:
            calls[_place(starts, call.at)].append(call)
        for change in self.changes:
            changes[_place(starts, change.at)].append(change)
        ends = [*starts[1:], self.until]
        return [
            Statistics(start, end, calls[i], changes[i])
            for i, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]

    def _sent(self) -> Iterable[CallCount]:
        return (call for call in self.calls if call.result != CallResult.NOT_SENT)

    def _durations(self, operation: str) -> Counter[int]:
        return _counter(
            (call.duration_class, call.number) for call in self._sent() if operation in ("", call.operation)
        )

    def _share_of_calls(self, *results: CallResult) -> Rate:
        return Rate(self.calls_with(*results), sum(self.results.values()))

    def _changes_by(self, fact: Callable[[ChangeCount], str], *, of_refunds: bool) -> Counter[str]:
        return _counter((fact(change), change.number) for change in self.changes if change.of_refunds is of_refunds)

    def _sums(self, status: str, *, of_refunds: bool) -> list[Money]:
        sums: Counter[tuple[str, int]] = Counter()
        for change in self.changes:
            if change.of_refunds is of_refunds and change.status == status:
                sums[change.currency, change.exponent] += change.amount_minor
        return [Money(amount_minor, currency, exponent) for (currency, exponent), amount_minor in sorted(sums.items())]


def read_statistics(since: datetime, until: datetime, scope: Scope, *, grain: Grain = "hour") -> Statistics:
    """Return the figures from `since` (inclusive) to `until` (exclusive). Three statements.

    `grain` is how finely `Statistics.slices` can cut them.
    """
    closed_until = tallied_until()
    return Statistics(
        since,
        until,
        count_calls(since, until, scope, closed_until=closed_until, grain=grain),
        count_changes(since, until, scope, closed_until=closed_until, grain=grain),
    )


def _place(starts: list[datetime], at: datetime) -> int:
    # The hour in which a window begins may itself begin before it.
    return max(bisect_right(starts, at) - 1, 0)


T = TypeVar("T")


def _counter(numbers: Iterable[tuple[T, int]]) -> Counter[T]:
    counter: Counter[T] = Counter()
    for fact, number in numbers:
        counter[fact] += number
    return counter


def _rates(decided: Iterable[tuple[str, int, bool]]) -> dict[str, Rate]:
    whole: Counter[str] = Counter()
    part: Counter[str] = Counter()
    for fact, number, is_declined in decided:
        whole[fact] += number
        part[fact] += number * is_declined
    return {fact: Rate(part[fact], number) for fact, number in whole.most_common()}
