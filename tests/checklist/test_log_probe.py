"""What the handlers of a project make of secrets is found out without writing anything."""

from __future__ import annotations

import functools
import io
import json
import logging
import logging.handlers
import queue
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.utils.log import AdminEmailHandler, RequireDebugFalse, RequireDebugTrue

from django_flowlix.checklist import log_probe, log_tree
from django_flowlix.checklist.log_probe import LOCALS, Trial, try_handlers
from django_flowlix.log_redaction import RedactionFilter
from tests.checklist.logging_tree import handlers_are, masked

ALL = {"a card number", "a key", "an access token"}


def trial_of(handler: logging.Handler, *others: logging.Handler) -> Trial:
    with handlers_are(handler, *others):
        (trial,) = [trial for trial in try_handlers() if trial.handler is handler]
    return trial


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = dict(vars(record)) | {"message": record.getMessage()}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


# --- What is found -------------------------------------------------------------------------------------------


def test_a_plain_handler_shows_message_arguments_and_exceptions() -> None:
    trial = trial_of(logging.StreamHandler(io.StringIO()))
    assert trial.shown == {"the message": ALL, "an argument": ALL, "an exception": ALL}
    assert (trial.unclear, trial.is_silent) == ("", False)


def test_a_formatter_of_attributes_shows_extra_too() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    assert trial_of(handler).shown.keys() == {"the message", "an argument", "extra", "an exception"}


@pytest.mark.parametrize("formatter", [None, JsonFormatter()])
def test_the_redaction_filter_hides_all(formatter: logging.Formatter | None) -> None:
    handler = masked(logging.StreamHandler(io.StringIO()))
    handler.setFormatter(formatter)
    trial = trial_of(handler)
    assert (trial.shown, trial.unclear, trial.is_silent) == ({}, "", False)


def test_a_filter_that_masks_one_thing_leaves_the_others() -> None:
    class CardsOnly(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.msg = record.getMessage().replace("4242424242424242", "****")
            record.args = ()
            return True

    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(CardsOnly())
    shown = trial_of(handler).shown
    assert shown == {
        "the message": ALL - {"a card number"},
        "an argument": ALL - {"a card number"},
        "an exception": ALL,
    }


def test_a_filter_of_a_logger_covers_that_logger_alone() -> None:
    handler = logging.StreamHandler(io.StringIO())
    with handlers_are(handler):
        for name in ("", *log_tree._ALWAYS):
            logging.getLogger(name).addFilter(RedactionFilter())
        assert [trial.shown for trial in try_handlers()] == [{}]
        logging.getLogger("django.request").filters = []
        logging.getLogger("django.request").propagate = False
        logging.getLogger("django.request").addHandler(handler)
        (trial,) = try_handlers()
        assert trial.shown
        assert "django.request" in trial.loggers


def test_one_handler_masks_nothing_for_the_next() -> None:
    safe, leaky = masked(logging.StreamHandler(io.StringIO())), logging.StreamHandler(io.StringIO())
    with handlers_are(safe, leaky):
        assert [bool(trial.shown) for trial in try_handlers()] == [False, True]


# --- Nothing is written --------------------------------------------------------------------------------------


def test_nothing_is_written(settings: Any) -> None:
    settings.ADMINS = ["ada@example.com"]
    stream, memory = io.StringIO(), logging.handlers.MemoryHandler(100, target=logging.StreamHandler(io.StringIO()))
    waiting: queue.Queue[Any] = queue.Queue()
    with handlers_are(
        logging.StreamHandler(stream), memory, logging.handlers.QueueHandler(waiting), AdminEmailHandler()
    ):
        try_handlers()
    assert stream.getvalue() == ""
    assert memory.buffer == []
    assert waiting.empty()
    assert mail.outbox == []


# --- Levels and filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [logging.DEBUG, logging.CRITICAL])
def test_a_handler_is_tried_at_its_own_level(level: int) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setLevel(level)
    assert trial_of(handler).shown


def test_a_handler_above_every_level_is_off() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setLevel(logging.CRITICAL + 1)
    assert trial_of(handler).is_silent


def test_a_handler_that_takes_all_but_errors_is_tried_with_a_warning() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(lambda record: record.levelno < logging.ERROR)
    assert trial_of(handler).shown


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_a_filter_that_masks_all_but_one_level_leaks(level: int) -> None:
    redaction = RedactionFilter()

    def masks_others(record: logging.LogRecord) -> bool:
        return record.levelno == level or redaction.filter(record)

    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(masks_others)
    with handlers_are(handler):
        logging.getLogger("django_flowlix").setLevel(logging.DEBUG)
        try:
            (trial,) = try_handlers()
        finally:
            logging.getLogger("django_flowlix").setLevel(logging.NOTSET)
    assert trial.shown


@pytest.mark.parametrize(("debug", "kind"), [(True, RequireDebugFalse), (False, RequireDebugTrue)])
def test_a_handler_of_the_other_mode_lets_nothing_through(settings: Any, debug: bool, kind: Any) -> None:
    settings.DEBUG = debug
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(kind())
    trial = trial_of(handler)
    assert (trial.is_silent, trial.shown) == (True, {})


def test_null_handlers_are_not_worth_a_word() -> None:
    with handlers_are(logging.NullHandler(), masked(logging.StreamHandler(io.StringIO()))):
        assert [type(trial.handler) for trial in try_handlers()] == [logging.StreamHandler]


# --- Where records go ----------------------------------------------------------------------------------------


def test_without_any_handler_there_is_the_last_resort() -> None:
    with handlers_are():
        (trial,) = try_handlers()
    assert trial.name == "logging.lastResort"
    assert trial.shown


def test_without_the_last_resort_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "lastResort", None)
    with handlers_are():
        assert try_handlers() == []


