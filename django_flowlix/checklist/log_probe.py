"""What handlers make of records that hold a card number, a key and a token; nothing is written anywhere.

Every trial has a record of its own, because a filter may change the one it gets.
"""

from __future__ import annotations

import ast
import inspect
import logging
import logging.handlers
import traceback
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from itertools import takewhile
from textwrap import dedent
from types import TracebackType
from typing import Any, TypeAlias

from django.conf import settings
from django.utils.log import AdminEmailHandler

from .log_tree import behind, routes

_CARD = "4242424242424242"  # a published test card
_KEY_TAIL = "hT5nWq8RzL2vXc7BkD4m"
_TOKEN = "Vw3kPq9ZtY6sRb1NcM8x"  # noqa: S105  made up, as the key is
_SECRETS: Mapping[str, str] = {"a card number": _CARD, "a key": _KEY_TAIL, "an access token": _TOKEN}
_TEXT = f"card {_CARD} key {'_'.join(['fl', 'live', 'sk', _KEY_TAIL])} header Bearer {_TOKEN}"
_LEVELS = (logging.ERROR, logging.CRITICAL, logging.WARNING, logging.INFO, logging.DEBUG)
LOCALS = "a local variable of a traceback"

_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
_Maker: TypeAlias = Callable[[logging.Logger, int], logging.LogRecord]


@dataclass(slots=True)
class Trial:
    """What one handler did with the records of some loggers.

    `shown` has what it shows and in which part of the record that was; `unclear` is why nobody can say what it writes;
    `is_silent` says that it let no record through.
    """

    handler: logging.Handler
    loggers: list[str] = field(default_factory=list)
    shown: dict[str, set[str]] = field(default_factory=dict)
    unclear: str = ""
    is_silent: bool = True

    @property
    def name(self) -> str:
        if self.handler is logging.lastResort:
            return "logging.lastResort"
        name = f" {self.handler.name!r}" if self.handler.name else ""
        return f"{type(self.handler).__module__}.{type(self.handler).__qualname__}{name}"


def try_handlers() -> list[Trial]:
    """Give every handler that writes something its records, as they come from each of its loggers."""
    trials: dict[int, Trial] = {}
    for logger, handler in routes():
        if isinstance(handler, logging.NullHandler):
            continue
        for kind, make in _KINDS.items():
            _try(trials, logger, handler, kind, make)
    return list(trials.values())


def _try(trials: dict[int, Trial], logger: logging.Logger, handler: logging.Handler, kind: str, make: _Maker) -> None:
    trial = trials.setdefault(id(handler), Trial(handler))
    if logger.name not in trial.loggers:
        trial.loggers.append(logger.name)
    try:
        writings = list(_writings_at_any_level(logger, handler, make))
    except Exception as error:  # noqa: BLE001  filters and formatters are the project's, and may do anything
        trial.is_silent = False
        trial.unclear = f"raises {type(error).__name__}"
        return
    for writing in writings:
        each = trials.setdefault(id(writing.handler), Trial(writing.handler, [logger.name]))
        each.is_silent = trial.is_silent = False
        secrets = {name for name, secret in _SECRETS.items() if secret in writing.text}
        if secrets and writing.unclear:
            each.unclear = writing.unclear
        elif secrets:
            each.shown.setdefault(kind, set()).update(secrets)


@dataclass(frozen=True, slots=True)
class _Writing:
    """What a handler would write; with `unclear`, all that it could write, and why that is not known better."""

    handler: logging.Handler
    text: str
    unclear: str = ""


def _writings_at_any_level(logger: logging.Logger, handler: logging.Handler, make: _Maker) -> Iterator[_Writing]:
    """Yield what comes of every level that gets through: a filter may mask some only."""
    for level in _LEVELS:
        if not logger.isEnabledFor(level):
            continue
        record = _filtered(logger, make(logger, level))
        if record is not None:
            yield from _writings(handler, record)


def _writings(handler: logging.Handler, record: logging.LogRecord) -> Iterator[_Writing]:
    if record.levelno < handler.level:
        return
    # A `handle` of its own is what would have asked the filters.
    passed = record if _has_own(handler, "handle") else _filtered(handler, record)
    if passed is None or _mails_nobody(handler):
        return
    if isinstance(handler, logging.handlers.QueueHandler):
        yield from _queued(handler, handler.prepare(passed))
    elif isinstance(handler, logging.handlers.MemoryHandler):
        for target in behind(handler):
            yield from _writings(target, passed)
    elif method := _own_method(handler):
        yield _Writing(handler, _everything(passed), f"has a way of its own to {method} records")
    else:
        yield _Writing(handler, _text(handler, passed))


def _queued(handler: logging.Handler, record: logging.LogRecord) -> Iterator[_Writing]:
    targets = behind(handler)
    if not targets:
        yield _Writing(handler, _everything(record), "puts records into a queue, and who takes them out is not known")
    for target in targets:
        yield from _writings(target, copy(record))


def _filtered(filterer: logging.Filterer, record: logging.LogRecord) -> logging.LogRecord | None:
    verdict: Any = filterer.filter(record)
    if isinstance(verdict, logging.LogRecord):  # from Python 3.12 on, a filter may put another record in its place
        return verdict
    return record if verdict else None


