"""Where the project's files are: its root, and the directories whose content goes out to browsers.

Django knows no "project directory"; BASE_DIR is a habit of its settings template.
"""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings

import django_flowlix

from .listing import is_foreign

_LEVELS_UP = 3


def start_directory() -> Path:
    """Return the highest of `settings.BASE_DIR`, the settings' top package, and where manage.py is.

    A BASE_DIR that is one directory too deep is found in many a project whose settings have become a package.
    """
    base = getattr(settings, "BASE_DIR", None)
    module = settings_file()
    package = _above_its_packages(module) if module is not None else Path.cwd()
    start = Path(base).resolve() if base and Path(base).is_dir() else package
    if module is not None and not _is_too_high(package) and start.is_relative_to(package):
        start = package
    return next((top for top in (start, *start.parents[:_LEVELS_UP]) if (top / "manage.py").is_file()), start)


def settings_file() -> Path | None:
    """Return the file of the settings module, None for settings that were configured in a program."""
    name = getattr(settings, "SETTINGS_MODULE", None)
    file = getattr(sys.modules.get(name) or importlib.import_module(name), "__file__", None) if name else None
    return Path(file).resolve() if file else None


def _above_its_packages(module: Path) -> Path:
    """Return the directory of the outermost package that holds a module; of a lone module, its own directory."""
    directory = module.parent
    while (directory.parent / "__init__.py").is_file():
        directory = directory.parent
    return directory


def repository_of(directory: Path) -> Path | None:
    """Return the top of the git work tree that holds a directory.

    Someone who keeps the whole home directory in git does not mean all of it to be the project, unless it is that.
    """
    for top in (directory, *directory.parents):
        if (top / ".git").exists():
            return None if top != directory and _is_too_high(top) else top
    return None


def _is_too_high(directory: Path) -> bool:
    return directory in (Path.home(), Path(directory.anchor))


def loaded_files() -> Sequence[Path]:
    """Return the modules that Python has loaded and that are the project's: neither Python's, nor installed, nor ours.

    What the settings come from is among them, though git may ignore it, and though it may lie anywhere.
    """
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    names = (file for file in files if isinstance(file, str) and file.endswith(".py") and not _is_foreign(file))
    return sorted(path for path in map(_path, names) if not _is_foreign(str(path)))


def _is_foreign(name: str) -> bool:
    tops = (f"{package_directory()}{os.sep}", *_PYTHONS_OWN)
    return name.startswith(tops) or is_foreign(Path(name).parts)


_PYTHONS_OWN = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))


def package_directory() -> Path:
    """Return where this package is: a copy of it inside a project is not the project's own code."""
    return Path(django_flowlix.__file__).resolve().parent


def template_directories(root: Path) -> Iterator[Path]:
    """Yield the directories of TEMPLATES, and those of the apps that are the project's own."""
    engines: list[dict[str, Any]] = settings.TEMPLATES
    for engine in engines:
        yield from (_path(entry) for entry in engine.get("DIRS", ()))
    yield from _of_own_apps(root, "templates")


def static_directories(root: Path) -> Iterator[Path]:
    """Yield the directories of STATICFILES_DIRS, STATIC_ROOT, and those of the apps that are the project's own."""
    for entry in settings.STATICFILES_DIRS:
        yield _path(entry[1] if isinstance(entry, list | tuple) else entry)
    if settings.STATIC_ROOT:
        yield _path(settings.STATIC_ROOT)
    yield from _of_own_apps(root, "static")


def _of_own_apps(root: Path, name: str) -> Iterator[Path]:
    for app in apps.get_app_configs():
        path = _path(app.path)
        if path.is_relative_to(root) and not is_foreign(path.relative_to(root).parts):
            yield path / name


def _path(entry: Any) -> Path:
    return Path(str(entry)).resolve()
