"""Scenario table §11: every failure is driven with a sentinel key, card number and e-mail address, and rendered the way
Django shows it to developers (page) and to administrators (e-mail). None of the sentinels may occur."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import socket
import traceback

import pytest
import responses
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from django_flowlix.api import (
    Customer,
    DirectPaymentRequest,
    FlowlixClient,
    FlowlixError,
    HostedPaymentRequest,
    Money,
    RefundRequest,
    RequestInvalidError,
    TestCard,
)

PAN = "4242424242424242"
EMAIL = "s3nt1nel@example.com"
TOKEN = "t0k3nOfTheReturnPage"
KEY_BODY = "5eNt1neLk3yForTheTests"
KEY = "_".join(["fl", "test", "sk", KEY_BODY])
SENTINELS = (KEY_BODY, PAN, "4242 4242", EMAIL, "s3nt1nel", TOKEN)


def customer(**changes):
    values = {
        "email": EMAIL,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "country": "DE",
        "phone": "+49 30 901820",
        "address": "Unter den Linden 1",
        "city": "Berlin",
        "zip": "10117",
    }
    return Customer(**values | changes)


# Made outside the tests, whose own frames are part of every report.
HOSTED = HostedPaymentRequest(amount=Money(1, "EUR"), redirect_url=f"https://s.example/{TOKEN}/", customer=customer())
DIRECT = DirectPaymentRequest(
    amount=Money(1, "EUR"),
    card=TestCard(number=PAN, exp_month=12, exp_year=2030, cvc="123", holder_name="Ada"),
    customer=customer(),
)


REFUND = RefundRequest(payment_id="pay_1", amount=Money(1, "EUR"), reason=EMAIL)


def report(error, *, debug, html):
    """Return Django's report as developers see it (debug) or as it is mailed to administrators."""
    reporter = ExceptionReporter(RequestFactory().get("/"), type(error), error, error.__traceback__)
    with override_settings(DEBUG=debug):
        return reporter.get_traceback_html() if html else reporter.get_traceback_text()


def shown(error):
    """Return the texts by which an exception reaches a person or a log."""
    texts = ["".join(traceback.format_exception(error)), str(error), repr(error), repr(vars(error))]
    return "\n".join([*texts, report(error, debug=True, html=True), report(error, debug=False, html=False)])


def assert_clean(text):
    for sentinel in SENTINELS:
        assert sentinel not in text, f"{sentinel!r} is shown: …{text[max(0, text.index(sentinel) - 300) :][:400]}…"


@pytest.fixture
def make_client(clock):
    def make(**options):
        # Contract `dev`, because there a refund has a body as well.
        defaults = {"contract": "dev", "sleep": clock.sleep, "monotonic": clock.monotonic, "chance": lambda: 0.0}
        # The key is made here, as a plain text, in a frame that is gone when the error is raised.
        return FlowlixClient(KEY, **defaults | options)

    return make


class Records(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))


