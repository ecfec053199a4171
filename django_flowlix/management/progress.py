"""Progress of a command: a bar on a terminal, nothing elsewhere (logs get the closing lines only)."""

from __future__ import annotations

import shutil
from typing import Protocol


class Stream(Protocol):
    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...


class ProgressBar:
    """`done/total` with a bar that fits the terminal; call `advance` per item and `close` at the end."""

    def __init__(self, stream: Stream, total: int) -> None:
        self._stream, self._total, self._done = stream, total, 0
        self._visible = total > 0 and stream.isatty()
        self._draw()

    def advance(self) -> None:
        self._done += 1
        self._draw()

    def close(self) -> None:
        if self._visible:
            self._stream.write("\n")

    def _draw(self) -> None:
        if not self._visible:
            return
        counter = f" {self._done}/{self._total}"
        width = max(10, min(60, shutil.get_terminal_size().columns - len(counter) - 3))
        filled = min(width, width * self._done // self._total)
        self._stream.write(f"\r[{'#' * filled}{'.' * (width - filled)}]{counter}")
        self._stream.flush()
