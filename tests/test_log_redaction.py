"""The filter for log handlers: no way of logging a card number, a key, a webhook secret or a token gets past it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

import pytest

from django_flowlix.api import Secret
from tests.redacted_log import (
    BEARER,
    CARD,
    EVERYTHING,
    HOOK,
    KEY,
    KEYS,
    SPACED,
    Leaky,
    Log,
    a_log,
    plain,
    through_the_filter,
)


@pytest.fixture
def log() -> Log:
    return a_log()


# --- Messages and arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [*KEYS, HOOK, BEARER, CARD, SPACED])
@pytest.mark.parametrize(
    "say",
    [
        lambda log, secret: log.info(f"it is {secret}!"),  # noqa: G004
        lambda log, secret: log.info("it is %s!", secret),
        lambda log, secret: log.info("it is %r!", secret),
        lambda log, secret: log.info("it is %.200s!", Leaky(secret)),
        lambda log, secret: log.info("it is %r!", Leaky(secret)),
        lambda log, secret: log.info("it is %(what)s!", {"what": secret, "unused": Leaky(secret)}),
        lambda log, secret: log.info("it is %s!", {"what": [secret, (secret,)]}),
        lambda log, secret: log.info("it is %s!", secret.encode()),
        lambda log, secret: log.info("it is %s!", bytearray(secret.encode())),
        lambda log, secret: log.info("it is nothing", extra={"what": secret}),
        lambda log, secret: log.info(Leaky(secret)),
        lambda log, secret: log.info({"what": secret, "deeper": {"still": [secret]}}),
        lambda log, secret: log.info("it is %s!", ValueError(secret)),
        lambda log, secret: log.info("first line\n%s\nlast line", secret),
    ],
)
def test_no_way_of_saying_it_tells_it(log: Log, say: Callable[[logging.Logger, str], None], secret: str) -> None:
    say(log.logger, secret)
    assert log.leaks() == []
    assert log.text.count("INFO shop: ") == 1


def test_what_is_left_can_be_read(log: Log) -> None:
    log.logger.warning("charge of %s with %s failed: %s", "49.99", CARD, KEY)
    assert log.text == "WARNING shop: charge of 49.99 with ****4242 failed: fl_test_sk_****\n"
    assert log.json["args"] == ["49.99", "****4242", "fl_test_sk_****"]
    assert log.json["msg"] == "charge of %s with %s failed: %s"


def test_a_number_split_between_the_message_and_its_arguments(log: Log) -> None:
    log.logger.info("card 4242 4242 %s %s", "4242", "4242")
    log.logger.info("key fl_test_sk_%s", "4eC39HqLyjWDarjtT1zdp7dc")
    assert log.text == "INFO shop: card ****4242\nINFO shop: key fl_test_sk_****\n"
    assert log.leaks() == []


def test_a_number_that_is_given_as_a_number(log: Log) -> None:
    log.logger.info("card %d", int(CARD), extra={"card": int(CARD), "as_float": float(CARD), "exactly": Decimal(CARD)})
    assert log.text == "INFO shop: card ****4242\n"
    assert [log.json[name] for name in ("card", "as_float", "exactly")] == ["****4242"] * 3


def test_a_number_over_two_lines_and_a_key_at_a_lines_end(log: Log) -> None:
    log.logger.info("card 4242 4242\n4242 4242 and\nkey %s\nnext line", KEY)
    assert log.text == "INFO shop: card ****4242 and\nkey fl_test_sk_****\nnext line\n"


def test_an_argument_that_is_cut_off(log: Log) -> None:
    """Half a card number is not recognised any more, so it is masked before it is cut."""
    log.logger.info("card %.12s", CARD)
    assert log.leaks() == []


def test_a_text_that_looks_like_a_format_afterwards_is_not_formatted_again(log: Log) -> None:
    log.logger.info("100%% of %s %s", "4242 4242", "4242 4242 %s")
    assert log.text == "INFO shop: 100% of ****4242 %s\n"


@pytest.mark.parametrize(
    ("message", "args", "written"),
    [
        ("two %s %s", (CARD,), "two %s %s ('****4242',)"),
        ("none", (CARD, KEY), "none ('****4242', 'fl_test_sk_****')"),
        ("a number %d", (KEY,), "a number %d ('fl_test_sk_****',)"),
        ("%(who)s", ({"what": CARD},), "%(who)s {'what': '****4242'}"),
        (f"half a format 100%y {KEY}", (1,), "half a format 100%y fl_test_sk_**** (1,)"),
    ],
)
def test_what_cannot_be_formatted_is_written_all_the_same(
    log: Log, capsys: pytest.CaptureFixture[str], message: str, args: Any, written: str
) -> None:
    log.logger.info(message, *args)
    assert log.text == f"INFO shop: {written}\n"
    assert log.leaks() == []
    assert capsys.readouterr().err == "", "logging would have printed the arguments"


def test_a_message_without_a_secret_keeps_its_arguments_and_its_meaning(log: Log) -> None:
    moment, order = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), UUID("12345678-1234-4234-8234-123456789012")
    log.logger.info("order %s of %s for %.2f (%d%%) %r", order, moment, 4.5, 7, ["a", {"b": None}])
    log.logger.info("")
    assert log.text.splitlines() == [
        f"INFO shop: order {order} of 2026-01-02 03:04:05+00:00 for 4.50 (7%) ['a', {{'b': None}}]",
        "INFO shop: ",
    ]


def test_a_secret_of_ours_is_masked_even_without_a_prefix(log: Log) -> None:
    log.logger.info("%s", Secret("tellnobody"), extra={"secret": Secret("tellnobody"), "deep": [Secret("tellnobody")]})
    assert "tellnobody" not in log.text + log.objects.getvalue()


# --- Exceptions -----------------------------------------------------------------------------------------------


def caused() -> NoReturn:
    try:
        raise LookupError(CARD)
    except LookupError as error:
        raise ValueError("outer") from error


def in_context() -> NoReturn:
    try:
        raise LookupError(KEY)
    except LookupError:
        raise ValueError("outer")  # noqa: B904  the implicit chain is what is tested


def suppressed() -> NoReturn:
    try:
        raise LookupError(HOOK)
    except LookupError:
        raise ValueError("outer") from None


def noted() -> NoReturn:
    error = ValueError("outer")
    error.add_note(f"it was\n{SPACED}")
    raise error


def grouped() -> NoReturn:
    inner = ExceptionGroup(f"with {KEY}", [ValueError(CARD), ExceptionGroup("deeper", [KeyError(BEARER)])])
    raise ExceptionGroup("outer", [RuntimeError("harmless"), inner])


def hidden_in_a_wide_group() -> NoReturn:
    raise ExceptionGroup("outer", [ValueError(f"number {n}") for n in range(30)] + [ValueError(CARD)])


class QuietError(Exception):
    def __str__(self) -> str:
        return "nothing to see"


def quiet() -> NoReturn:
    raise QuietError(CARD)


def quiet_cause() -> NoReturn:
    raise ValueError("outer") from QuietError(CARD)


def quiet_context() -> NoReturn:
    try:
        raise QuietError(CARD)
    except QuietError:
        raise ValueError("outer") from None


def quiet_cause_in_a_group() -> NoReturn:
    member = ValueError("member")
    member.__cause__ = QuietError(CARD)
    raise ExceptionGroup("outer", [member])


TROUBLES = [
    plain,
    caused,
    in_context,
    suppressed,
    noted,
    grouped,
    hidden_in_a_wide_group,
    quiet,
    quiet_cause,
    quiet_context,
    quiet_cause_in_a_group,
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_exception_tells_it(log: Log, trouble: Callable[[], NoReturn]) -> None:
    try:
        trouble()
    except Exception:
        log.logger.exception("it failed")

    assert log.leaks() == []
    assert "ERROR shop: it failed\n" in log.text
    assert "Traceback (most recent call last)" in log.text
    assert f"in {trouble.__name__}\n" in log.text, "where it happened is still told"
    assert f"in {trouble.__name__}\n" in log.json["exception"]
    assert log.json["exception_class"] in ("ValueError", "ExceptionGroup", "QuietError")


def test_a_traceback_without_a_secret_is_left_alone() -> None:
    error = ValueError("harmless")
    passed = through_the_filter(logging.makeLogRecord({"msg": "x", "exc_info": (ValueError, error, None)}))
    assert passed.exc_info == (ValueError, error, None)


def test_a_traceback_that_another_formatter_has_cached(log: Log) -> None:
    record = log.logger.makeRecord("shop", logging.ERROR, __file__, 1, "it failed", (), None)
    record.exc_text = f"Traceback: {EVERYTHING}"
    log.logger.handle(record)
    assert log.leaks() == []
    assert "Traceback: fl_test_sk_****" in log.text


def test_a_formatter_that_ran_before_the_filter_has_left_nothing(log: Log) -> None:
    unfiltered = logging.StreamHandler(io.StringIO())
    log.logger.handlers.insert(0, unfiltered)
    try:
        plain()
    except ValueError:
        log.logger.exception("%s", CARD)
    assert log.leaks() == []


def test_the_stack_is_searched(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    record = log.logger.makeRecord("shop", logging.INFO, __file__, 1, "here", (), None, sinfo=f"Stack:\n  f('{KEY}')")
    log.logger.handle(record)
    assert log.leaks() == []
    assert "Stack:\n  f('fl_test_sk_****')" in log.text


@pytest.mark.parametrize(
    "exc_info", [True, (None, None, None), (1, 2, 3), ("x",), ValueError(CARD), (ValueError, ValueError(CARD), None)]
)
def test_strange_exception_information_does_no_harm(log: Log, exc_info: Any) -> None:
    log.logger.handle(logging.makeLogRecord({"msg": "it failed", "exc_info": exc_info, "levelno": logging.ERROR}))
    assert log.leaks() == []
    assert "it failed" in log.text


def test_an_exception_that_hides_itself_in_a_circle(log: Log) -> None:
    first, second = ValueError("first"), ValueError(CARD)
    first.__context__, second.__context__ = second, first
    log.logger.error("it failed", exc_info=first)
    assert log.leaks() == []