def test_handlers_of_loggers_that_the_project_made_are_found() -> None:
    leaky = logging.StreamHandler(io.StringIO())
    safe = masked(logging.StreamHandler(io.StringIO()))
    with handlers_are(safe, names={"shop.payments": [leaky]}, configured=["shop.quiet"]):
        trials = {trial.handler: trial.loggers for trial in try_handlers()}
    assert "shop.quiet" in trials[safe]
    assert trials[leaky] == ["shop.payments"]


@pytest.mark.parametrize(
    ("logging_setting", "names"),
    [({"loggers": {"shop.quiet": {}}}, ["shop.quiet"]), ({}, []), (None, []), ({"loggers": None}, [])],
)
def test_the_loggers_of_the_setting(logging_setting: Any, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tree, "settings", SimpleNamespace(LOGGING=logging_setting))
    assert list(log_tree.configured_loggers()) == names


def test_a_disabled_logger_writes_nothing() -> None:
    leaky = logging.StreamHandler(io.StringIO())
    with handlers_are(masked(logging.StreamHandler(io.StringIO())), names={"shop.payments": [leaky]}):
        logging.getLogger("shop.payments").disabled = True
        assert leaky not in [trial.handler for trial in try_handlers()]


# --- Handlers that pass records on ---------------------------------------------------------------------------


@pytest.mark.parametrize("is_masked", [True, False])
def test_a_memory_handler_is_judged_by_its_target(is_masked: bool) -> None:
    target = logging.StreamHandler(io.StringIO())
    if is_masked:
        masked(target)
    with handlers_are(logging.handlers.MemoryHandler(10, target=target)):
        shown = {type(trial.handler): bool(trial.shown) for trial in try_handlers()}
    assert shown == {logging.handlers.MemoryHandler: False, logging.StreamHandler: not is_masked}


