"""Contract `dev`: what is written, and what is read, against the published objects of docs.flowlix.dev."""

from __future__ import annotations

import pytest

from django_flowlix.api import (
    Card,
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
from tests.conftest import CUSTOMER

DEV = CONTRACTS["dev"]
PAN = "4111111111111111"
ID = "pay_8f14e45f-ceea-467f-a3dc-5c1a3e4b1c2d"

# As api-reference/payments/retrieve-a-payment and refund-a-payment describe them.
PAYMENT = {
    "id": ID,
    "object": "payment",
    "amount": 4999,
    "currency": "eur",
    "status": "succeeded",
    "description": "Two bags of coffee",
    "card": {"brand": "visa", "last4": "1111", "exp_month": 12, "exp_year": 2030, "country": "DE"},
    "customer": {"email": "ada@example.com", "name": "Ada Lovelace"},
    "metadata": {"order_reference": "1001"},
    "decline_code": None,
    "decline_message": None,
    "redirect_url": None,
    "next_action": None,
    "refunded_amount": 0,
    "refunds": [],
    "refunded_at": None,
    "succeeded_at": 1_700_000_050,
    "failed_at": None,
    "created": 1_700_000_000,
    "livemode": False,
}
REFUND = {
    "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "amount": 1500,
    "currency": "eur",
    "reason": "One bag came torn",
    "status": "pending",
    "decline_code": None,
    "decline_message": None,
    "created_at": 1_700_000_100,
    "updated_at": 1_700_000_100,
    "completed_at": None,
    "provider_refund_id": None,
}


def hosted(**changes):
    values = {"amount": Money(4999, "EUR"), "redirect_url": "https://shop.example/r"}
    return HostedPaymentRequest(**values | changes)


def refund(**changes):
    return RefundRequest(
        **{"payment_id": ID, "amount": Money(1500, "EUR"), "reason": "One bag came torn"} | changes,
    )


def read(**changes):
    return DEV.read_payment(PAYMENT | changes)


def read_refund(word="succeeded", **changes):
    """Return the one refund of a payment whose status is `word`."""
    (entry,) = read(status=word, refunds=[REFUND | changes]).refunds
    return entry


def test_what_the_contract_says_of_itself():
    assert (DEV.name, DEV.api_url, DEV.requests_per_minute) == ("dev", "https://api.flowlix.dev", 500)
    assert (DEV.partial_refunds, DEV.refund_window_days, DEV.max_refund_reason_length) == (True, 180, 50)
    assert DEV.max_metadata_entries == 50
    assert "flowlix.dev" in DEV.hosted_page_domains


@pytest.mark.parametrize(
    ("prefix", "livemode"),
    [("fl_live_sk_", True), ("fl_test_sk_", False), ("api_live_sk_", None), ("api_test_sk_", None), ("", None)],
)
def test_k1_k2_the_mode_follows_from_the_prefix(prefix, livemode):
    assert DEV.livemode_of(f"{prefix}1234567890123456") is livemode


# Writing


def test_a_hosted_body_holds_only_what_the_contract_knows():
    assert DEV.hosted_payment_body(hosted()) == {
        "amount": 4999,
        "currency": "eur",
        "redirect_url": "https://shop.example/r",
        "metadata": {},
    }
    assert DEV.hosted_payment_body(hosted(customer=CUSTOMER, description="Tea", metadata={"a": "b"})) == {
        "amount": 4999,
        "currency": "eur",
        "redirect_url": "https://shop.example/r",
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
        "description": "Tea",
        "metadata": {"a": "b"},
    }


def test_a_direct_body_holds_the_card_and_no_return_address():
    card = TestCard(number=PAN, exp_month=1, exp_year=2031, cvc="987", holder_name="Ada")
    assert DEV.direct_payment_body(DirectPaymentRequest(amount=Money(1, "GBP"), card=card)) == {
        "amount": 1,
        "currency": "gbp",
        "card": {"number": PAN, "exp_month": 1, "exp_year": 2031, "cvc": "987", "holder_name": "Ada"},
        "metadata": {},
    }


def test_a_whole_request_has_no_fault():
    metadata = {f"key_{n}": "x" * 500 for n in range(49)} | {"k" * 41: "a longer key is only advised against"}
    assert DEV.faults(hosted(customer=CUSTOMER, description="x" * 500, metadata=metadata)) == []


@pytest.mark.parametrize("currency", ["EUR", "USD", "GBP"])
def test_three_currencies_are_taken(currency):
    assert DEV.faults(hosted(amount=Money(1, currency))) == []


@pytest.mark.parametrize("currency", ["CHF", "JPY", "PLN"])
def test_any_other_currency_is_a_fault(currency):
    card = TestCard(number=PAN, exp_month=1, exp_year=2031, cvc="987", holder_name="Ada")
    for request in (hosted(amount=Money(1, currency)), DirectPaymentRequest(amount=Money(1, currency), card=card)):
        assert DEV.faults(request) == ["currency must be EUR, USD or GBP: contract dev takes no other"]


def test_a_customer_may_be_missing_but_not_in_part():
    assert DEV.faults(hosted(customer=None)) == []
    partly = type(CUSTOMER)(**CUSTOMER.as_dict() | {"city": "", "zip": ""})
    assert DEV.faults(hosted(customer=partly)) == ["customer.city is missing", "customer.zip is missing"]


def test_all_faults_are_named_at_once():
    metadata = {f"key_{n}": "x" for n in range(50)} | {"note": "x" * 501}
    faults = DEV.faults(
        hosted(amount=Money(0, "CHF"), redirect_url="/return", description="x" * 501, metadata=metadata)
    )
    assert [fault.split()[0] for fault in faults] == [
        "amount",
        "redirect_url",
        "description",
        "metadata",
        "metadata[note]",
        "currency",
    ]


def test_l4_identifiers_are_exempt_from_the_card_number_rule_by_name():
    assert DEV.faults(hosted(metadata={"order_reference": PAN, "idempotency_key": f"payment-order-{PAN}"})) == []
    assert len(DEV.faults(hosted(metadata={"note": PAN}))) == 1


# Refunds, written


def test_a_refund_says_how_much_and_why():
    assert DEV.refund_path(ID) == f"/v1/payments/{ID}/refund"
    assert DEV.refund_faults(refund()) == []
    assert DEV.refund_body(refund()) == {"amount": 1500, "reason": "One bag came torn"}


def test_the_faults_of_a_refund_are_named_at_once():
    assert DEV.refund_faults(refund(amount=Money(0, "EUR"), reason="x" * 51)) == [
        "amount must be at least 1 minor unit",
        "reason has 51 characters, at most 50 are allowed",
    ]
    assert DEV.refund_faults(refund(reason="")) == [
        "reason is missing: say in 1 to 50 characters why the money is returned"
    ]


# Reading


def test_a_paid_payment_is_read_in_full():
    payment = read()
    assert payment.id == ID
    assert (payment.amount_minor, payment.currency, payment.livemode) == (4999, "EUR", False)
    assert (payment.status, payment.gateway_status) == (GatewayStatus.SUCCEEDED, "succeeded")
    assert payment.card == Card(brand="visa", last4="1111", exp_month=12, exp_year=2030, country="DE")
    assert (payment.decline_code, payment.decline_message, payment.hosted_page_url) == ("", "", "")
    assert (payment.metadata, payment.created_at) == ({"order_reference": "1001"}, 1_700_000_000)
    assert (payment.refunds, payment.amount_refunded_minor) == ((), 0)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", GatewayStatus.PENDING),
        ("requires_action", GatewayStatus.REQUIRES_ACTION),
        ("succeeded", GatewayStatus.SUCCEEDED),
        ("failed", GatewayStatus.FAILED),
        ("canceled", GatewayStatus.CANCELED),
        ("expired", GatewayStatus.EXPIRED),
        ("refunded", GatewayStatus.SUCCEEDED),
    ],
)
def test_every_published_word_has_a_meaning(word, status):
    payment = read(status=word)
    assert (payment.status, payment.gateway_status) == (status, word)


