"""What stands in the log files already: the last megabytes of each are searched for keys and card numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...api.redaction import contains_card_number
from ...conf import accounts
from .. import log_tree
from ..context import Context
from .keys import KeySearch

MOST_BYTES = 4_000_000
# Digits that stand together. Of the many numbers in a log few do, and any may pass a card's check digit by chance.
_LONG_NUMBER = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")


@dataclass(slots=True)
class LogFiles:
    """The log files that were searched, and the places where something stands that must not."""

    searched: list[Path] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)


def search_log_files(context: Context) -> LogFiles:
    """Read the files that the handlers of LOGGING write to, for `context.once`."""
    found = LogFiles()
    search = KeySearch(context.account, accounts())
    for path in log_tree.files():
        try:
            text, is_whole = _end_of(path)
        except OSError:
            found.unread.append(str(path))
            continue
        found.searched.append(path)
        keys = [key.line for key in search.keys_in(text) if key.live or not key.is_made_up]
        found.keys += [_place(path, line, is_whole) for line in keys]
        found.cards += [_place(path, line, is_whole) for line in _cards_in(text)]
    return found


def _end_of(path: Path) -> tuple[str, bool]:
    """Return the last megabytes of a file, and whether that is all of it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - MOST_BYTES, 0))
        return file.read(MOST_BYTES).decode("utf-8", "replace"), size <= MOST_BYTES


def _cards_in(text: str) -> Iterator[int]:
    for match in _LONG_NUMBER.finditer(text):
        if contains_card_number(match.group()):
            yield text.count("\n", 0, match.start()) + 1


def _place(path: Path, line: int, is_whole: bool) -> str:
    return f"{path}:{line}" if is_whole else f"{path} (near its end)"
