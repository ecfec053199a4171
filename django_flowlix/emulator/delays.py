"""Requests that a fault holds back: they wait in real time, and tests can wait for them, let them go or drop them."""

from __future__ import annotations

import threading


class InterruptedByResetError(Exception):
    """The emulator was reset or stopped while this request was held: it must not touch what came after."""


class Delays:
    """`generation` counts interruptions: a request belongs to the generation it arrived in."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._releases = 0
        self._held = 0
        self.generation = 0

    def hold(self, seconds: float, generation: int) -> None:
        """Hold the calling request for `seconds`, or until it is released.

        Raises: InterruptedByResetError if its generation ends first.
        """
        with self._changed:
            releases = self._releases
            self._held += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(
                    lambda: self.generation != generation or self._releases != releases, timeout=seconds
                )
            finally:
                self._held -= 1
        self.require_generation(generation)

    def require_generation(self, generation: int) -> None:
        if self.generation != generation:
            raise InterruptedByResetError

    def wait_until_held(self, requests: int, timeout_seconds: float) -> None:
        """Block until so many requests are held.

        Raises: TimeoutError if they are not in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held >= requests, timeout=timeout_seconds):
                raise TimeoutError(f"{self._held} of {requests} requests were held after {timeout_seconds} s")

    def release(self) -> None:
        """Let every held request go on as if its delay had passed."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()

    def interrupt(self) -> None:
        """End the generation: every held request drops its connection instead of going on."""
        with self._changed:
            self.generation += 1
            self._changed.notify_all()
