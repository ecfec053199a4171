"""Spans for OpenTelemetry where `opentelemetry-api` is installed (extra `otel`), and next to nothing where it is not.

No exception is recorded as it is: its text, and the source lines of its traceback, may quote an order or a customer.
A span learns the name of its class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from . import __version__

try:
    from opentelemetry import trace
except ImportError:
    trace = None  # type: ignore[assignment]

_TRACER = "django_flowlix"
Attributes = Mapping[str, str | int | bool | None]
ERROR_TYPE = "error.type"
"""What kind of error it was. Source: opentelemetry.io/docs/specs/semconv/registry/attributes/error"""


class Span:
    """A span that may not exist; attributes whose value is None or "" are left out."""

    def __init__(self, recording: trace.Span | None) -> None:
        self._recording = recording

    @property
    def is_recording(self) -> bool:
        """Is anybody listening? Otherwise attributes need not be gathered."""
        return self._recording is not None

    def set(self, attributes: Attributes) -> None:
        if self._recording is not None:
            self._recording.set_attributes(_present(attributes))

    def fail(self, error_type: str) -> None:
        """Give the span the status of an error, and its kind."""
        if self._recording is not None:
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
    tracer = trace.get_tracer(_TRACER, __version__)
    with tracer.start_as_current_span(
        name, attributes=_present(attributes or {}), record_exception=False, set_status_on_exception=False
    ) as started:
        current = Span(started) if started.is_recording() else _NOBODY_LISTENS
        try:
            yield current
        except BaseException as error:
            if is_error(error):
                current.fail(type(error).__name__)
            raise


def current() -> Span:
    """Return the span that the caller's work is part of."""
    if trace is None or not trace.get_current_span().is_recording():
        return _NOBODY_LISTENS
    return Span(trace.get_current_span())


def add_finished_span(name: str, attributes: Attributes, *, duration_ms: int, error_type: str = "") -> None:
    """Add a span of a request to another server that has just ended, under the current one."""
    if trace is None:
        return
    ended_ns = time.time_ns()
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
