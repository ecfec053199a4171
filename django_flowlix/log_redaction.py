"""A filter for the merchant's own log handlers: card numbers, API keys, webhook secrets and bearer tokens are masked.

What a handler may write is searched: the message with its arguments, the traceback with all that hangs on it, the stack
and every attribute that came with `extra`. A record in which nothing is found is passed on as good as untouched.

`{"()": "django_flowlix.log_redaction.RedactionFilter"}` in the setting LOGGING; nothing of Django is needed for it.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta, timezone
from decimal import Decimal
from types import TracebackType
from typing import Any, TypeAlias
from uuid import UUID

from .api.redaction import mask
from .api.secret import Secret

if sys.version_info >= (3, 12):
    Verdict: TypeAlias = bool | logging.LogRecord
else:
    Verdict: TypeAlias = bool

_WITHHELD = "a log record is withheld: it could not be searched for secrets"
_DEEPEST = 20
_LONGEST = 32_768
"""Of one text; a dense one of this length is searched in a quarter of a second."""
_CUT = "… (cut)"
# What `mask` may find something in. Most texts of a record are short names, and this is twenty times as fast.
_SUSPICIOUS = re.compile(r"(?i:_sk_|whsec_|bearer)|(?:\d\D*+){12}\d")
_SAFE_TYPES = (type(None), bool, date, time, timedelta, timezone, UUID)
_PLAIN_TYPES = (str, bytes, bytearray, int, float, Decimal)
# What every record has; the numbers among it are no card's.
_ABOUT_THE_RECORD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
_SEARCHED_TOGETHER = frozenset({"msg", "args", "exc_info", "exc_text"})


class RedactionFilter(logging.Filter):
    """Masks what must not be written; lets every record through and never raises.

    From Python 3.12 on, the handler gets a masked copy. On 3.11 a filter cannot replace a record: it is masked itself,
    and the handlers that come after get it masked too.
    """

    def filter(self, record: logging.LogRecord) -> Verdict:
        if not super().filter(record):
            return False
        if sys.version_info >= (3, 12):
            copied = object.__new__(type(record))  # not by the record factory: others may listen there
            vars(copied).update(vars(record))
            _redact(copied)
            return copied
        _redact(record)
        return True


def _redact(record: logging.LogRecord) -> None:
    try:
        _redact_traceback(record)
        _redact_message(record)
        _redact_attributes(record)
    except Exception:  # noqa: BLE001  objects in a record may do anything, and a log call must not fail
        withheld = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, _WITHHELD, (), None)
        vars(record).clear()
        vars(record).update(vars(withheld))


def _redact_message(record: logging.LogRecord) -> None:
    """Mask message and arguments apart if that is enough, so that formatters find the arguments; else as one text."""
    msg, args = record.msg, record.args
    record.msg, record.args = _shown(msg), _shown(args)
    together = _text_if_any(record, lambda told: str(told.getMessage()))
    if together is None or not (_is_one_of(together, record) or _masked(together) == together):
        record.msg, record.args = msg, args
        together = _text_if_any(record, lambda told: str(told.getMessage()))
        if together is None:  # `logging` would print the arguments with its complaint
            together = f"{_text(msg, str)} {_text(args, repr)}"
        record.msg, record.args = _masked(together), ()


def _is_one_of(together: str, record: logging.LogRecord) -> bool:
    """Tell whether a message is all in one part of the record, and so has been searched: that takes time."""
    parts = (record.msg, *record.args) if type(record.args) is tuple else (record.msg,)
    return any(type(part) is str and part == together for part in parts)


def _redact_traceback(record: logging.LogRecord) -> None:
    """Put the masked text in place of an exception that tells a secret, for formatters of both kinds.

    Some format `exc_info`, some write `exc_text`, and both would print the source lines and the chain again.
    """
    if record.exc_text:
        record.exc_text = _masked(str(record.exc_text))
    if not record.exc_info:
        return
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) and len(record.exc_info) == 3 else None
    if not isinstance(error, BaseException):
        record.exc_info = None  # `logging` would fail on it, or write "NoneType: None"
        return
    text = _text(record.exc_info, lambda told: "".join(traceback.format_exception(*told)))
    masked = _masked(text)
    if masked != text or not all(map(_shows_no_secret, _chain(error))):
        record.exc_text = masked.removesuffix("\n")
        record.exc_info = _stand_in(type(error), record.exc_text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it hides: causes, contexts, the members of groups."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        members = found.exceptions if isinstance(found, BaseExceptionGroup) else ()
        waiting += [found.__cause__, found.__context__, *members]


def _stand_in(kind: type[BaseException], text: str) -> tuple[type[Exception], Exception, TracebackType | None]:
    """Return the `exc_info` of an exception that has the name of the other one and tells its masked story."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    stand_in: type[Exception] = type(kind.__name__, (Exception,), names)
    return stand_in, stand_in(text), None


