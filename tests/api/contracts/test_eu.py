"""Contract `eu`: what is written, and what is read, against the published objects of docs.flowlix.eu."""

from __future__ import annotations

import pytest

from django_flowlix.api import (
    Card,
    Customer,
    DirectPaymentRequest,
    GatewayRefund,
    GatewayRefundStatus,
    GatewayStatus,
    HostedPaymentRequest,
    Money,
    RefundRequest,
    TestCard,
)
from django_flowlix.api.contracts import CONTRACTS, MalformedObjectError
from django_flowlix.api.secret import Secret

EU = CONTRACTS["eu"]
PEOPLE = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "country": "DE",
    "phone": "+49 30 901820",
    "address": "Unter den Linden 1",
    "city": "Berlin",
    "zip": "10117",
}
WRITTEN = PEOPLE | {"phone": "+4930901820"}  # international numbers go out without punctuation


def hosted(**changes):
    values = {"amount": Money(4999, "EUR"), "redirect_url": "https://shop.example/r", "customer": Customer(**PEOPLE)}
    return HostedPaymentRequest(**values | changes)


def test_what_the_contract_says_of_itself():
    assert (EU.name, EU.api_url, EU.requests_per_minute) == ("eu", "https://api.flowlix.eu", 100)
    assert (EU.partial_refunds, EU.max_metadata_entries) == (False, 50)
    assert (EU.refund_window_days, EU.max_refund_reason_length) == (None, None)


@pytest.mark.parametrize(
    ("prefix", "livemode"),
    [("fl_live_sk_", True), ("fl_test_sk_", False), ("api_live_sk_", None), ("FL_LIVE_SK_", None), ("", None)],
)
def test_k1_k2_the_mode_follows_from_the_prefix(prefix, livemode):
    assert EU.livemode_of(f"{prefix}1234567890123456") is livemode
    assert EU.livemode_of(Secret(f"{prefix}1234567890123456")) is livemode


# Writing


def test_a_hosted_body_holds_only_what_the_contract_knows():
    assert EU.hosted_payment_body(hosted()) == {
        "amount": 4999,
        "currency": "eur",
        "customer": WRITTEN,
        "redirect_url": "https://shop.example/r",
        "metadata": {},
    }
    assert EU.hosted_payment_body(hosted(description="Tea", metadata={"a": "b"})) == {
        "amount": 4999,
        "currency": "eur",
        "customer": WRITTEN,
        "redirect_url": "https://shop.example/r",
        "metadata": {"a": "b"},
        "description": "Tea",
    }


@pytest.mark.parametrize(
    ("money", "amount", "currency"),
    [(Money(500, "JPY"), 500, "jpy"), (Money(1234, "KWD"), 1234, "kwd"), (Money(2**63 - 1, "USD"), 2**63 - 1, "usd")],
)
def test_s10_the_amount_goes_out_in_minor_units_whatever_the_exponent(money, amount, currency):
    body = EU.hosted_payment_body(hosted(amount=money))
    assert (body["amount"], body["currency"]) == (amount, currency)


def test_a_direct_body_holds_the_card_and_no_return_address():
    card = TestCard(number="4242424242424242", exp_month=1, exp_year=2031, cvc="987", holder_name="Ada")
    body = EU.direct_payment_body(DirectPaymentRequest(amount=Money(1, "EUR"), card=card, customer=Customer(**PEOPLE)))
    assert body["card"] == {
        "number": "4242424242424242",
        "exp_month": 1,
        "exp_year": 2031,
        "cvc": "987",
        "holder_name": "Ada",
    }
    assert "redirect_url" not in body


def test_a_refund_is_in_full_and_has_no_body():
    refund = RefundRequest(payment_id="pay_1", amount=Money(4999, "EUR"), reason="Too late" * 50)
    assert EU.refund_faults(refund) == []
    assert EU.refund_body(refund) is None
    assert EU.refund_path("pay_1") == "/v1/payments/pay_1/refund"


def test_a_refund_of_nothing_is_a_fault():
    refund = RefundRequest(payment_id="pay_1", amount=Money(0, "EUR"))
    assert EU.refund_faults(refund) == ["amount must be at least 1 minor unit"]


def test_a_whole_request_has_no_fault():
    metadata = {f"key_{n}": "x" for n in range(50)}
    assert EU.faults(hosted(description="x" * 500, metadata=metadata)) == []


def test_the_customer_is_required_and_metadata_is_limited():
    faults = EU.faults(hosted(customer=None, metadata={f"key_{n}": "x" for n in range(51)}))
    assert [fault.split()[0] for fault in faults] == ["customer", "metadata"]
    assert "at most 50" in faults[1]