@pytest.mark.parametrize("word", ["SUCCEEDED", "cancelled", "processing", "partially_refunded", "paid", " succeeded"])
def test_m7_a_word_the_contract_does_not_know_never_means_paid(word):
    assert (read(status=word).status, read(status=word).gateway_status) == (GatewayStatus.UNKNOWN, word)


def test_a_failed_payment_says_why():
    payment = read(status="failed", decline_code="do_not_honor", decline_message="The bank refused.")
    assert (payment.decline_code, payment.decline_message) == ("do_not_honor", "The bank refused.")


def test_a_card_may_be_incomplete_while_the_payment_is_pending():
    card = {"brand": None, "last4": "1111", "exp_month": None, "exp_year": None, "country": None}
    assert read(status="pending", card=card).card == Card(last4="1111")


@pytest.mark.parametrize("field", ["id", "amount", "currency", "status"])
@pytest.mark.parametrize("value", [None, "", 5.5, True, []])
def test_m5_m10_what_money_needs_is_required(field, value):
    with pytest.raises(MalformedObjectError, match=field):
        read(**{field: value})


def test_m10_redirect_url_is_the_hosted_page_in_an_answer_and_never_our_echo():
    page, ours = "https://pay.flowlix.dev/s/abc", "https://shop.example/r"
    answer = PAYMENT | {"hpp_url": "https://pay.flowlix.eu/", "next_action": {"redirect_url": "https://acs.example/"}}
    assert DEV.read_payment(answer).hosted_page_url == ""
    assert DEV.read_payment(answer | {"redirect_url": page}, sent_redirect_url=ours).hosted_page_url == page
    assert DEV.read_payment(answer | {"redirect_url": ours}, sent_redirect_url=ours).hosted_page_url == ""
    assert DEV.sent_redirect_url(DEV.hosted_payment_body(hosted())) == ours


def test_a_list_is_its_entries_and_whether_there_are_more():
    assert DEV.read_list({"object": "list", "data": [PAYMENT], "has_more": True}) == ([PAYMENT], True)


# Refunds, read


