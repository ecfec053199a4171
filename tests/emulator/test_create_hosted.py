"""POST /v1/payments/hpp. Source: docs.flowlix.eu/guides/hosted-payment-page, api-reference/create-an-hpp-payment"""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer

PAYMENT_KEYS = {
    "id", "object", "amount", "currency", "status", "description", "card", "customer", "metadata", "decline_code",
    "decline_message", "redirect_url", "refunded_at", "succeeded_at", "failed_at", "created", "livemode",
}  # fmt: skip
CUSTOMER_FIELDS = ["email", "first_name", "last_name", "country", "phone", "address", "city", "zip"]


def test_the_answer_is_a_pending_payment(merchant: Any) -> None:
    answer = merchant.create(description="Two bags of coffee", metadata={"order": "1001"})
    payment = answer.json()
    assert answer.status_code == 201
    assert set(payment) == PAYMENT_KEYS | {"hpp_url"}
    assert re.fullmatch(r"pay_[a-zA-Z0-9-]+", payment["id"])
    assert payment["object"] == "payment"
    assert (payment["amount"], payment["currency"], payment["status"]) == (4999, "eur", "pending")
    assert payment["description"] == "Two bags of coffee"
    assert payment["metadata"] == {"order": "1001"}
    assert payment["customer"] == {"email": "ada@example.com", "name": "Ada Lovelace"}
    empty = ("card", "decline_code", "decline_message", "refunded_at", "succeeded_at", "failed_at")
    assert [payment[name] for name in empty] == [None] * 6


def test_created_is_the_emulators_time_in_unix_seconds(emulator: EmulatorServer, merchant: Any) -> None:
    before = merchant.created()["created"]
    emulator.advance(hours=25)
    assert 25 * 3600 <= merchant.created()["created"] - before < 25 * 3600 + 60


def test_both_fields_lead_to_the_page_unless_told_otherwise(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    page = f"{emulator.url}/hpp/{payment['id']}"
    assert (payment["hpp_url"], payment["redirect_url"]) == (page, page)


def test_with_hpp_url_alone_redirect_url_is_the_merchants_own(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.show_page_url_as("hpp_url")
    payment = merchant.created(redirect_url="https://shop.example/back")
    assert payment["hpp_url"] == f"{emulator.url}/hpp/{payment['id']}"
    assert payment["redirect_url"] == "https://shop.example/back"


def test_with_redirect_url_alone_there_is_no_hpp_url(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.show_page_url_as("redirect_url")
    payment = merchant.created()
    assert "hpp_url" not in payment
    assert payment["redirect_url"] == f"{emulator.url}/hpp/{payment['id']}"


@pytest.mark.parametrize("name", ["amount", "currency", "redirect_url", "customer"])
@pytest.mark.parametrize("null", [True, False])
def test_a_missing_parameter_is_named(merchant: Any, name: str, null: bool) -> None:
    body = merchant.hosted_body(**{name: None})
    if not null:
        del body[name]
    error = _refused(merchant, body)
    assert (error["code"], error["param"]) == ("parameter_missing", name)


@pytest.mark.parametrize("name", CUSTOMER_FIELDS)
def test_every_customer_field_is_required(merchant: Any, name: str) -> None:
    customer = merchant.hosted_body()["customer"]
    error = _refused(merchant, merchant.hosted_body(customer={k: v for k, v in customer.items() if k != name}))
    assert (error["code"], error["param"]) == ("parameter_missing", f"customer[{name}]")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 49.99}, "amount"),
        ({"amount": 4999.0}, "amount"),
        ({"amount": "4999"}, "amount"),
        ({"amount": 2**63}, "amount"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "euro"}, "currency"),
        ({"currency": "eu1"}, "currency"),
        ({"currency": "eur\n"}, "currency"),
        ({"currency": 978}, "currency"),
        ({"redirect_url": "/return"}, "redirect_url"),
        ({"redirect_url": "//shop.example/return"}, "redirect_url"),
        ({"redirect_url": "javascript:alert(1)"}, "redirect_url"),
        ({"redirect_url": "https://"}, "redirect_url"),
        ({"redirect_url": "https://[broken"}, "redirect_url"),
        ({"redirect_url": "https://shop.example/a b"}, "redirect_url"),
        ({"redirect_url": ["https://shop.example"]}, "redirect_url"),
        ({"customer": "Ada"}, "customer"),
        ({"description": "x" * 501}, "description"),
        ({"description": 5}, "description"),
        ({"metadata": ["a"]}, "metadata"),
        ({"metadata": {str(n): "x" for n in range(51)}}, "metadata"),
        ({"metadata": {"order": 1001}}, "metadata[order]"),
        ({"metadata": {"order": None}}, "metadata[order]"),
    ],
)
def test_m5_a_value_that_does_not_fit_is_named(merchant: Any, changes: dict[str, Any], param: str) -> None:
    error = _refused(merchant, merchant.hosted_body(**changes))
    assert (error["type"], error["code"]) == ("invalid_request_error", "parameter_invalid")
    assert error["param"] == param


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "ada"),
        ("email", ""),
        ("first_name", "  "),
        ("country", "de"),
        ("country", "DEU"),
        ("phone", "by post"),
        ("zip", 10117),
    ],
)
def test_a_customer_field_that_does_not_fit_is_named(merchant: Any, name: str, value: Any) -> None:
    customer = {**merchant.hosted_body()["customer"], name: value}
    assert _refused(merchant, merchant.hosted_body(customer=customer))["param"] == f"customer[{name}]"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"callback_url": "https://shop.example/hook"}, "callback_url"),
        ({"card": {"number": "4242424242424242"}}, "card"),
        ({"Amount": 1}, "Amount"),
    ],
)
def test_an_unknown_parameter_is_refused(merchant: Any, changes: dict[str, Any], param: str) -> None:
    error = _refused(merchant, merchant.hosted_body(**changes))
    assert (error["code"], error["param"]) == ("parameter_unknown", param)


def test_the_limits_themselves_are_accepted(merchant: Any) -> None:
    metadata = {str(n): "x" for n in range(50)}
    payment = merchant.created(amount=1, description="x" * 500, metadata=metadata)
    assert (payment["amount"], len(payment["description"]), len(payment["metadata"])) == (1, 500, 50)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"amount=4999",
        b"\xff\xfe",
        b'{"amount": NaN}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' + b"9" * 5000,
    ],
)
def test_m4_a_body_that_is_not_json_is_400(merchant: Any, body: bytes) -> None:
    answer = merchant.send("POST", "/v1/payments/hpp", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1"])
def test_m2_json_that_is_not_an_object_is_400(merchant: Any, body: bytes) -> None:
    answer = merchant.send("POST", "/v1/payments/hpp", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] is None


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_400(merchant: Any, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = merchant.send("POST", "/v1/payments/hpp", data=b'{"amount": 1}', headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "Content-Type"


def test_a_charset_may_be_named(merchant: Any) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = merchant.post("/v1/payments/hpp", merchant.hosted_body(), headers=headers)
    assert answer.status_code == 201


def _refused(merchant: Any, body: Any) -> Any:
    answer = merchant.post("/v1/payments/hpp", body)
    assert answer.status_code == 400
    assert merchant.emulator.payments() == []
    return answer.json()["error"]
