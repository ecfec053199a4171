"""Whatever OpenTelemetry does, no payment fails of it, no receiver's work is undone, and no error is replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.contrib.auth import get_user_model
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from django_flowlix import tracing
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_succeeded
from tests.conftest import CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db(transaction=True)


def on_fire(*args: object, **kwargs: object) -> NoReturn:
    raise RuntimeError("the collector is on fire")


class BurningSampler(Sampler):
    should_sample = on_fire  # type: ignore[assignment]

    def get_description(self) -> str:
        return "burning"


class BurningSpan(trace.Span):
    end = get_span_context = set_attributes = set_attribute = add_event = update_name = on_fire  # type: ignore[assignment]
    set_status = record_exception = on_fire  # type: ignore[assignment]

    def is_recording(self) -> bool:
        return True


class ShySpan(BurningSpan):
    is_recording = on_fire  # type: ignore[assignment]


class Tracer:
    def __init__(self, start_span: Callable[..., Any]) -> None:
        self.start_span = start_span


def provider_with(method: str) -> Callable[..., Any]:
    provider = TracerProvider(sampler=ALWAYS_ON)
    processor = SpanProcessor()
    setattr(processor, method, on_fire)
    provider.add_span_processor(processor)
    return provider.get_tracer


WAYS = {
    "on_start": lambda: provider_with("on_start"),
    "on_end": lambda: provider_with("on_end"),
    "sampler": lambda: TracerProvider(sampler=BurningSampler()).get_tracer,
    "get_tracer": lambda: on_fire,
    "start_span": lambda: lambda *args: Tracer(on_fire),
    "span": lambda: lambda *args: Tracer(lambda *args, **kwargs: BurningSpan()),
    "is_recording": lambda: lambda *args: Tracer(lambda *args, **kwargs: ShySpan()),
}


@pytest.fixture(params=WAYS)
def burning(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(trace, "get_tracer", WAYS[request.param]())
    return str(request.param)


def test_p1_payments_are_started_looked_at_and_refunded(
    burning: str, emulator: EmulatorServer, fake_clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = start_payment(a_request())
    assert payment.status == "pending"
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(hours=1)
    report = Run().execute()
    assert (report.changed, report.failed, report.undelivered) == (1, 0, 0)
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    refund = refund_payment(payment, reason="sent back")

    assert refund.status == "succeeded"
    assert len(emulator.log("create_hosted")) == len(emulator.log("refund")) == 1
    assert ApiCall.objects.count() == len(emulator.log())
    assert "on fire" in capsys.readouterr().err


@pytest.mark.parametrize("look", [sync_payment, lambda payment: Run().execute()], ids=["sync_payment", "Run"])
def test_p6_a_receiver_runs_once_and_its_work_is_committed(
    burning: str, emulator: EmulatorServer, fake_clock: FakeClock, look: Callable[[Payment], Any]
) -> None:
    told: list[str] = []

    def fulfil(**kwargs: Any) -> None:
        told.append(kwargs["payment"].order_reference)
        get_user_model().objects.create_user(f"fulfilled {len(told)}")

    payment = start_payment(a_request())
    emulator.pay(str(payment.gateway_id))
    payment_succeeded.connect(fulfil)
    try:
        for _ in range(3):
            fake_clock.advance(hours=1)
            payment.refresh_from_db()
            look(payment)
    finally:
        payment_succeeded.disconnect(fulfil)

    assert told == [payment.order_reference]
    assert [user.username for user in get_user_model().objects.all()] == ["fulfilled 1"]
    change = StatusChange.objects.get(signal="payment_succeeded")
    assert (change.delivery_attempts, change.delivered_at is not None) == (0, True)


def test_what_the_work_itself_raises_is_raised(burning: str, emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "drop_after", times=9)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert Payment.objects.get().is_unconfirmed


@pytest.mark.parametrize("error", [LookupError(CUSTOMER.email), StopIteration(), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_is_neither_replaced_nor_repeated(
    burning: str, error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> NoReturn:
        with tracing.span("x") as span:
            span.set({"flowlix.outcome": "ok"})
            raise error

    with pytest.raises(type(error)) as raised:
        work()
    assert raised.value is error
    assert CUSTOMER.email not in capsys.readouterr().err


def test_what_is_no_span_any_more_is_not_current(burning: str) -> None:
    before = trace.get_current_span()
    with tracing.span("x"):
        tracing.current().set({"flowlix.outcome": "ok"})
        tracing.add_finished_span("y", {}, duration_ms=3, error_type="z")
    assert trace.get_current_span() is before


def test_a_process_that_is_stopped_while_a_span_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object) -> NoReturn:
        raise KeyboardInterrupt

    provider, processor = TracerProvider(sampler=ALWAYS_ON), SpanProcessor()
    processor.on_end = stop  # type: ignore[method-assign]
    provider.add_span_processor(processor)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    with pytest.raises(KeyboardInterrupt), tracing.span("x"):
        pass


def test_standard_error_may_be_closed(burning: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        write = flush = on_fire

    monkeypatch.setattr("sys.stderr", Closed())
    with tracing.span("x"):
        pass
