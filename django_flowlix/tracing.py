"""Spans for OpenTelemetry where `opentelemetry-api` is installed (extra `otel`), and next to nothing where it is not.

No exception is recorded as it is: its text, and the source lines of its traceback, may quote an order or a customer.
A span learns the name of its class. What OpenTelemetry itself raises is told on standard error and costs nothing else.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from . import __version__

try:
    from opentelemetry import context, trace
except ImportError:
    trace = None  # type: ignore[assignment]

_TRACER = "django_flowlix"
Attributes = Mapping[str, str | int | bool | None]
ERROR_TYPE = "error.type"
"""What kind of error it was. Source: opentelemetry.io/docs/specs/semconv/registry/attributes/error"""


if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context


@contextmanager
def harmless() -> Iterator[None]:
    """Run a block that tells of the work, not the work: whatever it raises, the money matters more."""
    try:
        yield
    except Exception:  # noqa: BLE001  processors and exporters are the merchant's choice
        # Without the chain: an error of the work may be part of it, and its text may quote an order.
        with suppress(Exception):
            traceback.print_exc(file=sys.stderr, chain=False)


class Span:
    """A span that may not exist; attributes whose value is None or "" are left out."""

    def __init__(self, recording: trace.Span | None) -> None:
        self._recording = recording

    @property
    def is_recording(self) -> bool:
        """Is anybody listening? Otherwise attributes need not be gathered."""
        return self._recording is not None

    def set(self, attributes: Attributes) -> None:
        if self._recording is None:
            return
        with harmless():
            self._recording.set_attributes(_present(attributes))

    def fail(self, error_type: str) -> None:
        """Give the span the status of an error, and its kind."""
        if self._recording is None:
            return
        with harmless():
            self._recording.set_attribute(ERROR_TYPE, error_type)
            self._recording.set_status(trace.Status(trace.StatusCode.ERROR, error_type))


_NOBODY_LISTENS = Span(None)


@contextmanager
def span(
    name: str, attributes: Attributes | None = None, *, is_error: Callable[[BaseException], bool] = lambda error: True
) -> Iterator[Span]:
    """Run a block in a span; an exception that leaves it marks the span as failed if it `is_error`."""
    if trace is None:
        yield _NOBODY_LISTENS
        return
    started, token = _start(name, attributes or {})
    current = _listener(started)
    try:
        yield current
    except BaseException as error:
        if is_error(error):
            current.fail(type(error).__name__)
        raise
    finally:
        _end(started, token)


def _start(name: str, attributes: Attributes) -> tuple[trace.Span | None, Token[Context] | None]:
    """Start a span and make it the current one, as far as that can be done."""
    started, token = None, None
    with harmless():
        started = trace.get_tracer(_TRACER, __version__).start_span(name, attributes=_present(attributes))
        token = context.attach(trace.set_span_in_context(started))
    return started, token


def _listener(started: trace.Span | None) -> Span:
    with harmless():
        if started is not None and started.is_recording():
            return Span(started)
    return _NOBODY_LISTENS


def _end(started: trace.Span | None, token: Token[Context] | None) -> None:
    with harmless():
        if token is not None:
            context.detach(token)
    with harmless():
        if started is not None:
            started.end()


def current() -> Span:
    """Return the span that the caller's work is part of."""
    if trace is not None:
        with harmless():
            return _listener(trace.get_current_span())
    return _NOBODY_LISTENS


def add_finished_span(name: str, attributes: Attributes, *, duration_ms: int, error_type: str = "") -> None:
    """Add a span of a request to another server that has just ended, under the current one."""
    if trace is None:
        return
    ended_ns = time.time_ns()
    with harmless():
        finished = trace.get_tracer(_TRACER, __version__).start_span(
            name,
            kind=trace.SpanKind.CLIENT,
            attributes=_present(attributes),
            start_time=ended_ns - duration_ms * 1_000_000,
        )
        if error_type:
            Span(finished).fail(error_type)
        finished.end(ended_ns)


def _present(attributes: Attributes) -> dict[str, str | int | bool]:
    # Our own words are enums, which are told by their value.
    told = {name: str(value) if isinstance(value, str) else value for name, value in attributes.items()}
    return {name: value for name, value in told.items() if value is not None and value != ""}
