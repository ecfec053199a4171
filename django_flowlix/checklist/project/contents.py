"""What a file holds, as texts to be searched: however big it is, binary or not, in whichever encoding.

What is looked for is ASCII, so no encoding need be known: bytes are taken for latin-1, and every second byte of UTF-16
is that too.
"""

from __future__ import annotations

import codecs
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PIECE_BYTES = 5_000_000
_OVERLAP_BYTES = 1_000
"""What stands over the end of a piece is found in it: nothing that is looked for is longer."""


@dataclass(frozen=True, slots=True)
class Text:
    """A part of a file; `lines_before` stand before it. `is_whole`: it is all there is, and somebody's writing."""

    text: str
    lines_before: int = 0
    is_whole: bool = False


def texts_of(path: Path) -> Iterator[Text]:
    """Yield what a file holds; nothing for what is no file. Raises: OSError"""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
        return
    with path.open("rb") as file:
        content = file.read(PIECE_BYTES)
        rest = file.read(_OVERLAP_BYTES)
        if not rest and (text := _decoded(content)) is not None:
            yield Text(text, is_whole=True)
            return
        views = _Views()
        while content:
            yield from views.of(content + rest, len(content))
            content = rest + file.read(max(PIECE_BYTES - len(rest), 0))
            rest = file.read(_OVERLAP_BYTES)


class _Views:
    """The ways to read bytes whose encoding is not known, each with the lines it has come past."""

    def __init__(self) -> None:
        self._lines = [0, 0, 0]

    def of(self, content: bytes, end: int) -> Iterator[Text]:
        """Yield the texts of a piece; lines are counted up to `end`, where the next one begins."""
        is_wide = b"\0" in content
        for number, step in enumerate((slice(None), slice(0, None, 2), slice(1, None, 2))):
            if is_wide or not number:
                yield Text(content[step].decode("latin-1"), self._lines[number])
            self._lines[number] += content[:end][step].count(b"\n")


def _decoded(content: bytes) -> str | None:
    """Return the text that somebody wrote, None for what is none or does not say how it is encoded."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what PowerShell's `>` writes
        return content.decode("utf-16", "replace")
    return None if b"\0" in content else content.decode("utf-8", "replace")
