"""What FlowlixClient refuses before anything is sent, and that it says so without quoting a secret."""

from __future__ import annotations

import pytest

from django_flowlix.api import (
    FlowlixClient,
    HostedPaymentRequest,
    Money,
    RequestInvalidError,
)
from tests.api.conftest import API, HOSTED, PAYMENTS


def test_all_faults_are_named_at_once_and_nothing_is_sent(client):
    request = HostedPaymentRequest(amount=Money(0, "EUR"), redirect_url="/return", description="x" * 501)
    with pytest.raises(RequestInvalidError) as caught:
        client.prepare(request)
    assert len(caught.value.faults) == 4
    for word in ("amount", "redirect_url", "customer", "description"):
        assert any(fault.startswith(word) for fault in caught.value.faults)
        assert word in str(caught.value)
    assert caught.value.outcome_unknown is False


@pytest.mark.parametrize("key", ["", " ", "a b", " a", "a\r\nX-Evil: 1", "ä", "a\x00", "x" * 256, "\t"])
def test_i15_a_key_that_no_header_may_hold_is_refused(key, client):
    with pytest.raises(ValueError, match="idempotency key"):
        client.create_hosted_payment(body=client.prepare(HOSTED), idempotency_key=key)
    with pytest.raises(ValueError, match="idempotency key"):
        client.refund_payment(payment_id="pay_1", body="", idempotency_key=key)


def test_i15_a_key_of_255_characters_is_sent(client, wire, payment):
    wire.post(f"{PAYMENTS}/pay_1/refund", json=payment)
    client.refund_payment(payment_id="pay_1", body="", idempotency_key="~" * 255)
    assert wire.calls[0].request.headers["Idempotency-Key"] == "~" * 255


@pytest.mark.parametrize("payment_id", ["", "..", "a/b", "a?b", "a#b", "a b", "%2e", "ü", "pay_1\n", "../refund"])
def test_m9_an_id_that_would_change_the_address_is_refused(payment_id, client):
    with pytest.raises(ValueError, match="payment id"):
        client.retrieve_payment(payment_id=payment_id)
    with pytest.raises(ValueError, match="payment id"):
        client.refund_payment(payment_id=payment_id, body="", idempotency_key="k")


@pytest.mark.parametrize("body", ["", "null", "[]", '"x"', "{", "NaN"])
def test_a_body_that_prepare_did_not_make_is_refused(body, client):
    with pytest.raises(ValueError, match="prepare"):
        client.create_hosted_payment(body=body, idempotency_key="k")


def test_a_refund_of_a_part_is_not_sent_where_all_would_be_returned(client):
    with pytest.raises(ValueError, match="prepare_refund"):
        client.refund_payment(payment_id="pay_1", body='{"amount":100}', idempotency_key="k")


@pytest.mark.parametrize(
    "address",
    ["http://api.flowlix.eu", "http://10.0.0.1:8900", "http://localhost.evil.example", "http://0.0.0.0:1"],
)
def test_m17_plain_http_is_refused_unless_it_stays_on_this_machine(address, make_client):
    with pytest.raises(ValueError, match="must be https"):
        make_client(api_url=address)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8900", "http://localhost:8900", "http://[::1]:8900"])
def test_m17_plain_http_on_this_machine_is_for_test_keys(address, make_client, live_key):
    assert make_client(api_url=address).livemode is False
    with pytest.raises(ValueError, match="must be https"):
        make_client(live_key, api_url=address)


@pytest.mark.parametrize(
    "address",
    ["api.flowlix.eu", "//api.flowlix.eu", "ftp://api.flowlix.eu", "https://", "https:///v1", "https://a.example?x=1",
     "https://a.example#x", "https://joe:hunter2@a.example", "https://[::1"],
)  # fmt: skip
def test_m17_an_address_that_cannot_be_used_is_refused_without_being_quoted(address, make_client):
    with pytest.raises(ValueError) as caught:
        make_client(api_url=address)
    assert "hunter2" not in str(caught.value)


def test_the_mode_follows_from_the_key(make_client, live_key):
    assert make_client(live_key).livemode is True
    assert make_client().livemode is False
    assert make_client().api_url == API


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sk_test_x",
        "fl_tset_sk_12345",
        "api_test_sk_1234567890123456",
        " fl_test_sk_1234567890",
        "Bearer fl_test_sk_1",
    ],
)
def test_k2_a_key_of_another_contract_is_refused_without_being_quoted(key, make_client):
    with pytest.raises(ValueError, match="begins with fl_test_sk_ or fl_live_sk_") as caught:
        make_client(key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("end", ["\n", " ", "ü", "\r\nX: 1", "\x00"])
def test_k4_a_key_with_a_character_that_no_key_has_is_refused(end, make_client, test_key):
    with pytest.raises(ValueError, match="copy it again") as caught:
        make_client(test_key + end)
    assert test_key not in str(caught.value)


@pytest.mark.parametrize(
    "version", ["latest", "2026-1-1", "2026-01-31\r\nX: 1", "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0663\u0661"]
)
def test_a_version_that_is_none_is_refused(version, make_client):
    with pytest.raises(ValueError, match="2026-01-31"):
        make_client(api_version=version)


def test_an_unknown_contract_is_refused_with_those_there_are(make_client):
    with pytest.raises(ValueError, match="unknown contract 'us': write one of eu"):
        make_client(contract="us")


def test_tls_verification_has_no_off_switch(test_key):
    with pytest.raises(TypeError):
        FlowlixClient(test_key, verify=False)
    assert FlowlixClient(test_key, ca_bundle=False)._transport._verify is True
