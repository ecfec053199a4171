"""The operator of a command: words on standard error, a question that only a person can answer, and a wait to watch."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

from django.core.management.base import OutputWrapper

from ..services import clock

_POLL_SECONDS = 2
_MOST_SECONDS_UNSEEN = 60
"""Without a terminal nobody sees what is waited for, unless a program does: cron must not hang."""


class Terminal:
    """Speaks to the person at the terminal. Nothing goes to standard output: that is where the report goes."""

    def __init__(self, stderr: OutputWrapper) -> None:
        self._stderr = stderr

    @property
    def is_interactive(self) -> bool:
        """Is somebody there who reads and can answer?"""
        return self._stderr.isatty() and sys.stdin is not None and sys.stdin.isatty()

    def say(self, text: str) -> None:
        self._clear()
        self._write(f"{text}\n")

    def confirms(self, question: str) -> bool:
        return self.asks(f"{question} [y/N]").lower() in ("y", "yes")

    def asks(self, question: str) -> str:
        if not self.is_interactive:
            return ""
        self._clear()
        self._write(f"{question} ")  # not by input(): its prompt may go to standard output
        try:
            return input().strip()
        except EOFError:
            return ""

    def waits(self, what: str, seconds: int, is_over: Callable[[], bool]) -> bool:
        """Show how long it has taken until `is_over()`; Ctrl-C ends the waiting and no more."""
        self.say(what)
        try:
            return self._watch(seconds if self._stderr.isatty() else min(seconds, _MOST_SECONDS_UNSEEN), is_over)
        except KeyboardInterrupt:
            return False
        finally:
            self._clear()

    def _watch(self, seconds: int, is_over: Callable[[], bool]) -> bool:
        began = clock.monotonic()
        while not is_over():
            elapsed = clock.monotonic() - began
            if elapsed >= seconds:
                return False
            self._draw(f"waiting {_clock_face(elapsed)} of {_clock_face(seconds)}, Ctrl-C to stop waiting")
            clock.sleep(min(_POLL_SECONDS, seconds - elapsed))
        return True

    def _draw(self, text: str) -> None:
        if self._stderr.isatty():
            self._write(f"\r{text[: _columns() - 1]}")

    def _clear(self) -> None:
        """Wipe the line, on which a progress bar may stand."""
        if self._stderr.isatty():
            self._write(f"\r{' ' * (_columns() - 1)}\r")

    def _write(self, text: str) -> None:
        # As it is: a command's stderr adds a line break and the colour of errors.
        self._stderr.write(text, style_func=str, ending="")
        self._stderr.flush()


def _columns() -> int:
    return max(20, shutil.get_terminal_size().columns)


def _clock_face(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