def test_l4_identifiers_are_exempt_from_the_card_number_rule_by_name():
    number = "4242424242424242"
    assert EU.faults(hosted(metadata={"order_reference": number, "idempotency_key": f"payment-order-{number}"})) == []
    assert len(EU.faults(hosted(metadata={"note": number}))) == 1


# Reading


def test_a_pending_hosted_payment_is_read_in_full(payment):
    read = EU.read_payment(payment)
    assert read.id == "pay_8f14e45f-ceea"
    assert (read.amount_minor, read.currency, read.livemode) == (4999, "EUR", False)
    assert (read.status, read.gateway_status) == (GatewayStatus.PENDING, "pending")
    assert read.hosted_page_url == "https://pay.flowlix.eu/s/abc"
    assert (read.card, read.decline_code, read.decline_message) == (None, "", "")
    assert (read.refunds, read.amount_refunded_minor) == ((), 0)
    assert read.metadata == {"order_reference": "1001"}
    assert read.created_at == 1_700_000_000


def test_a_paid_payment_has_a_card(payment):
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "country": "DE"}
    read = EU.read_payment(payment | {"status": "succeeded", "card": card})
    assert read.status is GatewayStatus.SUCCEEDED
    assert read.card == Card(brand="visa", last4="4242", exp_month=12, exp_year=2030, country="DE")


def test_a_failed_payment_says_why(payment):
    fields = {"status": "failed", "decline_code": "insufficient_funds", "decline_message": "Not enough funds."}
    read = EU.read_payment(payment | fields)
    assert read.status is GatewayStatus.FAILED
    assert (read.decline_code, read.decline_message) == ("insufficient_funds", "Not enough funds.")


def test_refunded_means_succeeded_and_returned_in_full(payment):
    read = EU.read_payment(payment | {"status": "refunded", "refunded_at": 1_700_000_100})
    assert (read.status, read.gateway_status) == (GatewayStatus.SUCCEEDED, "refunded")
    assert read.amount_refunded_minor == 4999
    assert read.refunds == (
        GatewayRefund(
            id="",
            amount_minor=4999,
            currency="EUR",
            status=GatewayRefundStatus.SUCCEEDED,
            gateway_status="refunded",
            created_at=1_700_000_100,
        ),
    )


@pytest.mark.parametrize(
    "word", ["SUCCEEDED", "Succeeded", " succeeded", "succeeded\n", "paid", "requires_action", "canceled", "unknown"]
)
def test_m7_a_word_the_contract_does_not_know_never_means_paid(word, payment):
    read = EU.read_payment(payment | {"status": word})
    assert read.status is GatewayStatus.UNKNOWN
    assert read.gateway_status == word.replace("\n", "\\n")


@pytest.mark.parametrize("field", ["id", "amount", "currency", "status"])
@pytest.mark.parametrize("value", [None, "", 5.5, True, [], {}, "missing"])
def test_m5_m10_what_money_needs_is_required(field, value, payment):
    changed = {name: entry for name, entry in payment.items() if name != field}
    if value != "missing":
        changed[field] = value
    with pytest.raises(MalformedObjectError, match=field):
        EU.read_payment(changed)


@pytest.mark.parametrize("data", [None, [], "pay_1", 5, True])
def test_m2_what_is_no_object_is_refused(data):
    with pytest.raises(MalformedObjectError, match="JSON object"):
        EU.read_payment(data)


def test_m8_extra_fields_are_ignored_and_missing_ones_are_empty():
    read = EU.read_payment({"id": "1", "amount": 1, "currency": "usd", "status": "pending", "next_action": {"a": 1}})
    assert (read.livemode, read.card, read.hosted_page_url, read.created_at) == (None, None, "", None)
    assert (read.metadata, read.decline_code, read.decline_message) == ({}, "", "")


@pytest.mark.parametrize(("value", "livemode"), [(True, True), (False, False), (None, None), ("true", None), (1, None)])
def test_k3_the_mode_is_never_guessed(value, livemode, payment):
    assert EU.read_payment(payment | {"livemode": value}).livemode is livemode


def test_the_return_address_is_found_in_a_body():
    assert EU.sent_redirect_url({"redirect_url": "https://shop.example/r"}) == "https://shop.example/r"
    assert EU.sent_redirect_url({}) == ""


def test_a_list_is_its_entries_and_whether_there_are_more(payment):
    assert EU.read_list({"object": "list", "data": [payment], "has_more": True}) == ([payment], True)
    assert EU.read_list({"data": [], "has_more": False}) == ([], False)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"data": []}, {"has_more": False}, {"data": [], "has_more": None}, {"data": [], "has_more": 0},
     {"data": {}, "has_more": False}, {"data": "x", "has_more": False}, {"data": [None], "has_more": False}],
    ids=repr,
)  # fmt: skip
def test_m2_a_list_of_another_form_is_refused(data):
    with pytest.raises(MalformedObjectError):
        EU.read_list(data)
