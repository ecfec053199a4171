"""FlowlixClient on the wire: exact requests, values out, and what is refused before anything is sent."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from django_flowlix.api import (
    DirectPaymentRequest,
    GatewayStatus,
    InvalidRequestError,
    Money,
    NotFoundError,
    RefundRequest,
    TestCard,
    UnreadableAnswerError,
)
from django_flowlix.api.secret import Secret
from tests.api.conftest import API, HOSTED, PAYMENTS, RETURN
from tests.conftest import CUSTOMER

CARD = TestCard(number="4242424242424242", exp_month=12, exp_year=2030, cvc="123", holder_name="Ada Lovelace")
DIRECT = DirectPaymentRequest(amount=Money(100, "EUR"), card=CARD, customer=CUSTOMER)


def sent(wire, index=0):
    return wire.calls[index].request


# Requests


def test_a_hosted_payment_is_written_as_the_guide_says(client):
    body = client.prepare(HOSTED)
    assert isinstance(body, Secret)
    assert json.loads(body.reveal()) == {
        "amount": 4999,
        "currency": "eur",
        "redirect_url": RETURN,
        "customer": {
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "country": "DE",
            "phone": "+4930901820",
            "address": "Unter den Linden 1",
            "city": "Berlin",
            "zip": "10117",
        },
        "description": "Two bags of coffee",
        "metadata": {"order_reference": "1001"},
    }


def test_i10_the_stored_text_goes_out_byte_for_byte_under_its_key(client, wire, payment, test_key):
    wire.post(f"{PAYMENTS}/hpp", json=payment, status=201)
    stored = '{ "amount" : 4999,"redirect_url":"' + RETURN + '", "x":"\\u00e9" }'
    client.create_hosted_payment(body=stored, idempotency_key="payment-order-1001")
    assert sent(wire).body == stored.encode()
    assert dict(sent(wire).headers) | {"User-Agent": ""} == {
        "User-Agent": "",
        "Accept-Encoding": "identity",
        "Accept": "application/json",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Content-Length": str(len(stored)),
        "Idempotency-Key": "payment-order-1001",
        "Authorization": f"Bearer {test_key}",
    }


def test_a_created_payment_comes_back_with_its_page_and_its_request_id(client, wire, payment):
    wire.post(f"{PAYMENTS}/hpp", json=payment, status=201, headers={"Flowlix-Request-Id": "req_7"})
    created = client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert created.id == "pay_8f14e45f-ceea"
    assert (created.amount_minor, created.currency) == (4999, "EUR")
    assert (created.status, created.livemode) == (GatewayStatus.PENDING, False)
    assert created.hosted_page_url == "https://pay.flowlix.eu/s/abc"
    assert created.request_id == "req_7"


def test_a_direct_payment_carries_the_card_and_only_a_test_key_may_send_it(
    client, make_client, wire, payment, live_key
):
    wire.post(PAYMENTS, json=payment | {"status": "succeeded", "hpp_url": None}, status=201)
    body = client.prepare(DIRECT)
    assert client.create_direct_payment(body=body, idempotency_key="check-1").status is GatewayStatus.SUCCEEDED
    assert json.loads(sent(wire).body)["card"] == {
        "number": "4242424242424242",
        "exp_month": 12,
        "exp_year": 2030,
        "cvc": "123",
        "holder_name": "Ada Lovelace",
    }
    with pytest.raises(ValueError, match="test keys"):
        make_client(live_key).create_direct_payment(body=body, idempotency_key="check-1")
    assert len(wire.calls) == 1


def test_a_refund_has_a_key_and_no_body(client, wire, payment):
    wire.post(f"{PAYMENTS}/pay_1/refund", json=payment | {"status": "refunded", "refunded_at": 1_700_000_100})
    body = client.prepare_refund(RefundRequest(payment_id="pay_1", amount=Money(4999, "EUR"), reason="Too late"))
    assert body.reveal() == ""
    refunded = client.refund_payment(payment_id="pay_1", body=body, idempotency_key="refund-order-1001-1")
    assert (refunded.status, refunded.amount_refunded_minor) == (GatewayStatus.SUCCEEDED, 4999)
    assert sent(wire).body is None
    assert sent(wire).headers["Idempotency-Key"] == "refund-order-1001-1"
    assert "Content-Type" not in sent(wire).headers


def test_reading_carries_no_idempotency_key(client, wire, payment):
    wire.get(f"{PAYMENTS}/pay_8f14e45f-ceea", json=payment)
    wire.get(PAYMENTS, json={"object": "list", "data": [], "has_more": False})
    assert client.retrieve_payment(payment_id="pay_8f14e45f-ceea").id == "pay_8f14e45f-ceea"
    assert list(client.list_payments()) == []
    for call in wire.calls:
        assert "Idempotency-Key" not in call.request.headers
        assert "Content-Type" not in call.request.headers
        assert call.request.body is None


def test_the_version_is_sent_only_when_configured(client, make_client, wire, payment):
    wire.get(f"{PAYMENTS}/pay_1", json=payment)
    client.retrieve_payment(payment_id="pay_1")
    make_client(api_version="2026-01-31").retrieve_payment(payment_id="pay_1")
    versions = [call.request.headers.get("Flowlix-Version") for call in wire.calls]
    assert versions == [None, "2026-01-31"]


def test_n5_i5_four_tries_with_one_key_and_one_body(client, wire, payment, clock):
    for status in (500, 502, 503):
        wire.post(f"{PAYMENTS}/hpp", status=status)
    wire.post(f"{PAYMENTS}/hpp", json=payment, status=201)
    client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert clock.slept == [1, 2, 4]
    assert len({(call.request.body, call.request.headers["Idempotency-Key"]) for call in wire.calls}) == 1
    assert len(wire.calls) == 4


def test_i6_a_409_keeps_key_and_body_and_ends_unknown(client, wire, error_body, clock):
    wire.post(f"{PAYMENTS}/hpp", json=error_body("idempotency_error"), status=409)
    with pytest.raises(Exception, match="idempotency_error") as caught:
        client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert caught.value.outcome_unknown
    assert clock.slept == [1, 2, 4]
    assert {call.request.headers["Idempotency-Key"] for call in wire.calls} == {"k"}


def test_p8_a_definite_answer_is_one_request(client, wire, error_body, clock):
    wire.post(f"{PAYMENTS}/pay_1/refund", json=error_body(code="payment_already_refunded"), status=422)
    with pytest.raises(InvalidRequestError) as caught:
        client.refund_payment(payment_id="pay_1", body="", idempotency_key="k")
    assert (caught.value.code, caught.value.operation) == ("payment_already_refunded", "refund")
    assert caught.value.settles_earlier_tries
    assert (len(wire.calls), clock.slept) == (1, [])


def test_n13_an_unknown_id_is_not_found(client, wire, error_body):
    wire.get(f"{PAYMENTS}/pay_9", json=error_body(), status=404)
    with pytest.raises(NotFoundError) as caught:
        client.retrieve_payment(payment_id="pay_9")
    assert caught.value.outcome_unknown is False


# The hosted page, and our own echo


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"hpp_url": "https://pay.flowlix.eu/1"}, "https://pay.flowlix.eu/1"),
        ({"hpp_url": "https://pay.flowlix.eu/1", "redirect_url": "https://other.example/"}, "https://pay.flowlix.eu/1"),
        ({"hpp_url": None, "redirect_url": "https://pay.flowlix.eu/2"}, "https://pay.flowlix.eu/2"),
        ({"hpp_url": "https://pay.flowlix.eu/1", "redirect_url": RETURN}, "https://pay.flowlix.eu/1"),
        ({"hpp_url": RETURN, "redirect_url": "https://pay.flowlix.eu/2"}, "https://pay.flowlix.eu/2"),
        ({"hpp_url": "", "redirect_url": "https://pay.flowlix.eu/2"}, "https://pay.flowlix.eu/2"),
    ],
)
def test_m10_the_page_goes_by_two_names(fields, expected, client, wire, payment):
    wire.post(f"{PAYMENTS}/hpp", json=payment | fields, status=201)
    created = client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert created.hosted_page_url == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"hpp_url": None, "redirect_url": None},
        {"hpp_url": None, "redirect_url": RETURN},
        {"hpp_url": RETURN, "redirect_url": RETURN},
        {"hpp_url": 5, "redirect_url": ["https://pay.flowlix.eu/2"]},
        {"id": None},
        {"amount": "4999"},
    ],
)
def test_m10_a_201_without_id_or_page_or_with_our_own_echo_is_unknown(fields, client, wire, payment, clock):
    wire.post(f"{PAYMENTS}/hpp", json=payment | fields, status=201, headers={"Request-Id": "req_8"})
    with pytest.raises(UnreadableAnswerError) as caught:
        client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert caught.value.outcome_unknown
    assert caught.value.request_id == "req_8"
    assert clock.slept == [1, 2, 4]


# Lists


def page_of(payment, *created, has_more=False, start=0):
    entries = [payment | {"id": f"pay_{start + n}", "created": when} for n, when in enumerate(created)]
    return {"object": "list", "url": "/v1/payments", "data": entries, "has_more": has_more}


def test_a_list_follows_the_cursor_with_a_hundred_per_call(client, wire, payment):
    wire.get(PAYMENTS, json=page_of(payment, 50, 49, has_more=True))
    wire.get(PAYMENTS, json=page_of(payment, 48, 47, has_more=True, start=2))
    wire.get(PAYMENTS, json=page_of(payment, 46, start=4))
    assert [entry.id for entry in client.list_payments()] == ["pay_0", "pay_1", "pay_2", "pay_3", "pay_4"]
    assert [call.request.params for call in wire.calls] == [
        {"limit": "100"},
        {"limit": "100", "starting_after": "pay_1"},
        {"limit": "100", "starting_after": "pay_3"},
    ]


def test_a_list_asks_for_the_next_page_only_when_it_is_wanted(client, wire, payment):
    wire.get(PAYMENTS, json=page_of(payment, 50, 49, has_more=True))
    listed = client.list_payments()
    assert len(wire.calls) == 0
    assert next(listed).id == "pay_0"
    assert len(wire.calls) == 1


def test_the_times_are_sent_on_every_page(client, wire, payment):
    wire.get(PAYMENTS, json=page_of(payment, 50, has_more=True))
    wire.get(PAYMENTS, json=page_of(payment, 49, start=1))
    list(client.list_payments(created_from=40, created_before=60))
    for call in wire.calls:
        assert (call.request.params["created[gte]"], call.request.params["created[lt]"]) == ("40", "60")


def test_a_gateway_that_ignores_the_times_is_filtered_here(client, wire, payment):
    wire.get(PAYMENTS, json=page_of(payment, 61, 60, 59, None, has_more=True))
    wire.get(PAYMENTS, json=page_of(payment, 41, 40, 39, 40, has_more=True, start=10))
    wire.get(PAYMENTS, json=page_of(payment, 38, 37, has_more=True, start=20))
    listed = list(client.list_payments(created_from=40, created_before=60))
    assert [entry.created_at for entry in listed] == [59, None, 41, 40, 40]
    assert len(wire.calls) == 3


def test_a_page_without_entries_cannot_be_followed_by_more(client, wire, clock):
    wire.get(PAYMENTS, json={"object": "list", "data": [], "has_more": True})
    with pytest.raises(UnreadableAnswerError, match="without entries"):
        list(client.list_payments())
    assert clock.slept == [1, 2, 4]


def test_a_gateway_that_ignores_the_cursor_does_not_keep_us_for_ever(client, wire, payment):
    wire.get(PAYMENTS, json=page_of(payment, 50, 49, has_more=True))
    with pytest.raises(UnreadableAnswerError, match="circle") as caught:
        list(client.list_payments())
    assert (len(wire.calls), caught.value.operation) == (2, "list")


@pytest.mark.parametrize(
    "body",
    [{}, {"data": None, "has_more": False}, {"data": [], "has_more": "no"}, {"data": {}, "has_more": False}, [],
     {"data": [5], "has_more": False}, {"data": [{"id": "pay_1"}], "has_more": False}],
    ids=json.dumps,
)  # fmt: skip
def test_m2_a_list_that_is_none_is_an_error_and_never_an_empty_list(body, client, wire):
    wire.get(PAYMENTS, json=body)
    with pytest.raises(UnreadableAnswerError):
        list(client.list_payments())


# Observing, showing


def test_p9_an_observed_client_shares_the_connections_and_keeps_its_own_deadline(client, wire, clock):
    told = []

    class Observer:
        def exchanged(self, exchange):
            told.append((exchange.try_number, exchange.http_status))

        def waiting(self, seconds):
            told.append(seconds)

    wire.get(f"{PAYMENTS}/pay_1", status=500)
    observed = client.observed(Observer(), deadline_seconds=2.0)
    assert observed._transport is client._transport
    with pytest.raises(Exception, match="HTTP 500"):
        observed.retrieve_payment(payment_id="pay_1")
    assert told == [(1, 500), 1.0, (2, 500)]
    with pytest.raises(Exception, match="HTTP 500"):
        client.retrieve_payment(payment_id="pay_1")
    assert clock.slept == [1, 1, 2, 4]
    assert len(told) == 3


def test_l2_nothing_that_shows_a_client_shows_its_key(make_client, test_key):
    client = make_client(proxy="http://joe:hunter2@proxy.example")
    shown = (
        f"{client} {client!r} {vars(client)} {copy.copy(client)!r} {vars(client.observed(None, deadline_seconds=1))}"
    )
    assert f"<FlowlixClient eu test {API}>" in shown
    assert test_key not in shown
    assert "hunter2" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(client)


def test_l8_requests_and_answers_show_no_personal_text():
    shown = repr(HOSTED) + repr(DIRECT) + repr(CUSTOMER) + repr(CARD)
    for text in ("ada@example.com", "Ada", "Linden", "901820", "coffee", "t0k3n", "42424242", "123", "1001"):
        assert text not in shown
