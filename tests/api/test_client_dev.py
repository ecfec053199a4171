"""FlowlixClient in contract `dev` on the wire: the same client, another gateway."""

from __future__ import annotations

import json

import pytest

from django_flowlix.api import (
    ApiError,
    CardError,
    DirectPaymentRequest,
    GatewayRefundStatus,
    GatewayStatus,
    HostedPaymentRequest,
    IdempotencyError,
    InvalidRequestError,
    Money,
    RefundRequest,
    RequestInvalidError,
    TestCard,
    UnreadableAnswerError,
)
from django_flowlix.api.secret import Secret
from tests.api.conftest import RETURN

PAYMENTS = "https://api.flowlix.dev/v1/payments"
PAGE = "https://pay.flowlix.dev/s/abc"
REFUND = RefundRequest(payment_id="pay_1", amount=Money(1500, "EUR"), reason="One bag came torn")
HOSTED = HostedPaymentRequest(amount=Money(4999, "EUR"), redirect_url=RETURN)
REFUNDED_IN_PART = [
    {"id": "01ARZ3", "amount": 1500, "currency": "eur", "status": "pending", "created_at": 1_700_000_100}
]


@pytest.fixture
def client(make_client):
    return make_client(contract="dev")


@pytest.fixture
def payment(payment):
    """The documented object without what contract `dev` does not have."""
    del payment["hpp_url"]
    return payment | {"refunds": [], "refunded_amount": 0, "next_action": None}


def refund(client, body='{"amount":1500,"reason":"x"}'):
    return client.refund_payment(payment_id="pay_1", body=body, idempotency_key="refund-order-1001-1")


def test_k1_the_client_talks_to_the_gateway_of_its_contract(client, make_client, live_key):
    assert repr(client) == "<FlowlixClient dev test https://api.flowlix.dev>"
    assert make_client(live_key, contract="dev").livemode is True


def test_a_created_payment_comes_back_with_its_page(client, wire, payment):
    wire.post(
        f"{PAYMENTS}/hpp", json=payment | {"redirect_url": PAGE}, status=201, headers={"Flowlix-Request-Id": "req_7"}
    )
    body = client.prepare(HOSTED)
    created = client.create_hosted_payment(body=body, idempotency_key="payment-order-1001")
    assert json.loads(wire.calls[0].request.body) == {
        "amount": 4999,
        "currency": "eur",
        "redirect_url": RETURN,
        "metadata": {},
    }
    assert (created.status, created.hosted_page_url, created.request_id) == (GatewayStatus.PENDING, PAGE, "req_7")


@pytest.mark.parametrize("url", [None, "", RETURN])
def test_m10_a_201_without_a_page_or_with_our_own_echo_is_unknown(url, client, wire, payment):
    answer = payment | {"redirect_url": url, "next_action": {"redirect_url": "https://acs.example/"}}
    wire.post(f"{PAYMENTS}/hpp", json=answer, status=201)
    with pytest.raises(UnreadableAnswerError, match="hosted page") as caught:
        client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert caught.value.outcome_unknown


def test_a_direct_payment_is_accepted_and_not_yet_paid(client, wire, payment):
    wire.post(PAYMENTS, json=payment | {"status": "requires_action"}, status=201)
    card = TestCard(number="4111111111111111", exp_month=12, exp_year=2030, cvc="123", holder_name="Ada")
    body = client.prepare(DirectPaymentRequest(amount=Money(100, "EUR"), card=card))
    created = client.create_direct_payment(body=body, idempotency_key="check-1")
    assert created.status is GatewayStatus.REQUIRES_ACTION


def test_a_refund_of_a_part_is_stored_and_sent_as_the_guide_says(client, wire, payment):
    answer = payment | {"status": "succeeded", "refunds": REFUNDED_IN_PART, "refunded_amount": 1500}
    wire.post(f"{PAYMENTS}/pay_1/refund", json=answer, status=201, headers={"Flowlix-Request-Id": "req_9"})
    body = client.prepare_refund(REFUND)
    assert isinstance(body, Secret)
    assert body.reveal() == '{"amount":1500,"reason":"One bag came torn"}'
    refunded = refund(client, body.reveal())
    assert [(entry.id, entry.amount_minor, entry.status) for entry in refunded.refunds] == [
        ("01ARZ3", 1500, GatewayRefundStatus.PENDING)
    ]
    assert (refunded.status, refunded.amount_refunded_minor, refunded.request_id) == ("succeeded", 0, "req_9")


