"""Child processes that never outlive their parent, except one that is killed with SIGKILL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

_STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_STOP_TIMEOUT_SECONDS = 5
_KEPT_LINES = 40


class Child:
    """One running process. What it prints is kept (the last lines) and handed to `tell` line by line."""

    def __init__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, tell: Callable[[str], None]
    ) -> None:
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._tell = tell
        # A session of its own: Ctrl-C reaches the parent alone, which then stops its children in order.
        self._process = subprocess.Popen(  # noqa: S603  our own commands
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_STOP_TIMEOUT_SECONDS)
        if not self._reader.is_alive() and self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.last_lines.append(line.rstrip())
            with suppress(OSError, ValueError):  # nobody reads our own output any more
                self._tell(f"{self.name:>8} | {line.rstrip()}")


class Household:
    """All children of this process; used as a context manager, it stops them whatever happens.

    SIGINT, SIGTERM and SIGHUP become KeyboardInterrupt, held back while a child is being started, because between
    its birth and its entry in the list it would be forgotten.
    """

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._busy = False
        self._interrupted = False
        self._former: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _STOP_SIGNALS:
            self._former[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave orphans
        for child in reversed(self.children):
            child.stop()
        for number, handler in self._former.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself returned

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, tell: Callable[[str], None]
    ) -> Child:
        """Start a Python process: `command` is what follows the interpreter."""
        with self._undisturbed():
            child = Child(name, [sys.executable, *command], env=env, cwd=cwd, tell=tell)
            self.children.append(child)
        return child

    def ended_child(self) -> Child | None:
        """Return a child that has ended although nobody asked it to."""
        return next((child for child in self.children if child.exit_code is not None), None)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        if not self._busy:
            raise KeyboardInterrupt

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._interrupted:
            raise KeyboardInterrupt
