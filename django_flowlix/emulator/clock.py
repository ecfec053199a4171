"""The emulator's own clock: real time plus what a test has moved it forward."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    def __init__(self, read_seconds: Callable[[], float] = time.time) -> None:
        self._read_seconds = read_seconds
        self.advanced_seconds = 0.0

    def now(self) -> float:
        """Return Unix seconds as the emulated gateway sees them."""
        return self._read_seconds() + self.advanced_seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward; never back, because rolling windows and lives only make sense forwards.

        Raises: ValueError if `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward: advance by 0 seconds or more, or reset the emulator")
        self.advanced_seconds += seconds
