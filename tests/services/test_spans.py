"""What the services' spans tell, what they never tell, and that nobody needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from django_flowlix import tracing
from django_flowlix.api import FlowlixError
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import (
    AlreadyPaid,
    InvalidPaymentRequest,
    InvalidRefundRequest,
    PaymentRejected,
    PaymentUnconfirmed,
    RefundRejected,
)
from django_flowlix.models import Payment
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_succeeded
from tests.conftest import CUSTOMER, TEST_KEY, FakeClock, a_request
from tests.spans import Spans, attributes, listening

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    return listening(monkeypatch)


@pytest.fixture
def connect() -> Iterator[Callable[[Any], None]]:
    """Connect a receiver to payment_succeeded until the test ends."""
    connected: list[Any] = []

    def connect_one(receiver: Any) -> None:
        payment_succeeded.connect(receiver)
        connected.append(receiver)

    yield connect_one
    for receiver in connected:
        payment_succeeded.disconnect(receiver)


def of_receiver(spans: Spans, name: str) -> ReadableSpan:
    """The span of a receiver, among those of the example shop."""
    (span,) = [each for each in spans.named("flowlix.receiver") if attributes(each)["flowlix.receiver"].endswith(name)]
    return span


def test_a_start_tells_which_payment_it_made(emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans) -> None:
    payment = start_payment(a_request())

    span = spans.one("flowlix.start_payment")
    assert attributes(span) == {
        "flowlix.operation": "start_payment",
        "flowlix.account": "default",
        "flowlix.contract": "eu",
        "flowlix.livemode": False,
        "flowlix.payment.pk": payment.pk,
        "flowlix.payment.id": payment.gateway_id,
        "flowlix.payment.status": "pending",
        "flowlix.payment.attempt": 1,
        "flowlix.payment.currency": "EUR",
        "flowlix.payment.amount_minor": 4999,
    }
    assert (span.status.status_code, span.parent) == (StatusCode.UNSET, None)


def test_every_exchange_is_a_child_span_as_long_as_the_exchange(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans
) -> None:
    emulator.fault("create_hosted", "status_before", status=503)
    payment = start_payment(a_request())

    failed, answered = spans.named("flowlix.api.create_hosted")
    parent = spans.one("flowlix.start_payment")
    first, second = (entry.request_id for entry in emulator.log("create_hosted"))
    host, port = emulator.url.removeprefix("http://").split(":")
    about = {
        "http.request.method": "POST",
        "server.address": host,
        "server.port": int(port),
        "flowlix.operation": "create_hosted",
        "flowlix.account": "default",
        "flowlix.contract": "eu",
        "flowlix.livemode": False,
        "flowlix.payment.pk": payment.pk,
    }
    assert attributes(answered) == about | {
        "http.response.status_code": 201,
        "http.request.resend_count": 1,
        "flowlix.outcome": "ok",
        "flowlix.request_id": second,
    }
    assert (
        attributes(failed).items()
        >= {
            **about,
            "http.response.status_code": 503,
            "flowlix.outcome": "unknown",
            "flowlix.request_id": first,
            "error.type": "api_error",
        }.items()
    )
    assert "http.request.resend_count" not in attributes(failed)
    assert [span.status.status_code for span in (failed, answered)] == [StatusCode.ERROR, StatusCode.UNSET]
    assert {span.kind for span in (failed, answered)} == {SpanKind.CLIENT}
    assert {span.parent.span_id for span in (failed, answered) if span.parent} == {parent.context.span_id}
    assert parent.status.status_code is StatusCode.UNSET, "the second try has settled it"


def test_a_look_and_the_delivery_in_it(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans, connect: Callable[[Any], None]
) -> None:
    def fulfil(**kwargs: object) -> None:
        trace.get_tracer("shop").start_span("the merchant's own").end()

    payment = start_payment(a_request())
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    connect(fulfil)
    sync_payment(payment)

    look, deliver = spans.one("flowlix.sync_payment"), spans.one("flowlix.deliver")
    receiver = of_receiver(spans, "fulfil")
    assert attributes(look)["flowlix.payment.status"] == "succeeded"
    assert attributes(deliver) == {
        "flowlix.operation": "deliver",
        "flowlix.signal": "payment_succeeded",
        "flowlix.delivery.failures": 0,
        "flowlix.payment.pk": payment.pk,
    }
    own = spans.one("the merchant's own")
    parents = [span.parent.span_id if span.parent else None for span in (look, deliver, receiver, own)]
    assert parents == [None, look.context.span_id, deliver.context.span_id, receiver.context.span_id]


def test_a_receiver_that_raises_is_an_error_without_its_words(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans, connect: Callable[[Any], None]
) -> None:
    def careless(**kwargs: object) -> None:
        raise LookupError(f"no order of {CUSTOMER.email}")

    payment = start_payment(a_request())
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    connect(careless)
    sync_payment(payment)

    for span in (spans.one("flowlix.deliver"), of_receiver(spans, "careless")):
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "LookupError")
        assert attributes(span)["error.type"] == "LookupError"
    assert attributes(spans.one("flowlix.deliver"))["flowlix.delivery.failures"] == 1
    assert spans.one("flowlix.sync_payment").status.status_code is StatusCode.UNSET
    assert CUSTOMER.email not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_refund_tells_of_the_payment_and_of_itself(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], spans: Spans
) -> None:
    payment = make_paid(gateway_of("dev"))
    refund = refund_payment(payment, reason="sent back")

    assert (
        attributes(spans.one("flowlix.refund_payment")).items()
        >= {
            "flowlix.operation": "refund_payment",
            "flowlix.contract": "dev",
            "flowlix.payment.pk": payment.pk,
            "flowlix.payment.id": payment.gateway_id,
            "flowlix.payment.status": "succeeded",
            "flowlix.refund.pk": refund.pk,
            "flowlix.refund.id": refund.gateway_id,
            "flowlix.refund.status": "pending",
            "flowlix.refund.amount_minor": 4999,
        }.items()
    )
    assert attributes(spans.one("flowlix.api.refund"))["flowlix.refund.pk"] == refund.pk


def test_a_run_of_the_background_is_a_span_with_its_counts(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans
) -> None:
    for number in ("1", "2"):
        start_payment(a_request(order_reference=number))
    emulator.pay(str(Payment.objects.earliest("pk").gateway_id))
    fake_clock.advance(hours=1)
    Run().execute()

    run = spans.one("flowlix.sync")
    assert attributes(run) == {
        "flowlix.operation": "sync",
        "flowlix.sync.source": "sync",
        "flowlix.sync.changed": 1,
        "flowlix.sync.unchanged": 1,
        "flowlix.sync.failed": 0,
        "flowlix.sync.delivered": 0,
        "flowlix.sync.undelivered": 0,
    }
    looks = spans.named("flowlix.sync_payment")
    assert [span.parent.span_id for span in looks if span.parent] == [run.context.span_id] * 2


# --- What is an error, and what is not ------------------------------------------------------------------------


def test_p5_an_unknown_outcome_is_an_error(emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans) -> None:
    emulator.fault("create_hosted", "drop_after", times=9)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())

    span = spans.one("flowlix.start_payment")
    assert (span.status.status_code, attributes(span)["error.type"]) == (StatusCode.ERROR, "PaymentUnconfirmed")
    assert attributes(span)["flowlix.payment.status"] == "created"
    fake_clock.advance(hours=1)
    Run().execute()
    assert spans.one("flowlix.sync").status.status_code is StatusCode.ERROR


def test_p5_a_refund_that_is_not_confirmed_is_an_error(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], spans: Spans
) -> None:
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    gateway.fault("refund", "drop_after", times=9)
    assert refund_payment(payment, reason="sent back").is_unconfirmed

    span = spans.one("flowlix.refund_payment")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "outcome_unknown")


def test_a_look_that_fails_is_an_error(emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans) -> None:
    payment = start_payment(a_request())
    emulator.fault("retrieve", "status_before", status=401)
    with pytest.raises(FlowlixError):
        sync_payment(payment)

    span = spans.one("flowlix.sync_payment")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "AuthenticationError")
    assert attributes(span)["flowlix.payment.pk"] == payment.pk


def test_a_customers_decline_is_no_error(emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans) -> None:
    payment = start_payment(a_request())
    emulator.decline(str(payment.gateway_id), "insufficient_funds")
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    span = spans.one("flowlix.sync_payment")
    assert attributes(span)["flowlix.payment.status"] == "failed"
    assert attributes(span)["flowlix.payment.decline_code"] == "insufficient_funds"
    assert {each.status.status_code for each in spans.get_finished_spans()} == {StatusCode.UNSET}


def test_a_card_that_the_gateway_refuses_at_once_is_no_error(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans
) -> None:
    emulator.fault("create_hosted", "status_before", status=402)
    with pytest.raises(PaymentRejected):
        start_payment(a_request())
    assert {span.status.status_code for span in spans.get_finished_spans()} == {StatusCode.UNSET}


def test_what_our_own_rules_refuse_is_no_error(emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans) -> None:
    with pytest.raises(InvalidPaymentRequest):
        start_payment(a_request(order_reference=""))
    payment = start_payment(a_request())
    with pytest.raises(InvalidRefundRequest):
        refund_payment(payment, reason="not paid yet")
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    with pytest.raises(AlreadyPaid):
        start_payment(a_request())

    assert len(spans.named("flowlix.start_payment")) == 3
    assert {span.status.status_code for span in spans.get_finished_spans()} == {StatusCode.UNSET}


def test_a_request_that_the_gateway_refuses_is_an_error(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], spans: Spans
) -> None:
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason="sent back")

    span = spans.one("flowlix.refund_payment")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "RefundRejected")
    assert attributes(span)["flowlix.refund.status"] == "failed"


# --- What is never told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nothing", "drop_after", "truncated_json", "html_after", "status_before"])
def test_p7_no_span_tells_of_the_customer_the_order_or_the_key(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans, kind: str
) -> None:
    reference = "order-of-zerlinde"
    if kind != "nothing":
        emulator.fault("create_hosted", kind, times=9)
    for _ in range(2):
        with suppress(PaymentUnconfirmed):
            start_payment(a_request(order_reference=reference))
    payment = Payment.objects.get()
    if payment.gateway_id:
        emulator.pay(payment.gateway_id)
    fake_clock.advance(hours=1)
    Run().execute()
    with suppress(AlreadyPaid):
        start_payment(a_request(order_reference=reference))

    told = "".join(span.to_json() for span in spans.get_finished_spans())
    secrets = [
        *(TEST_KEY, TEST_KEY.rpartition("_")[2], reference, payment.idempotency_key, payment.return_token),
        *(
            CUSTOMER.email,
            CUSTOMER.first_name,
            CUSTOMER.last_name,
            CUSTOMER.phone,
            CUSTOMER.city,
            "coffee",
            "Traceback",
        ),
    ]
    assert len(spans.get_finished_spans()) >= 5
    assert [secret for secret in secrets if str(secret) in told] == []
    assert {event.name for span in spans.get_finished_spans() for event in span.events} == set()


# --- Nobody needs it ------------------------------------------------------------------------------------------


def test_without_the_package_everything_works(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "trace", None)
    payment = start_payment(a_request())
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(hours=1)
    Run().execute()
    payment.refresh_from_db()
    assert payment.status == "succeeded"
    assert refund_payment(payment, reason="sent back").status == "succeeded"
    assert spans.get_finished_spans() == ()


def test_a_tracer_that_fails_does_not_cost_the_gateways_answer(
    emulator: EmulatorServer, fake_clock: FakeClock, spans: Spans, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the collector is on fire")

    monkeypatch.setattr(tracing, "add_finished_span", broken)
    assert start_payment(a_request()).status == "pending"
    assert "on fire" in capsys.readouterr().err


def test_every_attribute_is_documented(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    fake_clock: FakeClock,
    spans: Spans,
) -> None:
    gateway = gateway_of("dev")
    gateway.fault("create_hosted", "status_before", status=503)
    payment = make_paid(gateway)
    refund_payment(payment, reason="sent back")
    declined = start_payment(a_request(order_reference="declined"))
    gateway.decline(str(declined.gateway_id))
    fake_clock.advance(hours=1)
    Run().execute()

    page = (ROOT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", page[page.index("## Attributes of spans") :], re.MULTILINE))
    used = {name for span in spans.get_finished_spans() for name in attributes(span)}
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "django_flowlix").rglob("*.py"))
    written = set(re.findall(r'"((?:flowlix|http|server)\.[a-z_.]+)": ', source))
    assert {"flowlix.sync.failed", "error.type"} <= used
    assert {"flowlix.refund.decline_code", "flowlix.error.code"} <= written
    assert documented == used | written
    assert {span.name for span in spans.get_finished_spans()} >= {"flowlix.sync", "flowlix.receiver"}