def test_i10_the_stored_text_of_a_refund_goes_out_byte_for_byte_under_its_key(client, wire, payment, error_body):
    wire.post(f"{PAYMENTS}/pay_1/refund", json=error_body(code="rate_limit_exceeded"), status=429)
    wire.post(f"{PAYMENTS}/pay_1/refund", json=payment | {"status": "succeeded"}, status=201)
    stored = '{ "reason":"\\u00fc" ,"amount" : 1500}'
    refund(client, stored)
    assert [call.request.body for call in wire.calls] == [stored.encode()] * 2
    for call in wire.calls:
        assert call.request.headers["Idempotency-Key"] == "refund-order-1001-1"
        assert call.request.headers["Content-Type"] == "application/json"


def test_a_refund_without_a_body_would_return_all_that_is_left_and_is_not_sent(client):
    with pytest.raises(ValueError, match="prepare_refund"):
        refund(client, "")


def test_all_faults_of_a_refund_are_named_at_once_and_none_is_quoted(client):
    reason = "4111 1111 1111 1111\n" + "x" * 40
    with pytest.raises(RequestInvalidError) as caught:
        client.prepare_refund(RefundRequest(payment_id="pay_1", amount=Money(0, "EUR"), reason=reason))
    assert [fault.split()[0] for fault in caught.value.faults] == ["amount", "reason", "reason", "reason"]
    assert "1111" not in str(caught.value)
    assert caught.value.outcome_unknown is False


def test_p8_a_refund_that_breaks_a_rule_of_the_gateway_is_refused_for_good(client, wire, error_body, clock):
    wire.post(f"{PAYMENTS}/pay_1/refund", json=error_body(code="parameter_invalid"), status=422)
    with pytest.raises(InvalidRequestError) as caught:
        refund(client)
    assert (caught.value.outcome_unknown, clock.slept) == (False, [])


def test_m5_a_refund_whose_amount_cannot_be_read_is_unknown(client, wire, payment):
    answer = payment | {"status": "succeeded", "refunds": [{"id": "01ARZ3", "amount": "15.00", "status": "pending"}]}
    wire.post(f"{PAYMENTS}/pay_1/refund", json=answer, status=201)
    with pytest.raises(UnreadableAnswerError) as caught:
        refund(client)
    assert caught.value.outcome_unknown


def test_a_decline_that_comes_at_once_is_a_422(client, wire, error_body):
    body = error_body("card_error", decline_code="do_not_honor")
    wire.post(f"{PAYMENTS}/hpp", json=body, status=422)
    with pytest.raises(CardError) as caught:
        client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key="k")
    assert (caught.value.decline_code, caught.value.outcome_unknown) == ("do_not_honor", False)


def test_i6_one_409_stands_for_two_things_and_the_key_is_kept(client, wire, error_body, clock):
    body = error_body(code="idempotency_key_in_use")
    wire.post(f"{PAYMENTS}/pay_1/refund", json=body, status=409)
    with pytest.raises(IdempotencyError) as caught:
        refund(client)
    assert (caught.value.code, caught.value.outcome_unknown) == ("idempotency_key_in_use", True)
    assert [call.request.headers["Idempotency-Key"] for call in wire.calls] == ["refund-order-1001-1"]


@pytest.mark.parametrize("status", [500, 503, 408])
def test_n6_a_refund_that_may_have_been_made_is_not_repeated_before_the_payment_was_read(client, wire, clock, status):
    """The gateway frees the key of a request that failed, also of one that failed after its work."""
    wire.post(f"{PAYMENTS}/pay_1/refund", status=status)
    with pytest.raises(ApiError) as caught:
        refund(client)
    assert caught.value.outcome_unknown is True
    assert (len(wire.calls), clock.slept) == (1, [])


def test_a_page_shorter_than_asked_for_is_followed_by_the_next(client, wire, payment):
    page = {"object": "list", "url": "/v1/payments", "has_more": True, "data": [payment | {"id": "pay_2"}]}
    wire.get(PAYMENTS, json=page)
    wire.get(PAYMENTS, json=page | {"has_more": False, "data": [payment | {"id": "pay_1", "status": "expired"}]})
    listed = list(client.list_payments(created_from=1_600_000_000))
    assert [(entry.id, entry.status) for entry in listed] == [("pay_2", "pending"), ("pay_1", "expired")]
    assert wire.calls[1].request.params == {
        "limit": "100",
        "created[gte]": "1600000000",
        "starting_after": "pay_2",
    }
