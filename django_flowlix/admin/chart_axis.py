"""Which numbers stand at the side of a picture: 0, and round ones up to the first that nothing exceeds. Pure."""

from __future__ import annotations

import math

MOST_STEPS = 5
_ROUND = (1, 2, 5)


def step_of(largest: float, least_step: float = 0) -> float:
    """Return the smallest round step (1, 2 or 5 times a power of ten) that reaches `largest` in `MOST_STEPS`."""
    wanted = max(largest / MOST_STEPS, least_step)
    if wanted <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(wanted))
    # 0.1 * 3 is 0.30000000000000004: what is rounding alone must not ask for the next step.
    return next((n * power for n in _ROUND if n * power >= wanted * (1 - 1e-9)), 10 * power)


def ticks(largest: float, least_step: float = 0) -> list[float]:
    """Return the numbers from 0 up to the first that is not below `largest`."""
    step = step_of(largest, least_step)
    count = max(math.ceil(largest / step - 1e-9), 1)
    return [round(index * step, 10) for index in range(count + 1)]
