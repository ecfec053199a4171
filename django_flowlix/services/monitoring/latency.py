"""Durations in classes: counts of classes can be added up over hours and machines, percentiles cannot. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

DURATION_BOUNDS_MS = (50, 100, 150, 200, 300, 400, 600, 800, 1000, 1500, 2000, 3000, 5000, 8000, 15000, 30000)
"""A call belongs to the class of the first bound that its duration does not exceed; the last class has no bound."""


def class_of(duration_ms: int) -> int:
    return bisect_left(DURATION_BOUNDS_MS, duration_ms)


def percentile_seconds(numbers: Mapping[int, int], share: float) -> float | None:
    """Return the duration that `share` (0 to 1) of the calls did not exceed; None without calls.

    `numbers` are calls by class. Within a class the calls count as spread evenly, as Prometheus' `histogram_quantile`
    does; in the last class, which has no end, the answer is its beginning.
    """
    total = sum(numbers.values())
    if total == 0:
        return None
    wanted, passed = share * total, 0
    for duration_class in sorted(numbers):
        number = numbers[duration_class]
        if number and passed + number >= wanted:
            begin = DURATION_BOUNDS_MS[duration_class - 1] if duration_class else 0
            end = DURATION_BOUNDS_MS[duration_class] if duration_class < len(DURATION_BOUNDS_MS) else begin
            return (begin + (end - begin) * (wanted - passed) / number) / 1000
        passed += number
    raise AssertionError("the last class ends every search")
