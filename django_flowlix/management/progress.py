"""Progress of a command: a bar on a terminal, nothing elsewhere (logs get the closing lines only)."""

from __future__ import annotations

import shutil

from django.core.management.base import OutputWrapper


class ProgressBar:
    """`done/total` with a bar that fits the terminal; call `advance` per item or batch and `close` at the end."""

    def __init__(self, stream: OutputWrapper, total: int) -> None:
        self._stream, self._total, self._done = stream, total, 0
        self._visible = total > 0 and stream.isatty()
        self._draw()

    def advance(self, count: int = 1) -> None:
        self._done += count
        self._draw()

    def close(self) -> None:
        self._write("\n")

    def _draw(self) -> None:
        counter = f" {self._done}/{self._total}"
        width = max(10, min(60, shutil.get_terminal_size().columns - len(counter) - 3))
        filled = min(width, width * self._done // max(self._total, 1))
        self._write(f"\r[{'#' * filled}{'.' * (width - filled)}]{counter}")

    def _write(self, text: str) -> None:
        if self._visible:
            # As it is: a command's stderr adds a line break and the colour of errors.
            self._stream.write(text, style_func=str, ending="")
            self._stream.flush()