def test_a_refund_under_way_has_not_returned_anything():
    payment = read(refunds=[REFUND], refunded_amount=1500)
    assert payment.refunds == (
        GatewayRefund(
            id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
            amount_minor=1500,
            currency="EUR",
            status=GatewayRefundStatus.PENDING,
            gateway_status="pending",
            reason="One bag came torn",
            created_at=1_700_000_100,
        ),
    )
    assert (payment.status, payment.amount_refunded_minor) == (GatewayStatus.SUCCEEDED, 0)


def test_of_several_refunds_those_that_succeeded_are_summed():
    entries = [
        REFUND | {"id": "r1", "amount": 1000, "status": "succeeded"},
        REFUND | {"id": "r2", "amount": 200, "status": "failed"},
        REFUND | {"id": "r3", "amount": 30, "status": "succeeded"},
        REFUND | {"id": "r4", "amount": 4, "status": "pending"},
    ]
    payment = read(refunds=entries, refunded_amount=1034)
    assert [entry.id for entry in payment.refunds] == ["r1", "r2", "r3", "r4"]
    assert payment.amount_refunded_minor == 1030


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", GatewayRefundStatus.PENDING),
        ("processing", GatewayRefundStatus.PENDING),
        ("succeeded", GatewayRefundStatus.SUCCEEDED),
        ("failed", GatewayRefundStatus.FAILED),
        ("SUCCEEDED", GatewayRefundStatus.SUCCEEDED),
        ("completed", GatewayRefundStatus.UNKNOWN),
        ("canceled", GatewayRefundStatus.UNKNOWN),
    ],
)
def test_m7_a_word_nobody_knows_never_means_returned(word, status):
    entry = read_refund(status=word)
    assert (entry.status, entry.gateway_status) == (status, word)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", GatewayRefundStatus.SUCCEEDED),
        ("succeeded", GatewayRefundStatus.SUCCEEDED),
        ("completed", GatewayRefundStatus.SUCCEEDED),
        ("failed", GatewayRefundStatus.FAILED),
    ],
)
def test_a_payment_that_is_refunded_has_reached_its_total(word, status):
    entry = read_refund("refunded", status=word)
    assert (entry.status, entry.gateway_status) == (status, word)


def test_a_payment_may_be_refunded_by_a_second_try():
    entries = [REFUND | {"amount": 4999, "status": "failed"}, REFUND | {"amount": 4999, "status": "pending"}]
    payment = read(status="refunded", refunds=entries, refunded_at=1_700_000_200)
    assert (payment.status, payment.amount_refunded_minor) == (GatewayStatus.SUCCEEDED, 4999)


@pytest.mark.parametrize("word", ["succeeded", "refunded"])
@pytest.mark.parametrize("refunds", [None, "", {}, {"data": []}, 5, True])
def test_m8_refunds_that_cannot_be_read_are_unknown_and_not_none(refunds, word):
    payment = read(status=word, refunds=refunds, refunded_amount=4999)
    assert (payment.refunds, payment.status) == (None, GatewayStatus.SUCCEEDED)


def test_m8_an_object_without_refunds_does_not_tell():
    without = {name: value for name, value in PAYMENT.items() if name != "refunds"}
    assert DEV.read_payment(without).refunds is None


def test_a_payment_that_is_refunded_without_a_refund_contradicts_itself_and_does_not_tell():
    assert read(status="refunded", refunds=[]).refunds is None


@pytest.mark.parametrize("amount", [None, "1500", 15.0, True, -1, 2**63, []])
def test_m5_the_amount_of_a_refund_is_never_guessed(amount):
    with pytest.raises(MalformedObjectError, match="amount"):
        read(refunds=[REFUND | {"status": "succeeded"}, REFUND | {"amount": amount}])


@pytest.mark.parametrize("entry", [None, "01ARZ3", 5, []])
def test_m5_a_refund_that_is_no_object_is_refused(entry):
    with pytest.raises(MalformedObjectError, match="JSON object"):
        read(refunds=[REFUND, entry])


def test_m8_of_a_refund_the_amount_is_enough():
    payment = read(currency="usd", refunds=[{"amount": 7}])
    assert payment.refunds == (
        GatewayRefund(
            id="",
            amount_minor=7,
            currency="USD",
            status=GatewayRefundStatus.UNKNOWN,
            gateway_status="",
            created_at=None,
        ),
    )


@pytest.mark.parametrize("currency", [None, "", 5])
def test_m8_a_refund_without_a_currency_is_in_that_of_its_payment(currency):
    assert read_refund(currency=currency).currency == "EUR"
    assert read_refund(currency="usd").currency == "USD"


def test_a_refund_that_failed_says_why():
    entry = read_refund(status="failed", decline_code="expired_card", decline_message="The card has expired.")
    assert (entry.decline_code, entry.decline_message) == ("expired_card", "The card has expired.")


def test_l6_the_texts_of_a_refund_are_masked():
    entry = read_refund(reason=f"card {PAN}", decline_message=f"no {PAN}", decline_code=PAN, status=PAN)
    assert (entry.reason, entry.decline_message) == ("card ****1111", "no ****1111")
    assert (entry.decline_code, entry.gateway_status) == ("****1111", "****1111")
