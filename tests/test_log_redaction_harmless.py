"""The filter for log handlers: never in the way of logging, of other handlers, of Django."""

from __future__ import annotations

import io
import logging
import logging.handlers
import pickle
import queue
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from django.test import RequestFactory
from django.utils.log import AdminEmailHandler
from hypothesis import example, given
from hypothesis import strategies as st

from django_flowlix import log_redaction
from django_flowlix.api.redaction import mask
from django_flowlix.log_redaction import RedactionFilter
from tests.redacted_log import (
    BEARER,
    CARD,
    EVERYTHING,
    HOOK,
    KEY,
    KEYS,
    LEAKS,
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


# --- Never in the way -----------------------------------------------------------------------------------------


class Hostile:
    """Fails whatever it is asked for."""

    def _fail(self, *args: object) -> NoReturn:
        raise RuntimeError(EVERYTHING)

    __str__ = __repr__ = __format__ = __eq__ = __hash__ = __getattr__ = __iter__ = __len__ = _fail  # type: ignore[assignment]


class HostileDict(dict[str, Any]):
    def items(self) -> NoReturn:
        raise RuntimeError(EVERYTHING)

    def __repr__(self) -> str:
        raise RuntimeError(EVERYTHING)


@dataclass
class HostileDataclass:
    card: str

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(EVERYTHING)


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError(EVERYTHING)

    __repr__ = __str__


@pytest.mark.parametrize(
    "make",
    [Hostile, lambda: HostileDict(a=1), lambda: HostileDataclass(CARD), lambda: HostileError(CARD)],
    ids=["object", "dict", "dataclass", "exception"],
)
def test_hostile_objects_neither_raise_nor_tell(
    log: Log, capsys: pytest.CaptureFixture[str], make: Callable[[], Any]
) -> None:
    value = make()
    log.logger.info("one %s", [value])
    log.logger.info(value)
    log.logger.info("three", extra={"details": value, "list": [value]})
    log.logger.error("four", exc_info=HostileError(CARD))

    assert log.leaks() == []
    assert log.text.count(" shop: ") == 4
    assert "withheld" not in log.text
    assert capsys.readouterr().err == ""


def test_a_record_that_cannot_be_searched_is_withheld(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(text: str) -> NoReturn:
        raise RuntimeError(EVERYTHING)

    monkeypatch.setattr(log_redaction, "mask", fails)
    log.logger.info("paid with %s", CARD, extra={"details": KEY})
    assert log.text == "INFO shop: a log record is withheld: it could not be searched for secrets\n"
    assert log.leaks() == []


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.builds(Hostile),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


@given(message=ANYTHING, args=ANYTHING, extra=st.dictionaries(st.text(), ANYTHING), exc_info=ANYTHING)
def test_any_record_whatever_passes(message: Any, args: Any, extra: dict[str, Any], exc_info: Any) -> None:
    known = {"msg": message, "args": args, "exc_info": exc_info, "exc_text": None, "levelno": 20, "name": "shop"}
    passed = through_the_filter(logging.makeLogRecord(extra | known))
    assert isinstance(passed.getMessage(), str)


THIRTEEN = "4222222222222"
LETTERS = "4242 ٤٢-.\n" + "".join(KEYS) + HOOK + BEARER


@example(f"card {THIRTEEN}")
@given(st.lists(st.sampled_from([*KEYS, HOOK, BEARER, CARD, THIRTEEN, *LETTERS]), max_size=40).map("".join))
def test_it_masks_what_the_client_masks(text: str) -> None:
    assert through_the_filter(logging.makeLogRecord({"msg": text})).getMessage() == mask(text)


@given(st.lists(st.sampled_from([KEY, CARD, SPACED, HOOK, "a", " ", "\n", "%s", "-", "'", "=", "4242"])))
def test_masking_twice_changes_nothing(parts: list[str]) -> None:
    once = through_the_filter(logging.makeLogRecord({"msg": "".join(parts), "details": parts}))
    twice = through_the_filter(once)
    assert (twice.getMessage(), vars(twice)["details"]) == (once.getMessage(), vars(once)["details"])


def test_a_filter_for_one_branch_of_loggers_still_is_one() -> None:
    wanted = RedactionFilter("django")
    assert not wanted.filter(logging.makeLogRecord({"name": "shop", "msg": KEY}))
    assert wanted.filter(logging.makeLogRecord({"name": "django.request", "msg": KEY}))


# --- Beside other handlers ------------------------------------------------------------------------------------


def test_other_handlers(log: Log) -> None:
    """From 3.12 on they get what was logged; on 3.11 those that come later get it masked."""
    before, after = io.StringIO(), io.StringIO()
    log.logger.handlers.insert(0, logging.StreamHandler(before))
    log.logger.addHandler(logging.StreamHandler(after))
    log.logger.info("card %s", CARD, extra={"details": [Leaky()]})

    assert before.getvalue() == f"card {CARD}\n"
    assert after.getvalue() == (f"card {CARD}\n" if sys.version_info >= (3, 12) else "card ****4242\n")
    assert log.leaks() == []


def test_on_a_logger_it_protects_every_handler(log: Log) -> None:
    log.logger.handlers.clear()
    stream = io.StringIO()
    log.logger.addHandler(logging.StreamHandler(stream))
    log.logger.addFilter(RedactionFilter())
    log.logger.info("card %s", CARD)
    assert stream.getvalue() == "card ****4242\n"


def test_through_a_queue(log: Log) -> None:
    """QueueHandler formats the record and pickles what came with it."""
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = logging.handlers.QueueHandler(waiting)
    handler.addFilter(RedactionFilter())
    log.logger.handlers = [handler, *log.logger.handlers]
    log.logger.info("card %s", CARD, extra={"details": [Leaky(), {"card": CARD}]})

    sent = pickle.dumps(vars(waiting.get_nowait()))
    assert pickle.loads(sent)["message"] == "card ****4242"
    assert [leak for leak in LEAKS if leak in sent.decode("latin-1")] == []


# --- Django ---------------------------------------------------------------------------------------------------


def test_djangos_own_report_of_a_failed_request(log: Log) -> None:
    """`django.request` logs the path with its query, the exception and the request itself."""
    request = RequestFactory().get("/pay/", {"card": CARD}, headers={"authorization": BEARER})
    try:
        plain()
    except ValueError:
        log.logger.exception(
            "%s: %s", "Internal Server Error", request.path, extra={"status_code": 500, "request": request}
        )
    assert log.leaks() == []
    assert log.json["status_code"] == 500
    assert "WSGIRequest: GET &#x27;/pay/" in log.json["request"] or "WSGIRequest: GET '/pay/" in log.json["request"]


def test_a_formatter_that_digs_in_objects_does_not_get_behind_a_requests_text() -> None:
    request = RequestFactory().get("/pay/", headers={"authorization": BEARER})
    passed = through_the_filter(logging.makeLogRecord({"msg": "x", "request": request}))
    assert vars(passed)["request"].path == "/pay/"
    assert not hasattr(vars(passed)["request"], "__dict__")


@pytest.mark.parametrize("include_html", [True, False])
def test_the_mail_to_the_admins_still_has_its_request(log: Log, settings: Any, *, include_html: bool) -> None:
    class Outbox(AdminEmailHandler):
        def send_mail(self, subject: str, message: str, *args: Any, **kwargs: Any) -> None:
            mails.append(f"{subject}\n{message}\n{kwargs.get('html_message')}")

    mails: list[str] = []
    settings.ADMINS = [("root", "root@shop.example")]
    handler = Outbox(include_html=include_html)
    handler.addFilter(RedactionFilter())
    log.logger.handlers = [handler]
    request = RequestFactory().post("/pay/", {"amount": "49.99"})
    try:
        plain()
    except ValueError:
        log.logger.exception("Internal Server Error", extra={"status_code": 500, "request": request})

    (mail,) = mails
    assert "/pay/" in mail
    assert "ValueError" in mail
    assert "fl_test_sk_****" in mail
    assert [leak for leak in LEAKS if leak in mail] == []


@pytest.mark.parametrize(
    "name", ["django.request", "django_flowlix.emulator", "django_flowlix.exchanges", "example_project"]
)
def test_the_example_shop_logs_through_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    written = io.StringIO()
    # Of the root's handlers the one that LOGGING has made: the suite adds its own.
    (console,) = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    monkeypatch.setattr(console, "stream", written)
    try:
        plain()
    except ValueError:
        logging.getLogger(name).exception("failed with %s", CARD)

    assert f"ERROR {name}: failed with ****4242" in written.getvalue()
    assert [leak for leak in LEAKS if leak in written.getvalue()] == []


PROBE = """
import logging, logging.config, sys
from django_flowlix import log_redaction
from django_flowlix.api.redaction import mask
from django_flowlix.log_redaction import RedactionFilter
assert "django" not in sys.modules
logging.config.dictConfig({
    "version": 1,
    "filters": {"redaction": {"()": "django_flowlix.log_redaction.RedactionFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redaction"], "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["console"], "level": "INFO"},
})
logging.info("card %s", "4242 4242 4242 4242")
"""


def test_it_can_be_named_in_the_settings_before_django_is_ready() -> None:
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROBE], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.returncode) == ("card ****4242\n", 0), run.stderr