@pytest.mark.parametrize("is_masked", [True, False])
def test_a_queue_is_followed_to_its_listener(is_masked: bool) -> None:
    target = logging.StreamHandler(io.StringIO())
    if is_masked:
        masked(target)
    handler: Any = logging.handlers.QueueHandler(queue.Queue())
    handler.listener = logging.handlers.QueueListener(handler.queue, target)
    with handlers_are(handler):
        trials = {type(trial.handler): trial for trial in try_handlers()}
    assert bool(trials[logging.StreamHandler].shown) is not is_masked
    assert not trials[logging.handlers.QueueHandler].unclear


def test_a_queue_without_a_listener_is_unclear_unless_its_records_are_masked() -> None:
    assert "queue" in trial_of(logging.handlers.QueueHandler(queue.Queue())).unclear
    trial = trial_of(masked(logging.handlers.QueueHandler(queue.Queue())))
    assert (trial.unclear, trial.shown, trial.is_silent) == ("", {}, False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: logging.handlers.SocketHandler("127.0.0.1", 9),
        lambda: logging.handlers.DatagramHandler("127.0.0.1", 9),
        lambda: logging.handlers.HTTPHandler("127.0.0.1:9", "/log"),
    ],
)
def test_handlers_that_send_the_whole_record_show_extra_too(make: Any) -> None:
    assert "extra" in trial_of(make()).shown
    assert trial_of(masked(make())).shown == {}


# --- Mails to the admins -------------------------------------------------------------------------------------


def test_a_mail_shows_what_the_exception_says(settings: Any) -> None:
    settings.ADMINS = ["ada@example.com"]
    assert trial_of(AdminEmailHandler()).shown.keys() == {"the message", "an argument", "an exception"}
    assert trial_of(masked(AdminEmailHandler())).shown == {}


def test_an_html_mail_shows_local_variables_whatever_is_filtered(settings: Any) -> None:
    settings.ADMINS = ["ada@example.com"]
    assert trial_of(masked(AdminEmailHandler(include_html=True))).shown == {LOCALS: ALL}


def test_mails_to_nobody_show_nothing(settings: Any) -> None:
    settings.ADMINS = []
    assert trial_of(AdminEmailHandler()).is_silent

    class TellsSlack(AdminEmailHandler):
        def send_mail(self, *args: Any, **kwargs: Any) -> None: ...

    assert trial_of(TellsSlack()).shown


# --- Handlers of others --------------------------------------------------------------------------------------


class OwnEmit(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(record.msg, record.__dict__)  # noqa: T201


class OwnHandle(logging.StreamHandler):  # type: ignore[type-arg]
    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)
        return True


class Decorated(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)