def _redact_attributes(record: logging.LogRecord) -> None:
    attributes = vars(record)
    for name in [name for name in attributes if name not in _SEARCHED_TOGETHER]:
        value = attributes.pop(name)
        known = name in _ABOUT_THE_RECORD and not isinstance(value, str)
        attributes[_shown(name)] = value if known else _shown(value)


def _shown(value: Any, above: tuple[int, ...] = ()) -> Any:
    """Return a value as it may be written: itself when nothing is found in it, or something that shows it masked.

    Types are compared without asking the object, because lazy ones (a request's user) would begin to work.
    """
    kind = type(value)
    if kind is _Shown or kind is _ShownRequest or issubclass(kind, _SAFE_TYPES):
        return value
    if issubclass(kind, Secret):
        return str(value)
    if issubclass(kind, _PLAIN_TYPES):
        return _shown_plain(value) if kind in _PLAIN_TYPES else _shown_subclass(value)
    if id(value) in above or len(above) >= _DEEPEST:
        return _Shown(value)
    try:
        return _shown_container(value, (*above, id(value)))
    except Exception:  # noqa: BLE001  a class may do anything when its parts are asked for
        return _Shown(value)


def _shown_subclass(value: Any) -> Any:
    """Do so for a text or number of another class, which may show something else than it holds."""
    if isinstance(value, str):
        held = str.__str__(value)
        shown = _shown_plain(held)
        if shown is not held:
            return shown if _text_if_any(value, str) == held else _Shown(value)
    elif (shown := _shown_plain(value)) is not value:
        return shown
    return value if _shows_no_secret(value) else _Shown(value)


def _shown_plain(value: Any) -> Any:
    if isinstance(value, str):
        masked: Any = _masked(value)
        return value if masked == value else masked
    if isinstance(value, bytes | bytearray):
        masked = _masked(value.decode("latin-1")).encode("latin-1", "replace")
        return value if masked == value else masked
    try:
        number = str(int(value)) if 10**12 <= abs(value) < 10**19 and value == int(value) else ""
    except ArithmeticError:  # a Decimal that is not a number
        return value
    masked = _masked(number)
    return value if masked == number else masked


def _shown_container(value: Any, above: tuple[int, ...]) -> Any:
    """Rebuild a plain container if something in it must not be shown; of any other class, show the text masked."""
    kind = type(value)
    if issubclass(kind, dict):
        items = list(dict.items(value))
        shown = [(_shown(key, above), _shown(item, above)) for key, item in items]
        same = _are_same((part for item in items for part in item), (part for item in shown for part in item))
    elif issubclass(kind, list | tuple | set | frozenset):
        shown = [_shown(item, above) for item in value]
        same = _are_same(value, shown)
    elif is_dataclass(kind):
        parts = [getattr(value, field.name, None) for field in fields(kind)]
        same = _are_same(parts, (_shown(part, above) for part in parts))
    else:
        is_request = any(base.__module__ == "django.http.request" for base in kind.__mro__)
        return _ShownRequest(value) if is_request else _Shown(value)
    if kind in (dict, list, tuple, set, frozenset):
        return value if same else kind(shown)
    return value if same and _shows_no_secret(value) else _Shown(value)


def _are_same(before: Iterable[Any], after: Iterable[Any]) -> bool:
    return all(old is new for old, new in zip(before, after, strict=True))


class _Shown:
    """Shows an object's text masked, and not before somebody asks; nothing else of it can be reached."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __str__(self) -> str:
        return _masked(_text(self._value, str))

    def __repr__(self) -> str:
        return _masked(_text(self._value, repr))

    def __format__(self, spec: str) -> str:
        return _masked(_text(self._value, lambda value: format(value, spec)))

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class _ShownRequest(_Shown):
    """A request of Django, whose parts the mail to the admins needs; Django masks those itself."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._value, name)


def _masked(text: str) -> str:
    """Return a text masked, the end of a very long one cut off."""
    kept = text if len(text) <= _LONGEST else _cut(text)
    masked = mask(kept) if _SUSPICIOUS.search(kept) else kept
    return masked if len(kept) == len(text) else masked + _CUT


def _cut(text: str) -> str:
    # Back to a letter, because half a card number is not recognised, and no number runs through a letter.
    end = next((length for length in range(_LONGEST, 0, -1) if text[length - 1].isalpha()), 0)
    return text[:end]


def _shows_no_secret(value: Any) -> bool:
    """Tell whether an object's own texts may be written; not when it fails to give them, because that is told too."""
    texts = [_text_if_any(value, show) for show in (str, repr)]
    return all(text is not None and _masked(text) == text for text in texts)


def _text(value: Any, show: Callable[[Any], str]) -> str:
    text = _text_if_any(value, show)
    return f"<{type(value).__name__} that cannot be shown>" if text is None else text


def _text_if_any(value: Any, show: Callable[[Any], str]) -> str | None:
    try:
        return str.__str__(show(value))  # as plain text, whatever class it is of and says of itself
    except Exception:  # noqa: BLE001  objects may do anything when they are asked for their text
        return None
