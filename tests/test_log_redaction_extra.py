"""The filter for log handlers: what comes with `extra`, whatever its shape."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.utils.functional import SimpleLazyObject

from django_flowlix.api import Secret
from tests.redacted_log import CARD, EVERYTHING, KEY, SPACED, Leaky, Log, a_log, through_the_filter


@pytest.fixture
def log() -> Log:
    return a_log()


# --- What comes with `extra` ----------------------------------------------------------------------------------


@dataclass
class Purchase:
    card: str
    notes: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Nested:
    purchase: Purchase
    count: int = 1


class Ordinary(Enum):
    ONE = CARD


class Pair(NamedTuple):
    left: str
    right: int


DEEP: list[Any] = [CARD]
for _ in range(5000):
    DEEP = [DEEP]
CIRCLE: dict[str, Any] = {"card": CARD}
CIRCLE["self"] = [CIRCLE, CIRCLE, CIRCLE]

EXTRAS = {
    "text": EVERYTHING,
    "dict": {"a": {"b": [EVERYTHING, (CARD, {"c": KEY})]}},
    "key of a dict": {CARD: 1, (KEY, 2): 3},
    "set": {CARD, "x"},
    "frozenset": frozenset({KEY}),
    "tuple": (1, (2, (SPACED,))),
    "bytes": KEY.encode(),
    "bytes in a list": [bytearray(CARD.encode())],
    "dataclass": Purchase(CARD),
    "dataclass with a list": Purchase("none", [KEY]),
    "nested dataclass": Nested(Purchase(CARD)),
    "dataclass in a list": [Nested(Purchase(KEY))],
    "object": Leaky(),
    "object in a list": [Leaky()],
    "named tuple": Pair(CARD, 1),
    "ordered dict": OrderedDict(card=CARD),
    "enum": Ordinary.ONE,
    "exception": ValueError(EVERYTHING),
    "number": int(CARD),
    "negative number": -int(CARD),
    "deep": DEEP,
    "secret": Secret(KEY),
    "lazy": SimpleLazyObject(Leaky),
    "path": Path(f"/srv/{CARD}.txt"),
    "class of a secret name": type("X", (), {"__repr__": lambda self: KEY})(),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_no_attribute_tells_it(log: Log, name: str) -> None:
    log.logger.info("paid", extra={"details": EXTRAS[name], CARD: "the name of an attribute"})
    assert log.leaks() == []
    assert "details" in log.json
    assert log.text == "INFO shop: paid\n"


def test_a_structure_that_contains_itself(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.logger.info("paid", extra={"details": CIRCLE})
    assert log.leaks() == []
    assert log.json["details"]["card"] == "****4242"
    assert capsys.readouterr().err == ""


def test_what_is_left_of_a_structure_keeps_its_shape(log: Log) -> None:
    details = {"card": CARD, "items": [1, 2.5, None, True, ("a", CARD)], "total": {"minor": 4999}}
    log.logger.info("paid", extra={"details": details})
    assert log.json["details"] == {
        "card": "****4242",
        "items": [1, 2.5, None, True, ["a", "****4242"]],
        "total": {"minor": 4999},
    }
    assert details["card"] == CARD, "the caller's own object is not touched"


def test_what_holds_no_secret_is_passed_on_itself() -> None:
    values: dict[str, Any] = {
        "list": [1, {"a": ("b", b"c")}],
        "dataclass": Purchase("none"),
        "moment": datetime(2026, 1, 2, tzinfo=UTC),
        "float": 0.4242424242424242,
        "big": 10**400,
        "small": -(10**15),
        "nan": float("nan"),
        "not a number": Decimal("NaN"),
        "infinite": Decimal("-Infinity"),
        "enum": logging.INFO,
        "ordered": OrderedDict(a=1),
    }
    passed = through_the_filter(logging.makeLogRecord({"msg": "x", **values}))
    assert [name for name, value in values.items() if getattr(passed, name) is not value] == []


def test_lazy_objects_are_not_woken_up(log: Log) -> None:
    """A request's user or a query must not be fetched because somebody logs."""
    woken: list[str] = []

    class Lazy:
        @property
        def __class__(self) -> Any:  # type: ignore[override]
            woken.append("class")
            return str

        def __str__(self) -> str:
            woken.append("text")
            return KEY

        def __iter__(self) -> Iterator[int]:
            woken.append("content")
            return iter(())

    lines = logging.Formatter("%(message)s")
    passed = through_the_filter(logging.makeLogRecord({"msg": "harmless", "user": Lazy(), "users": [Lazy()]}))
    assert (lines.format(passed), woken) == ("harmless", [])
    assert str(vars(passed)["user"]) == "fl_test_sk_****"
    assert f"{vars(passed)['user']:>20}".endswith("shown>"), "str.format of a format that the object does not know"


def test_numbers_that_every_record_has_are_no_cards(log: Log) -> None:
    record = logging.makeLogRecord({"msg": "x", "thread": int(CARD), "created": float(CARD), "process": 7})
    passed = through_the_filter(record)
    assert (passed.thread, passed.created, passed.process) == (int(CARD), float(CARD), 7)


@pytest.mark.parametrize("name", ["name", "threadName", "processName", "taskName", "message", "asctime"])
def test_texts_that_every_record_has_are_searched(log: Log, name: str) -> None:
    log.logger.handle(logging.makeLogRecord({"msg": "x", "levelno": logging.INFO, name: f"worker of {KEY}"}))
    assert log.leaks() == []
