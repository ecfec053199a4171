"""One reading of the project's files: each is opened once, whatever is looked for in it."""

from __future__ import annotations

import codecs
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from ...conf import accounts
from ..context import Context
from .files import Kind, ProjectFile, ProjectFiles, find_files
from .keys import Found, KeySearch
from .markup import MARKUP_SUFFIXES, card_inputs_in, settings_uses_in
from .root import package_directory
from .source import Code, ServiceCall, read_code

MAX_BYTES = 5_000_000
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A key in a file."""

    file: ProjectFile
    key: Found

    @property
    def place(self) -> Place:
        return Place(self.file.name, self.key.line)


@dataclass(slots=True)
class Survey:
    """What stands in the files. Counts are of files; `unread` has those that could not be read or parsed."""

    files: ProjectFiles
    searched: int = 0
    too_big: int = 0
    unread: list[str] = field(default_factory=list)
    modules: int = 0
    pages: int = 0
    keys: list[KeyPlace] = field(default_factory=list)
    settings_uses: list[Place] = field(default_factory=list)
    card_fields: list[Place] = field(default_factory=list)
    direct_payments: list[Place] = field(default_factory=list)
    service_calls: list[tuple[Place, ServiceCall]] = field(default_factory=list)
    uses_hosted_view: bool = False


def survey(context: Context) -> Survey:
    """Read the project's files, for `context.once`."""
    found = Survey(context.once(find_files))
    search = KeySearch(context.account, accounts())
    for file in found.files.files:
        text = _text(file, found)
        if text is not None:
            found.searched += 1
            found.keys += [KeyPlace(file, key) for key in search.keys_in(text)]
            _read_pages(file, text, found)
    return found


def named(places: Iterable[object]) -> str:
    """Name some places, each once: the first ten, and how many more there are."""
    names = list(dict.fromkeys(map(str, places)))
    more = len(names) - _MOST_NAMED
    return f"{', '.join(names[:_MOST_NAMED])} and {more} more" if more > 0 else ", ".join(names)


def _text(file: ProjectFile, found: Survey) -> str | None:
    """Return what a file says, None for one that says nothing: binary, too big, unreadable, gone."""
    try:
        status = file.path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > MAX_BYTES:
            found.too_big += 1
            return None
        return _decoded(file.path.read_bytes())
    except FileNotFoundError:
        return None  # deleted, and git has not been told yet
    except OSError:
        found.unread.append(file.name)
        return None


def _decoded(content: bytes) -> str | None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what PowerShell's `>` writes
        return content.decode("utf-16", "replace")
    return None if b"\0" in content[:1024] else content.decode("utf-8", "replace")


def _read_pages(file: ProjectFile, text: str, found: Survey) -> None:
    if file.path.is_relative_to(package_directory()):
        return
    is_page = file.path.suffix in MARKUP_SUFFIXES or file.kind is Kind.TEMPLATE
    if is_page and file.path.suffix != ".py":
        found.pages += 1
        found.card_fields += [Place(file.name, line) for line in card_inputs_in(text)]
        found.settings_uses += [Place(file.name, line) for line in settings_uses_in(text)]
    elif file.path.suffix == ".py" and not _is_aside(file.name):
        found.modules += 1
        _read_code(file, text, found)


def _read_code(file: ProjectFile, text: str, found: Survey) -> None:
    try:
        code: Code = read_code(text)
    except (SyntaxError, ValueError, RecursionError):
        found.unread.append(file.name)
        return
    found.card_fields += [Place(file.name, line) for line in code.card_fields]
    found.direct_payments += [Place(file.name, line) for line in code.direct_payments]
    found.service_calls += [(Place(file.name, call.line), call) for call in code.service_calls]
    found.uses_hosted_view = found.uses_hosted_view or code.uses_hosted_view


def _is_aside(name: str) -> bool:
    """Tell whether a module serves no customer: a test, a migration."""
    path = PurePath(name)
    return not {"tests", "test", "migrations"}.isdisjoint(path.parts[:-1]) or (
        path.stem.startswith("test_") or path.stem in ("tests", "conftest") or path.stem.endswith("_test")
    )
