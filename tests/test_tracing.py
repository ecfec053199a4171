"""Spans of OpenTelemetry where it is installed, and nothing where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from django_flowlix import tracing
from django_flowlix.statuses import PaymentStatus
from tests.spans import Spans, attributes, listening

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    return listening(monkeypatch)


def test_a_span_that_is_added_afterwards_has_the_length_it_is_given(spans: Spans) -> None:
    tracing.add_finished_span("flowlix.api.list", {}, duration_ms=250)
    span = spans.one("flowlix.api.list")
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time - span.start_time == 250_000_000
    assert span.kind is SpanKind.CLIENT


def test_what_is_empty_is_left_out_and_our_words_are_plain_text(spans: Spans) -> None:
    given = {"flowlix.account": "", "flowlix.payment.id": None, "flowlix.livemode": False, "flowlix.refund.pk": 0}
    with tracing.span("x", given | {"flowlix.payment.status": PaymentStatus.PENDING}) as span:
        span.set({"flowlix.outcome": None, "flowlix.operation": "list"})

    told = attributes(spans.one("x"))
    assert told == {
        "flowlix.livemode": False,
        "flowlix.refund.pk": 0,
        "flowlix.payment.status": "pending",
        "flowlix.operation": "list",
    }
    assert type(told["flowlix.payment.status"]) is str


def test_an_exception_is_told_by_its_class_alone(spans: Spans) -> None:
    with pytest.raises(LookupError), tracing.span("x"):
        raise LookupError("ada@example.com")
    with pytest.raises(LookupError), tracing.span("y", is_error=lambda error: False):
        raise LookupError("ada@example.com")

    failed, refused = spans.one("x"), spans.one("y")
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "LookupError")
    assert attributes(failed) == {"error.type": "LookupError"}
    assert (refused.status.status_code, attributes(refused)) == (StatusCode.UNSET, {})
    assert failed.events == refused.events == ()


def test_a_process_that_is_stopped_says_so(spans: Spans) -> None:
    with pytest.raises(KeyboardInterrupt), tracing.span("x"):
        raise KeyboardInterrupt
    assert spans.one("x").status.description == "KeyboardInterrupt"


def test_a_span_that_nobody_samples_asks_for_no_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "get_tracer", TracerProvider(sampler=ALWAYS_OFF).get_tracer)
    with tracing.span("x") as span:
        assert not span.is_recording
        assert not tracing.current().is_recording


def test_the_current_span_is_the_one_that_the_work_is_part_of(spans: Spans) -> None:
    assert not tracing.current().is_recording
    with tracing.span("outer"), tracing.span("inner"):
        tracing.current().set({"flowlix.outcome": "ok"})
    assert attributes(spans.one("inner")) == {"flowlix.outcome": "ok"}
    assert attributes(spans.one("outer")) == {}


PROBE = """
import sys
{before}
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django_flowlix"], USE_TZ=True)
import django
django.setup()
from django_flowlix import services, tracing
with tracing.span("flowlix.start_payment", {{"flowlix.account": "default"}}) as span:
    tracing.add_finished_span("flowlix.api.list", {{}}, duration_ms=1)
    span.set({{"flowlix.livemode": True}})
    tracing.current().fail("unknown")
print(span.is_recording, "opentelemetry" in sys.modules and sys.modules["opentelemetry"] is not None)
{after}
"""
FORBID = "sys.modules['opentelemetry'] = None  # an import of it raises ImportError"
LISTEN = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
provider, exporter = TracerProvider(), InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with tracing.span("late"):
    pass
print([span.name for span in exporter.get_finished_spans()])
"""


def probe(before: str, after: str = "") -> list[str]:
    code = PROBE.format(before=before, after=after)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_the_app_loads_where_it_is_not_installed() -> None:
    assert probe(FORBID) == ["False False"]


def test_a_tracer_provider_may_be_set_after_the_app_is_loaded() -> None:
    assert probe("", LISTEN) == ["False True", "['late']"]