class TellsTwice(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        self.stream.write(self.format(record))
        self.stream.write(str(record.args))


class TellsTheRest(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        kept = record
        self.stream.write(self.format(record) + kept.getMessage())


class TellsAnother(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        logging.getLogger("other").handle(record)


class Above(OwnEmit):
    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)


class Anyhow(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, *args: Any) -> None:
        super().emit(*args)
        print(self.format(args[0]), args)  # noqa: T201


class HandlesTwice(logging.StreamHandler):  # type: ignore[type-arg]
    def handle(self, record: logging.LogRecord) -> bool:
        print(record.msg)  # noqa: T201
        return bool(super().handle(record))


class Careful(logging.StreamHandler):  # type: ignore[type-arg]
    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            if record.levelno >= logging.ERROR:
                text = f"{record.levelname} {text}"
            self.stream.write(text)
        except OSError:
            self.handleError(record)


class Untold(logging.StreamHandler):  # type: ignore[type-arg]
    """Its source is nowhere."""

    exec("def emit(self, record):\n    self.stream.write(self.format(record))\n")


@pytest.mark.parametrize("kind", [TellsTwice, TellsTheRest, TellsAnother, Above, Anyhow, Untold])
def test_a_handler_that_does_more_with_a_record_than_format_it_is_unclear(kind: Any) -> None:
    handler = kind()
    handler.setFormatter(Redacting())
    trial = trial_of(handler)
    assert (trial.unclear, trial.shown) == ("has a way of its own to emit records", {})


def test_so_is_one_that_does_more_than_handle_it() -> None:
    assert trial_of(masked(HandlesTwice())).unclear == "has a way of its own to handle records"


class Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return "****"


def test_a_handler_that_writes_what_it_formats_is_tried() -> None:
    assert trial_of(Careful(io.StringIO())).shown
    careful = Careful(io.StringIO())
    careful.setFormatter(Redacting())
    trial = trial_of(careful)
    assert (trial.unclear, trial.shown, trial.is_silent) == ("", {}, False)


@pytest.mark.parametrize(("kind", "method"), [(OwnEmit, "emit"), (OwnHandle, "handle")])
def test_a_handler_that_writes_in_its_own_way_is_unclear(kind: Any, method: str) -> None:
    trial = trial_of(kind())
    assert (trial.unclear, trial.shown) == (f"has a way of its own to {method} records", {})
    assert trial.name == f"{__name__}.{kind.__name__}"


def test_what_it_is_not_given_it_cannot_write() -> None:
    trial = trial_of(masked(OwnEmit()))
    assert (trial.unclear, trial.shown, trial.is_silent) == ("", {}, False)


def test_a_handler_past_its_own_filters_is_unclear_though_it_has_one() -> None:
    assert trial_of(masked(OwnHandle())).unclear == "has a way of its own to handle records"


def test_a_handler_that_uses_its_formatter_is_tried() -> None:
    assert trial_of(Decorated(io.StringIO())).shown
    assert trial_of(masked(Decorated(io.StringIO()))).shown == {}


def test_a_formatter_that_fails_is_unclear() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(tenant)s %(message)s"))
    assert trial_of(handler).unclear == "raises ValueError"


def test_a_test_runners_handlers_are_not_the_projects(caplog: pytest.LogCaptureFixture) -> None:
    with handlers_are(caplog.handler, masked(logging.StreamHandler(io.StringIO()))):
        assert [trial.handler for trial in try_handlers() if trial.shown] == []


def test_the_probes_secrets_are_what_the_filter_masks() -> None:
    """Otherwise nothing above would say anything."""
    record = logging.LogRecord("shop", logging.INFO, "", 1, log_probe._TEXT, (), None)
    assert all(secret in record.getMessage() for secret in log_probe._SECRETS.values())


# --- What is put around logging ------------------------------------------------------------------------------


def test_logging_as_it_comes_is_not_changed() -> None:
    assert log_tree.changed_methods() == []


@pytest.mark.parametrize("name", ["callHandlers", "handle", "makeRecord", "_log"])
def test_a_method_of_loggers_that_somebody_replaced_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = getattr(logging.Logger, name)

    @functools.wraps(usual)
    def tells_everybody(*args: Any, **kwargs: Any) -> Any:
        return usual(*args, **kwargs)

    monkeypatch.setattr(logging.Logger, name, tells_everybody)
    assert log_tree.changed_methods() == [f"logging.Logger.{name}"]


def test_so_is_an_object_that_looks_like_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrapper:
        __code__ = logging.Logger.handle.__code__

        def __call__(self, *args: Any) -> None: ...

    monkeypatch.setattr(logging.Logger, "handle", Wrapper())
    assert log_tree.changed_methods() == ["logging.Logger.handle"]


def test_a_kind_of_logger_with_ways_of_its_own_is_named() -> None:
    class Telling(logging.Logger):
        def handle(self, record: logging.LogRecord) -> None: ...

    with handlers_are(names={"shop.telling": [logging.StreamHandler(io.StringIO())]}):
        logging.getLogger("shop.telling").__class__ = Telling
        try:
            assert log_tree.changed_methods() == [f"{Telling.__module__}.{Telling.__qualname__}.handle"]
        finally:
            logging.getLogger("shop.telling").__class__ = logging.Logger


def test_names() -> None:
    assert trial_of(masked(logging.StreamHandler(io.StringIO()), "console")).name == "logging.StreamHandler 'console'"
