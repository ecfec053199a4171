"""A logger whose handlers stand behind the filter, secrets to log, and what must not be found afterwards."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, NoReturn

from django_flowlix.log_redaction import RedactionFilter

KEYS = [
    "_".join([generation, mode, "sk", "4eC39HqLyjWDarjtT1zdp7dc"])
    for generation in ("fl", "api")
    for mode in ("test", "live")
]
KEY = KEYS[0]
HOOK = "whsec_" + "C2FVsBQIhrscChlQIMV"
BEARER = "Bearer eyJhbGciOiJIUzI1NiJ9.e30"
CARD = "4242424242424242"
SPACED = "4242 4242 4242 4242"
LEAKS = ("4eC39HqLyjWDarjtT1zdp7dc", "C2FVsBQIhrscChlQIMV", "eyJhbGciOiJIUzI1NiJ9", "424242424242", "4242 4242 4242")
EVERYTHING = f"{KEY} {KEYS[1]} {KEYS[2]} {KEYS[3]} {HOOK} {BEARER} {CARD} {SPACED}"


def the_whole_story(error: BaseException | None) -> list[str]:
    """What formatters write that take an exception to pieces."""
    if error is None:
        return []
    hidden = [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    return [repr(error), *(line for each in hidden for line in the_whole_story(each))]


def as_json(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    """What JSON formatters write: every attribute of the record, dataclasses by their fields, the rest as text."""
    told = dict(vars(record)) | {"message": record.getMessage()}
    if record.exc_info:
        told["exception"] = formatter.formatException(record.exc_info)
        told["story"] = the_whole_story(record.exc_info[1])
        told["exception_class"] = record.exc_info[0].__qualname__ if record.exc_info[0] else ""

    def fallback(value: Any) -> Any:
        return asdict(value) if is_dataclass(value) and not isinstance(value, type) else f"{value} {value!r}"

    return json.dumps(told, default=fallback, skipkeys=True)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return as_json(record, self)


@dataclass
class Log:
    """A logger with two handlers behind the filter: one writes lines, one JSON."""

    logger: logging.Logger
    lines: io.StringIO
    objects: io.StringIO

    @property
    def text(self) -> str:
        return self.lines.getvalue()

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.objects.getvalue().splitlines()[-1]))

    def leaks(self) -> list[str]:
        # `json` writes non-ASCII and controls as escapes; what it means is what a reader sees.
        told = self.text + self.objects.getvalue()
        return [leak for leak in LEAKS if leak in told]


def a_handler(stream: io.StringIO, formatter: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(RedactionFilter())
    return handler


class Leaky:
    """An object whose text tells what it should not."""

    def __init__(self, text: str = EVERYTHING) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{self.text}>"


def plain() -> NoReturn:
    raise ValueError(EVERYTHING)


def through_the_filter(record: logging.LogRecord) -> logging.LogRecord:
    """The record that a handler gets, which the filter returns or has changed."""
    verdict = RedactionFilter().filter(record)
    assert verdict
    return record if verdict is True else verdict


def a_log() -> Log:
    logger = logging.Logger("shop", logging.DEBUG)  # noqa: LOG001  one that no other test knows
    made = Log(logger, io.StringIO(), io.StringIO())
    logger.addHandler(a_handler(made.objects, JsonFormatter()))
    logger.addHandler(a_handler(made.lines, logging.Formatter("%(levelname)s %(name)s: %(message)s")))
    return made
