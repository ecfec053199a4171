"""Which handlers the project's log records come to, and from which loggers."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from django.conf import settings

_ALWAYS = ("django_flowlix", "django.request", "django.server")
"""Loggers that write when payments are made, whatever LOGGING says of them."""

_ON_THE_WAY = ("_log", "makeRecord", "handle", "callHandlers")


def routes() -> Iterator[tuple[logging.Logger, logging.Handler]]:
    """Yield each logger that differs from those above it, with each handler its records come to."""
    for logger in _loggers():
        for handler in _handlers(logger):
            yield logger, handler


def files() -> tuple[Path, ...]:
    """Return the log files that there are: those that any handler writes to."""
    handlers = {handler for logger in _loggers() for each in _handlers(logger) for handler in (each, *behind(each))}
    names = {getattr(handler, "baseFilename", "") for handler in handlers}
    return tuple(Path(name) for name in sorted(names) if name and Path(name).is_file())


def changed_methods() -> list[str]:
    """Return the methods on a record's way to the handlers that are not those of `logging`: what they do is unknown."""
    ways = {(kind, name) for kind in map(type, _loggers()) for name in _ON_THE_WAY}
    owners = {(next(each for each in kind.__mro__ if name in vars(each)), name) for kind, name in ways}
    return sorted(
        f"{owner.__module__}.{owner.__qualname__}.{name}"
        for owner, name in owners
        if not _is_of_logging(vars(owner)[name])
    )


def _is_of_logging(method: object) -> bool:
    # Its very type: what wraps it may hand on all its attributes, and say that it is a function.
    code = method.__code__ if type(method) is FunctionType else None
    return code is not None and code.co_filename == logging.getLogger.__code__.co_filename


def behind(handler: logging.Handler) -> tuple[logging.Handler, ...]:
    """Return the handlers that a handler passes records on to, as far as it is known."""
    if isinstance(handler, logging.handlers.MemoryHandler):
        return (handler.target,) if handler.target is not None else ()
    listener = getattr(handler, "listener", None)  # dictConfig sets it, from Python 3.12 on
    return tuple(listener.handlers) if listener is not None else ()


def configured_loggers() -> Mapping[str, Any]:
    """Return what the setting LOGGING says of loggers, by their names."""
    logging_setting = getattr(settings, "LOGGING", None)
    loggers = logging_setting.get("loggers") if isinstance(logging_setting, Mapping) else None
    return loggers if isinstance(loggers, Mapping) else {}


def _loggers() -> Iterator[logging.Logger]:
    existing = logging.root.manager.loggerDict
    names = {*_ALWAYS, *configured_loggers(), *(name for name, logger in existing.items() if _differs(logger))}
    yield logging.root
    for name in sorted(names - {"root", ""}):
        logger = logging.getLogger(name)
        if not logger.disabled:
            yield logger


def _differs(logger: object) -> bool:
    if not isinstance(logger, logging.Logger):
        return False
    return bool(logger.handlers or logger.filters) or not logger.propagate


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Yield the handlers of a logger as `logging` itself finds them."""
    found = False
    above: logging.Logger | None = logger
    while above is not None:
        for handler in above.handlers:
            found = True
            # A test runner's own, which keep in memory what a test logs.
            if not type(handler).__module__.startswith("_pytest."):
                yield handler
        above = above.parent if above.propagate else None
    if not found and logging.lastResort is not None:
        yield logging.lastResort
