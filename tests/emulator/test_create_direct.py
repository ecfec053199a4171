"""POST /v1/payments: the card is charged at once. Source: docs.flowlix.eu/guides/direct-api, api-reference/test-mode"""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer


@pytest.mark.parametrize(
    ("number", "brand", "last4"),
    [("4242424242424242", "visa", "4242"), ("5555555555554444", "mastercard", "4444")],
)
def test_the_published_cards_succeed(merchant: Any, number: str, brand: str, last4: str) -> None:
    answer = merchant.pay_directly(number)
    payment = answer.json()
    assert answer.status_code == 201
    assert payment["status"] == "succeeded"
    assert payment["card"] == {
        "brand": brand, "last4": last4, "exp_month": 12, "exp_year": 2090, "country": None,
    }  # fmt: skip
    assert payment["succeeded_at"] >= payment["created"]
    assert payment["redirect_url"] is None
    assert "hpp_url" not in payment


@pytest.mark.parametrize(
    ("number", "decline_code"),
    [
        ("4000000000000002", "generic_decline"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000069", "expired_card"),
        ("4000000000009987", "lost_card"),
        ("4000000000009979", "stolen_card"),
        ("4000000000006975", "card_velocity_exceeded"),
        ("4000000000001000", "do_not_honor"),
        ("4000000000002008", "issuer_declined"),
        ("4000000000003006", "cardholder_limit"),
        ("4000000000004004", "not_permitted"),
        ("4000000000005001", "suspect_fraud"),
        ("4000000000006009", "fraud_filter"),
        ("4111111111111111", "generic_decline"),  # a good number that nobody scripted
        ("4242424242424241", "invalid_number"),
    ],
)
def test_a_declined_card_is_402_with_its_code(merchant: Any, number: str, decline_code: str) -> None:
    answer = merchant.pay_directly(number)
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert (error["type"], error["decline_code"]) == ("card_error", decline_code)
    (payment,) = merchant.get("/v1/payments").json()["data"]
    assert (payment["status"], payment["decline_code"]) == ("failed", decline_code)
    assert payment["failed_at"] is not None


@pytest.mark.parametrize(("month", "status"), [(10, 402), (11, 201), (12, 201)])
def test_a_card_is_good_until_the_end_of_its_month(merchant: Any, month: int, status: int) -> None:
    body = merchant.direct_body()
    body["card"] = {**body["card"], "exp_month": month, "exp_year": 2023}
    with EmulatorServer(read_seconds=lambda: 1_701_388_799.0) as merchant.emulator:  # 2023-11-30 23:59:59 UTC
        answer = merchant.post("/v1/payments", body)
    assert answer.status_code == status
    assert answer.json().get("error", {}).get("decline_code") == ("expired_card" if status == 402 else None)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"number": "4242 4242 4242 4242"}, "card[number]"),
        ({"number": 4242424242424242}, "card[number]"),
        ({"exp_month": 0}, "card[exp_month]"),
        ({"exp_month": 13}, "card[exp_month]"),
        ({"exp_month": "12"}, "card[exp_month]"),
        ({"exp_year": 90}, "card[exp_year]"),
        ({"cvc": "12"}, "card[cvc]"),
        ({"cvc": "1234"}, "card[cvc]"),
        ({"cvc": 123}, "card[cvc]"),
        ({"holder_name": ""}, "card[holder_name]"),
        ({"holder_name": None}, "card[holder_name]"),
        ({"issuer": "x"}, "card[issuer]"),
        ({"number": "378282246310005"}, "card[cvc]"),  # American Express has four digits
    ],
)
def test_a_card_that_is_written_wrongly_is_400(merchant: Any, changes: dict[str, Any], param: str) -> None:
    body = merchant.direct_body()
    answer = merchant.post("/v1/payments", {**body, "card": {**body["card"], **changes}})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert merchant.emulator.payments() == []


def test_l3_neither_number_nor_code_is_kept(merchant: Any, control: Any) -> None:
    body = merchant.direct_body()
    merchant.post("/v1/payments", {**body, "card": {**body["card"], "cvc": "987"}})
    kept = control("GET", "/state").text + control("GET", "/log").text
    assert "4242424242424242" not in kept
    assert '"987"' not in kept
    assert '"last4":"4242"' in kept.replace(" ", "")