@pytest.fixture
def logged():
    """All that any logger says at any level."""
    handler, root = Records(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.texts
    root.removeHandler(handler)
    root.setLevel(level)


# The bodies of a gateway that repeats to us all that it should not.
ECHO = f"key {KEY} card {PAN} or {PAN[:4]} {PAN[4:8]} {PAN[8:12]} {PAN[12:]} of customer"
ECHOING_PAYMENT = {
    "id": "pay_1",
    "amount": "1.00",
    "currency": "eur",
    "status": "pending",
    "customer": {"email": EMAIL},
    "metadata": {"email": EMAIL, "card": PAN},
    "redirect_url": f"https://s.example/{TOKEN}/",
    "refunds": [{"id": ECHO, "amount": "1.00", "reason": EMAIL}],
}
WIRE_ANSWERS = {
    "m1 html": {"body": f"<html>{ECHO} {EMAIL}", "status": 200, "content_type": "text/html"},
    "m2 truncated": {"body": f'{{"customer": "{EMAIL}", "card": "{PAN}', "status": 201},
    "m5 amount": {"json": ECHOING_PAYMENT, "status": 201},
    "m5 refund's amount": {"json": ECHOING_PAYMENT | {"amount": 1}, "status": 201},
    "m10 no page": {"json": ECHOING_PAYMENT | {"amount": 1, "refunds": []}, "status": 201},
    "m10 no id": {"json": ECHOING_PAYMENT | {"id": ECHO}, "status": 201},
    "m14 redirect": {"body": EMAIL, "status": 307, "headers": {"Location": f"https://evil.example/?{ECHO}{EMAIL}"}},
    "l6 400": {"json": {"error": {"type": "x", "message": ECHO, "param": ECHO, "code": ECHO}}, "status": 400},
    "l6 401": {"json": {"error": {"type": "authentication_error", "message": f"no such key {KEY}"}}, "status": 401},
    "l6 402": {"json": {"error": {"type": "card_error", "decline_code": ECHO, "message": ECHO}}, "status": 402},
    "l6 404": {"json": {"error": {"message": ECHO, "email": EMAIL}}, "status": 404},
    "l6 409": {"json": {"error": {"type": ECHO, "request_id": ECHO}}, "status": 409},
    "l6 422": {"json": {"error": {"type": "card_error", "message": ECHO}, "customer": EMAIL}, "status": 422},
    "l6 429": {"json": {"error": {"message": ECHO}}, "status": 429, "headers": {"Retry-After": ECHO}},
    "l6 500": {"body": f"Traceback: {ECHO} {EMAIL}", "status": 500, "headers": {"Request-Id": ECHO}},
    "l6 content type": {"body": "", "status": 200, "content_type": ECHO},
}  # fmt: skip


def failing_create(client):
    client.create_hosted_payment(body=client.prepare(HOSTED).reveal(), idempotency_key="k")


def failing_direct(client):
    client.create_direct_payment(body=client.prepare(DIRECT).reveal(), idempotency_key="k")


def failing_retrieve(client):
    client.retrieve_payment(payment_id="pay_1")


def failing_list(client):
    list(client.list_payments(created_from=1))


def failing_refund(client):
    client.refund_payment(payment_id="pay_1", body=client.prepare_refund(REFUND).reveal(), idempotency_key="k")


# A retrieve holds nothing that a list does not hold.
CALLS = [failing_create, failing_direct, failing_refund, failing_list]
PATHS = [("POST", "/hpp"), ("POST", ""), ("POST", "/pay_1/refund"), ("GET", "")]


def error_of(call, client, expected=FlowlixError):
    with pytest.raises(expected) as caught:
        call(client)
    return caught.value


@pytest.mark.parametrize("answer", WIRE_ANSWERS.values(), ids=WIRE_ANSWERS)
def test_l1_l6_no_answer_of_the_gateway_is_shown(answer, make_client, logged):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method, path in PATHS:
            wire.add(method, f"https://api.flowlix.dev/v1/payments{path}", **answer)
        texts = [shown(error_of(call, make_client())) for call in CALLS if _fails(call, answer)]
    assert len(texts) >= 2
    assert_clean("\n".join(texts))
    assert_clean("\n".join(logged))


def _fails(call, answer):
    """A 201 without a hosted page is no fault of an operation that needs none."""
    return answer is not WIRE_ANSWERS["m10 no page"] or call in (failing_create, failing_list)


def _refused(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _dropped(serve):
    return serve(lambda peer, number: peer.read_request()).url


def _silent(serve):
    return serve(lambda peer, number: (peer.read_request(), peer.pause(5))).url


def _broken_off(serve):
    def behave(peer, number):
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\nX: {ECHO}\r\nContent-Length: 999\r\n\r\n{EMAIL}{PAN}".encode())

    return serve(behave).url


def _too_large(serve):
    def behave(peer, number):
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\n\r\n{EMAIL}{PAN}".encode() * 100_000)

    return serve(behave).url


def _not_http(serve):
    def behave(peer, number):
        peer.read_request()
        peer.send(f"{KEY} {EMAIL} {PAN}\r\n\r\n".encode())

    return serve(behave).url


def _no_tls(serve):
    return serve(lambda peer, number: peer.send(EMAIL.encode())).url.replace("http:", "https:")


@pytest.mark.parametrize("gateway", [_refused, _dropped, _silent, _broken_off, _too_large, _not_http, _no_tls])
def test_l1_no_failure_of_the_network_shows_what_was_sent(gateway, serve, make_client, logged):
    client = make_client(api_url=gateway(serve), timeout_seconds=(0.2, 0.1), deadline_seconds=0.5)
    for call in CALLS:
        assert_clean(shown(error_of(call, client)))
    assert_clean("\n".join(logged))


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": customer(city=PAN)},
        {"customer": customer(country=EMAIL, phone=EMAIL, zip=EMAIL + PAN)},
        {"description": f"paid by {PAN}"},
        {"metadata": {"note": PAN, PAN: "x", "e": EMAIL}},
        {"metadata": EMAIL},
        {"redirect_url": f"/{TOKEN}/"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_l3_a_request_that_is_refused_is_not_quoted(changes, make_client):
    values = {"amount": HOSTED.amount, "redirect_url": HOSTED.redirect_url, "customer": HOSTED.customer}
    request = HostedPaymentRequest(**values | changes)
    del values, changes  # this frame is part of the report as well
    client = make_client()
    error = error_of(lambda client: client.prepare(request), client, RequestInvalidError)
    trace = error.__traceback__
    while trace.tb_next and "django_flowlix" not in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    assert_clean(shown(error.with_traceback(trace)))
    assert_clean("; ".join(error.faults))


def test_l3_a_refund_that_is_refused_is_not_quoted(make_client):
    request = RefundRequest(payment_id="pay_1", amount=Money(1, "EUR"), reason=f"{EMAIL} {PAN}\n")
    error = error_of(lambda client: client.prepare_refund(request), make_client(), RequestInvalidError)
    assert len(error.faults) == 2
    assert_clean(shown(error))


@pytest.mark.parametrize(
    "options",
    [
        {"contract": "us"},
        {"api_version": "x"},
        {"api_url": "http://api.flowlix.eu"},
        {"api_url": "https://[::1"},
        {"proxy": f"socks5://joe:{KEY_BODY}@proxy.example"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_l2_a_client_that_cannot_be_made_does_not_show_its_key(options, make_client):
    error = error_of(lambda _: make_client(**options), None, ValueError)
    trace = error.__traceback__
    while trace.tb_next and trace.tb_frame.f_code.co_name != "__init__":
        trace = trace.tb_next
    assert_clean(shown(error.with_traceback(trace)))


def test_l2_a_body_that_cannot_be_read_back_is_not_shown(make_client):
    def create(client):
        client.create_hosted_payment(body=json.dumps({"e": EMAIL, "n": PAN})[:-1], idempotency_key="k")

    error = error_of(create, make_client(), ValueError)
    assert error.__context__ is None
    assert_clean(shown(error))


def test_l1_an_observer_that_fails_in_the_middle_shows_no_answer(make_client):
    class Broken:
        def exchanged(self, exchange):
            raise OSError("the database has gone")

        def waiting(self, seconds): ...

    client = make_client(observer=Broken())
    with responses.RequestsMock() as wire:
        wire.post(
            "https://api.flowlix.dev/v1/payments/hpp",
            json=ECHOING_PAYMENT | {"amount": 1, "redirect_url": "https://x/"},
        )
        assert_clean(shown(error_of(failing_create, client, OSError)))


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_l1_every_kind_of_report_is_clean(call, debug, html, make_client):
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method, path in PATHS:
            wire.add(method, f"https://api.flowlix.dev/v1/payments{path}", **WIRE_ANSWERS["m5 amount"])
        assert_clean(report(error_of(call, make_client()), debug=debug, html=html))


def test_the_reports_above_do_show_local_variables(make_client):
    """The proof that a clean report means something."""

    def create(client):
        mark = "-".join(["l0cal", "var1able"])
        client.retrieve_payment(payment_id="pay_1")
        return mark

    with responses.RequestsMock() as wire:
        wire.get("https://api.flowlix.dev/v1/payments/pay_1", status=404)
        error = error_of(create, make_client())
    for debug in (True, False):
        assert "l0cal-var1able" in report(error, debug=debug, html=True)
    assert "_try" in report(error, debug=False, html=False)


def test_l2_an_error_that_was_copied_or_queued_shows_no_more(make_client):
    with responses.RequestsMock() as wire:
        wire.get("https://api.flowlix.dev/v1/payments/pay_1", **WIRE_ANSWERS["l6 401"])
        error = error_of(failing_retrieve, make_client())
    twin = pickle.loads(pickle.dumps(error))
    assert_clean(str(copy.copy(error)) + repr(copy.deepcopy(error)) + str(vars(twin)))
    assert str(twin) == str(error)
