"""Long texts are cut before they are searched, without half a card number; what shows other than it holds is masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import pytest
from django.utils.safestring import SafeString

from django_flowlix import log_redaction
from django_flowlix.api.redaction import mask
from tests.redacted_log import CARD, HOOK, KEY, SPACED, Leaky, Log, a_log, through_the_filter

CUT = "\N{HORIZONTAL ELLIPSIS} (cut)"
LONGEST = 32_768


@pytest.fixture
def log() -> Log:
    return a_log()


def message_of(text: str) -> str:
    return through_the_filter(logging.makeLogRecord({"msg": text})).getMessage()


def test_a_text_is_cut_and_says_so() -> None:
    assert message_of("a" * LONGEST) == "a" * LONGEST
    assert message_of("a" * (LONGEST + 1)) == "a" * LONGEST + CUT
    assert message_of("a" * 10_000_000) == "a" * LONGEST + CUT


@pytest.mark.parametrize("secret", [CARD, SPACED, KEY, HOOK, "4242\n4242-4242.4242", "\u0664\u0662" * 8])
@pytest.mark.parametrize("shown", range(20))
def test_no_half_of_a_number_is_left_at_the_cut(secret: str, shown: int) -> None:
    begin = "a" * (LONGEST - shown)
    text = message_of(f"{begin}{secret}{'b' * 100}")

    assert text.startswith(begin)
    assert text.endswith(CUT)
    left = text.removeprefix(begin).removesuffix(CUT).rstrip("b")
    is_whole = shown > len(secret)
    assert left in (
        {mask(secret)} if is_whole else {"", *(mask(secret[:end]) for end in range(15) if secret[0].isalpha())}
    )


def test_of_a_text_without_letters_nothing_is_left() -> None:
    assert message_of("1 2" * LONGEST) == CUT


def test_a_secret_before_the_cut_is_masked_and_the_cut_stays_when_masked_again(log: Log) -> None:
    for end in (f"card {CARD}", KEY, "Bearer", "whsec_"):
        once = message_of(f"{end}; {'x' * LONGEST}")
        assert once.startswith(mask(end) + "; x")
        assert once.endswith(CUT)
        assert message_of(once) == once
    begin = "x" * (LONGEST - 6)
    once = message_of(f"{begin}Bearer abcdefgh")
    assert once == message_of(once) == f"{begin}Bearer{CUT}"
    log.logger.info("%s%s", "a" * LONGEST, CARD, extra={"what": "b" * 2 * LONGEST + CARD})
    assert log.leaks() == []
    assert log.text == f"INFO shop: {'a' * LONGEST}{CUT}\n"
    assert log.json["what"] == "b" * LONGEST + CUT


LONG = "a" * LONGEST + "b" * 10


@pytest.mark.parametrize(
    "value",
    [LONG, LONG.encode(), [LONG], {"x": (LONG,)}, Leaky(LONG), SafeString(LONG), ValueError(LONG)],
    ids=lambda value: type(value).__name__,
)
def test_every_field_is_cut_for_itself(log: Log, value: Any) -> None:
    log.logger.info("short", extra={"what": value})
    assert "b" * 10 not in log.objects.getvalue()
    assert "(cut)" in str(log.json["what"])
    assert log.text == "INFO shop: short\n"


def test_an_argument_and_an_exception_are_cut(log: Log) -> None:
    try:
        raise ValueError(LONG + CARD)
    except ValueError:
        log.logger.exception("it was %s", LONG)
    assert "ValueError: aaa" in log.text
    assert log.text.count("(cut)") == 2
    assert "b" * 10 not in log.text + log.objects.getvalue()
    assert log.leaks() == []


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how many characters are searched."""
    seen: list[str] = []

    def count(text: str) -> str:
        seen.append(text)
        return mask(text)

    monkeypatch.setattr(log_redaction, "mask", count)
    return lambda: sum(map(len, seen))


TEXT = "order 12345 of 2026-01-02 for 49.99 EUR; " * 700


@pytest.mark.parametrize(
    ("message", "args"), [(TEXT, ()), ("%s", (TEXT,)), (f"{TEXT} {CARD}", ()), ("%s", (f"{TEXT} {CARD}",))]
)
def test_a_long_message_is_searched_once(monkeypatch: pytest.MonkeyPatch, message: str, args: tuple[str, ...]) -> None:
    searched = counted(monkeypatch)
    passed = through_the_filter(logging.makeLogRecord({"msg": message, "args": args}))
    assert passed.getMessage() == mask(message % args if args else message)
    assert len(TEXT) <= searched() < 1.1 * len(TEXT)


def test_a_long_exception_is_searched_as_a_traceback_and_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = counted(monkeypatch)
    try:
        raise ValueError(f"{TEXT} {CARD}")
    except ValueError:
        through_the_filter(logging.makeLogRecord({"msg": "x", "exc_info": sys.exc_info()}))
    assert searched() < 1.2 * len(TEXT)


# --- Texts and numbers that show something else than they hold ------------------------------------------------


class Card(str):
    __slots__ = ()

    def __str__(self) -> str:
        return f"card {CARD}"


class Quoted(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{KEY}>"


class Liar(str):
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True


class LiesLater(str):
    __slots__ = ()

    def __str__(self) -> str:
        return Liar(CARD)


class Number(int):
    def __str__(self) -> str:
        return f"card {CARD}"


class Hidden(bytes):
    def __repr__(self) -> str:
        return f"<{KEY}>"


class Mixed(str, Enum):  # noqa: UP042  what people have
    ONE = CARD


class Priority(IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    "value",
    [Card("x"), Quoted("x"), Liar(CARD), LiesLater("x"), Card(KEY), Number(7), Hidden(b"x"), Mixed.ONE],
    ids=repr,
)
@pytest.mark.parametrize(
    "say",
    [
        lambda log, value: log.info("it is %s %r", value, value),
        lambda log, value: log.info("it is nothing", extra={"what": value}),
        lambda log, value: log.info("it is nothing", extra={"what": [value, {"deep": value}]}),
        lambda log, value: log.info("it is %s", [value]),
        lambda log, value: log.info(value),
    ],
)
def test_a_text_is_masked_as_it_is_shown(log: Log, say: Callable[[logging.Logger, Any], None], value: Any) -> None:
    say(log.logger, value)
    assert log.leaks() == []
    assert "withheld" not in log.text


@pytest.mark.parametrize("value", [Card("x"), Card(KEY), LiesLater("x"), Number(7)], ids=repr)
def test_what_is_shown_is_told_not_what_is_held(log: Log, value: Any) -> None:
    log.logger.info("%s", value)
    assert log.text in ("INFO shop: card ****4242\n", "INFO shop: ****4242\n")
    passed = through_the_filter(logging.makeLogRecord({"msg": "x", "what": value}))
    assert f"{vars(passed)['what']!s}" in ("card ****4242", "****4242")


@pytest.mark.parametrize("value", [SafeString("x"), Priority.LOW, logging.INFO])
def test_a_text_of_another_class_that_tells_nothing_is_passed_on_itself(value: Any) -> None:
    passed = through_the_filter(logging.makeLogRecord({"msg": "x", "what": value}))
    assert vars(passed)["what"] is value
