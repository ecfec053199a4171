"""One reading of the project's files: each is opened once, whatever is looked for in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from ...conf import accounts
from ..context import Context
from .contents import Text, texts_of
from .files import Kind, ProjectFile, ProjectFiles, find_files
from .keys import Found, KeySearch
from .markup import MARKUP_SUFFIXES, SCRIPT_SUFFIXES, card_inputs_in, settings_uses_in
from .root import package_directory
from .source import Code, ServiceCall, read_code

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
    """What stands in the files. Counts are of files.

    `unread` could not be opened, `unparsed` are no Python, and `too_long` are modules that are too long to be parsed.
    """

    files: ProjectFiles
    searched: int = 0
    unread: list[str] = field(default_factory=list)
    unparsed: list[str] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)
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
        try:
            _read(file, search, found)
        except FileNotFoundError:
            pass  # deleted, and git has not been told yet
        except OSError:
            found.unread.append(file.name)
    return found


def named(places: Iterable[object]) -> str:
    """Name some places, each once: the first ten, and how many more there are."""
    names = list(dict.fromkeys(map(str, places)))
    more = len(names) - _MOST_NAMED
    return f"{', '.join(names[:_MOST_NAMED])} and {more} more" if more > 0 else ", ".join(names)


def _read(file: ProjectFile, search: KeySearch, found: Survey) -> None:
    keys: dict[Found, None] = {}
    text = None
    for text in texts_of(file.path):
        keys |= dict.fromkeys(replace(key, line=key.line + text.lines_before) for key in search.keys_in(text.text))
        _read_page(file, text, found)
    if text is not None:
        found.searched += 1
        found.keys += [KeyPlace(file, key) for key in keys]
        found.pages += _is_page(file) or _is_script(file)
        if _is_module(file):
            _read_module(file, text, found)


def _read_page(file: ProjectFile, text: Text, found: Survey) -> None:
    """Look for what browsers fill in, which Python may write as well."""
    if _is_page(file) or _is_script(file) or _is_module(file):
        lines = (line + text.lines_before for line in card_inputs_in(text.text))
        found.card_fields += [Place(file.name, line) for line in lines]
    if _is_page(file):
        lines = (line + text.lines_before for line in settings_uses_in(text.text))
        found.settings_uses += [Place(file.name, line) for line in lines]


def _is_page(file: ProjectFile) -> bool:
    suffix = file.path.suffix
    return (suffix in MARKUP_SUFFIXES or (file.kind is Kind.TEMPLATE and suffix != ".py")) and not _is_ours(file)


def _is_script(file: ProjectFile) -> bool:
    return file.path.suffix in SCRIPT_SUFFIXES and not _is_ours(file)


def _is_module(file: ProjectFile) -> bool:
    return file.path.suffix == ".py" and not _is_aside(file.name) and not _is_ours(file)


def _is_ours(file: ProjectFile) -> bool:
    return file.path.is_relative_to(package_directory())


def _read_module(file: ProjectFile, text: Text, found: Survey) -> None:
    if text.is_whole:
        found.modules += 1
        _read_code(file, text.text, found)
    else:
        found.too_long.append(file.name)


def _read_code(file: ProjectFile, text: str, found: Survey) -> None:
    try:
        code: Code = read_code(text)
    except (SyntaxError, ValueError, RecursionError):
        found.unparsed.append(file.name)
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