def _text(handler: logging.Handler, record: logging.LogRecord) -> str:
    """Return what a handler of the standard library or of Django writes."""
    if isinstance(handler, AdminEmailHandler):
        return _mail(handler, record)
    if isinstance(handler, logging.handlers.SocketHandler):
        return _everything(record)
    if isinstance(handler, logging.handlers.HTTPHandler):
        return str(handler.mapLogRecord(record))
    return handler.format(record)


def _own_method(handler: logging.Handler) -> str:
    """Name the method by which a handler writes past its formatter or its filters, "" when there is none."""
    return next((method for method in _USUAL if _has_own(handler, method)), "")


_USUAL: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "handle": (frozenset({"handle", "filter"}), frozenset({"emit", "handleError"})),
    "emit": (frozenset({"emit", "format"}), frozenset({"handleError"})),
}
"""The methods of its own that a handler's method gives the record to: one of the first, and maybe the others."""

_HARMLESS = frozenset(
    {
        *("levelno", "levelname", "name", "created", "msecs", "relativeCreated", "filename", "funcName", "lineno"),
        *("module", "pathname", "process", "processName", "thread", "threadName", "taskName"),
    }
)


def _has_own(handler: logging.Handler, method: str) -> bool:
    """Tell whether a class of somebody else's has a method that does anything with a record but what is usual."""
    owners = (each for each in type(handler).__mro__ if method in vars(each))
    foreign = takewhile(lambda owner: owner.__module__.partition(".")[0] not in ("logging", "django"), owners)
    return not all(_is_usual(vars(owner)[method], *_USUAL[method]) for owner in foreign)


def _is_usual(method: Any, needed: frozenset[str], allowed: frozenset[str]) -> bool:
    """Tell by its source whether a method gives the record to the handler's own methods, and does no more with it."""
    try:
        function = ast.parse(dedent(inspect.getsource(method))).body[0]
    except (OSError, TypeError, SyntaxError):
        return False
    arguments = function.args.args if isinstance(function, ast.FunctionDef) else []
    if len(arguments) < 2:
        return False
    record = arguments[1].arg
    nodes = list(ast.walk(function))
    given = {id(node.args[0]): _own_call(node) for node in nodes if isinstance(node, ast.Call) and node.args}
    harmless = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr in _HARMLESS}
    uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == record]
    called = {given.get(id(node), "") for node in uses if id(node) not in harmless}
    return not needed.isdisjoint(called) and called <= needed | allowed


def _own_call(call: ast.Call) -> str:
    """Return the method of `self` or `super()` that is called, "" for any other."""
    called = call.func
    if not isinstance(called, ast.Attribute):
        return ""
    owner = called.value.func if isinstance(called.value, ast.Call) else called.value
    return called.attr if isinstance(owner, ast.Name) and owner.id in ("self", "super") else ""


def _mails_nobody(handler: logging.Handler) -> bool:
    is_plain = isinstance(handler, AdminEmailHandler) and type(handler).send_mail is AdminEmailHandler.send_mail
    return is_plain and not settings.ADMINS


def _mail(handler: AdminEmailHandler, record: logging.LogRecord) -> str:
    """Return subject and bodies as the handler composes them: the report is made of the exception, not of the line."""
    without = copy(record)
    without.exc_info = without.exc_text = None
    exc_info: Any = record.exc_info or (None, record.getMessage(), None)
    reporter: Any = handler.reporter_class
    report = reporter(None, *exc_info, is_email=True)
    html = report.get_traceback_html() if handler.include_html else ""
    return "\n".join([record.getMessage(), handler.format(without), report.get_traceback_text(), html])


def _everything(record: logging.LogRecord) -> str:
    """Return all that can be read from a record, but for the frames of its traceback."""
    parts = [record.getMessage(), repr(vars(record)), *map(str, vars(record).values())]
    if record.exc_info:
        parts += traceback.format_exception(*record.exc_info)
    return "\n".join(parts)


def _record(
    logger: logging.Logger,
    level: int,
    message: str,
    *args: str,
    exc_info: _ExcInfo | None = None,
    extra: Mapping[str, object] | None = None,
) -> logging.LogRecord:
    # By the logger, so that a record factory of the project has its say.
    return logger.makeRecord(logger.name, level, __file__, 1, message, args, exc_info, "flowlix_check", extra)


def _raised(text: str) -> _ExcInfo:
    received = _TEXT  # noqa: F841  a local variable, for those who print them
    try:
        raise ValueError(text)
    except ValueError as error:
        return type(error), error, error.__traceback__


_KINDS: Mapping[str, _Maker] = {
    "the message": lambda logger, level: _record(logger, level, _TEXT),
    "an argument": lambda logger, level: _record(logger, level, "flowlix_check: %s", _TEXT),
    "extra": lambda logger, level: _record(
        logger, level, "flowlix_check", extra={"card_number": _CARD, "received": {"text": _TEXT}}
    ),
    "an exception": lambda logger, level: _record(logger, level, "flowlix_check", exc_info=_raised(_TEXT)),
    LOCALS: lambda logger, level: _record(logger, level, "flowlix_check", exc_info=_raised("nothing")),
}
