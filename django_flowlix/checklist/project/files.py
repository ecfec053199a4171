"""Which files are the project's, and who gets to see each: the server, browsers, or whoever has the repository."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..context import Context
from . import root as project
from .listing import listed, walked

_BUILT_DIRECTORIES = frozenset({"dist", "build", "public", "out", ".next", ".output"})
_BUILT_SUFFIXES = frozenset(
    {
        *(".js", ".mjs", ".cjs", ".map", ".css", ".html", ".htm", ".xhtml", ".wasm", ".svg"),
        *(".json", ".webmanifest", ".txt", ".xml", ".yaml", ".yml"),
    }
)
_EXAMPLE_SUFFIXES = (".example", ".sample", ".dist", ".template")
_LOG = re.compile(r"\.log(?:\.\d+)?$")


class Kind(StrEnum):
    """What a file is for."""

    TEMPLATE = "template"
    STATIC = "static"
    SETTINGS = "settings"
    CODE = "code"
    DOTENV = "dotenv"
    LOG = "log"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file; `name` is its path below the root, or the whole path when it lies elsewhere."""

    path: Path
    name: str
    kind: Kind
    is_tracked: bool
    is_ignored: bool
    """Does git leave it out?"""

    @property
    def is_example(self) -> bool:
        """Is it there to be copied, such as `.env.example`?"""
        return self.name.endswith(_EXAMPLE_SUFFIXES)


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """The files to look at; `is_repository`: git has said which it tracks; `uses_git`: it has left out the ignored."""

    root: Path
    is_repository: bool
    uses_git: bool
    files: tuple[ProjectFile, ...]


def find_files(context: Context) -> ProjectFiles:
    """List the project's files, for `context.once`.

    Some are listed although git ignores them: what goes out to browsers, what Python has loaded, and dotenv files.
    """
    root, is_repository, listing = _listing(project.start_directory())
    statics = tuple(project.static_directories(root))
    templates = tuple(project.template_directories(root))
    served = {path for directory in statics for path in walked(directory, follows_links=True)}
    found = {
        *(listing if listing is not None else ()),
        *(path for path in walked(root) if listing is None or _counts_though_ignored(path.relative_to(root))),
        *(path for directory in templates for path in walked(directory)),
        *project.loaded_files(),
        *filter(None, [project.settings_file()]),
    }
    kind_of = _kinds(root, statics, templates)
    files = (
        ProjectFile(
            path, _name(root, path), kind_of(path), (listing or {}).get(path, False), _is_ignored(root, path, listing)
        )
        for path in sorted(served.union(path for path in found if not _leads_out(root, path)))
    )
    return ProjectFiles(root, is_repository, listing is not None, tuple(files))


def _counts_though_ignored(path: Path) -> bool:
    return _is_built(path) or _is_dotenv(path)


def _is_ignored(root: Path, path: Path, listing: Mapping[Path, bool] | None) -> bool:
    return listing is not None and path.is_relative_to(root) and path not in listing


def _listing(start: Path) -> tuple[Path, bool, Mapping[Path, bool] | None]:
    """Return the root, whether git tracks files there, and what git lists (None: it could not say)."""
    top = project.repository_of(start)
    if top is not None:
        listing = listed(top, is_repository=True)
        if listing is None:
            return top, False, None
        # A repository around the project that ignores it all knows nothing of it.
        if any(path.is_relative_to(start) for path in listing):
            return top, True, listing
    return start, False, listed(start, is_repository=False)


def _kinds(root: Path, statics: Iterable[Path], templates: Iterable[Path]) -> Callable[[Path], Kind]:
    """Return what tells the kind of a file; paths are compared as texts, because there are thousands."""
    static_tops = tuple(f"{directory}{os.sep}" for directory in statics)
    template_tops = tuple(f"{directory}{os.sep}" for directory in templates)
    settings_file = project.settings_file()

    def kind_of(path: Path) -> Kind:
        inner = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
        above = inner.parts[:-1]
        if str(path).startswith(static_tops) or "static" in above or _is_built(inner):
            return Kind.STATIC
        if str(path).startswith(template_tops) or "templates" in above:
            return Kind.TEMPLATE
        return Kind.SETTINGS if path == settings_file else _kind_by_name(path, above)

    return kind_of


def _kind_by_name(path: Path, above: tuple[str, ...]) -> Kind:
    if path.suffix == ".py":
        return Kind.SETTINGS if path.stem.startswith("settings") or "settings" in above else Kind.CODE
    if _is_dotenv(path):
        return Kind.DOTENV
    return Kind.LOG if _LOG.search(path.name) else Kind.OTHER


def _is_dotenv(path: Path) -> bool:
    return path.name.startswith(".env") or path.suffix == ".env"


def _is_built(path: Path) -> bool:
    """Tell whether a path below the root is part of a front-end that was built for browsers."""
    return path.suffix in _BUILT_SUFFIXES and not _BUILT_DIRECTORIES.isdisjoint(path.parts)


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _leads_out(root: Path, path: Path) -> bool:
    """Tell whether a link leads to a file outside the root: that is nobody's business here."""
    return path.is_symlink() and not path.resolve().is_relative_to(root)
