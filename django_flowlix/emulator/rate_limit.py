"""How many requests a key may send in 60 seconds: a rolling or a fixed window, counted per key.

Source: docs.flowlix.eu/api-reference/rate-limits (rolling), docs.flowlix.dev/api-reference/rate-limits (fixed)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

from .answers import RefusalError

WINDOW_SECONDS = 60


@dataclass(frozen=True)
class Budget:
    """What is left of a key's window; `reset_at` is the second in which it grows again."""

    limit: int
    remaining: int
    reset_at: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }


class RateLimiter(ABC):
    def __init__(self, requests_per_minute: int) -> None:
        self.set_limit(requests_per_minute)

    def set_limit(self, requests_per_minute: object) -> None:
        """Change the limit. Raises: ValueError unless it is a whole number of at least 1."""
        if type(requests_per_minute) is not int or requests_per_minute < 1:
            raise ValueError("requests_per_minute must be a whole number of at least 1")
        self.requests_per_minute = requests_per_minute

    @abstractmethod
    def count(self, api_key: str, now: float) -> Budget:
        """Count one request and return the budget. Refused requests do not use up the window."""

    def _budget(self, counted: int, window_started: float, exceeded: bool) -> Budget:
        remaining = max(0, self.requests_per_minute - counted)
        return Budget(self.requests_per_minute, remaining, math.ceil(window_started + WINDOW_SECONDS), exceeded)


class RollingLimiter(RateLimiter):
    """Every request leaves the window 60 seconds after it came."""

    def __init__(self, requests_per_minute: int) -> None:
        super().__init__(requests_per_minute)
        self._counted: dict[str, deque[float]] = {}

    def count(self, api_key: str, now: float) -> Budget:
        times = self._counted.setdefault(api_key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        exceeded = len(times) >= self.requests_per_minute
        if not exceeded:
            times.append(now)
        return self._budget(len(times), times[0] if times else now, exceeded)


class FixedLimiter(RateLimiter):
    """The first request opens a window of 60 seconds; the first one after its end opens the next."""

    def __init__(self, requests_per_minute: int) -> None:
        super().__init__(requests_per_minute)
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, api_key: str, now: float) -> Budget:
        started, counted = self._windows.get(api_key, (now, 0))
        if now >= started + WINDOW_SECONDS:
            started, counted = now, 0
        exceeded = counted >= self.requests_per_minute
        counted += not exceeded
        self._windows[api_key] = (started, counted)
        return self._budget(counted, started, exceeded)


def rate_limited(retry_after: str | None) -> RefusalError:
    """Return the 429 of the contract; `retry_after` is the header's text, None leaves the header out."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    message = "Too many requests. Slow down and try again after the time given in Retry-After."
    return RefusalError(429, "rate_limit_error", "rate_limit_exceeded", message, headers=headers)
