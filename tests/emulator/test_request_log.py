"""The request log, the referee of other tests: complete, exact, and free of secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer

PAN = "4000000000009995"


def test_an_entry_says_what_arrived_and_what_was_answered(merchant: Any, control: Any) -> None:
    body = b'{"amount" : 1,\n "currency":"eur"}'
    headers = {"Content-Type": "application/json", "Idempotency-Key": "order-1", "Flowlix-Version": "2025-01-31"}
    answer = merchant.send("POST", "/v1/payments/hpp?x=1", data=body, headers=headers)
    (entry,) = control("GET", "/log").json()
    assert (entry["method"], entry["path"], entry["query"]) == ("POST", "/v1/payments/hpp", "x=1")
    assert entry["body"] == body.decode()
    assert entry["idempotency_key"] == "order-1"
    assert entry["headers"]["Flowlix-Version"] == "2025-01-31"
    assert entry["headers"]["Authorization"] == "Bearer fl_test_sk_...Key1"
    assert (entry["operation"], entry["status"]) == ("create_hosted", 400)
    assert entry["request_id"] == answer.headers["Flowlix-Request-Id"]


def test_entries_are_in_order_and_can_be_filtered_and_cleared(merchant: Any, control: Any) -> None:
    merchant.create()
    merchant.get("/v1/payments")
    merchant.create()
    operations = [entry["operation"] for entry in control("GET", "/log").json()]
    assert operations == ["create_hosted", "list", "create_hosted"]
    assert [entry["number"] for entry in control("GET", "/log?operation=create_hosted").json()] == [
        merchant.emulator.log()[0].number,
        merchant.emulator.log()[2].number,
    ]
    control("DELETE", "/log")
    assert control("GET", "/log").json() == []


def test_refused_requests_are_in_the_log_too(emulator: EmulatorServer, merchant: Any) -> None:
    requests.get(f"{emulator.url}/v1/payments", timeout=5)
    merchant.get("/v1/nowhere")
    assert [(entry.status, entry.operation) for entry in emulator.log()] == [(401, None), (404, None)]


def test_both_clocks_are_written_down(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.get("/v1/payments")
    emulator.advance(hours=1)
    merchant.get("/v1/payments")
    first, second = emulator.log()
    assert second.received_at - first.received_at >= 3600
    assert 0 <= second.monotonic_seconds - first.monotonic_seconds < 60


def test_the_hosted_page_is_logged_without_its_form(emulator: EmulatorServer, merchant: Any) -> None:
    page = merchant.created()["hpp_url"]
    requests.post(page, data={"number": PAN, "cvc": "987"}, timeout=5, allow_redirects=False)
    entry = emulator.log("hosted_page")[-1]
    assert (entry.method, entry.status, entry.body) == ("POST", 422, "")


@pytest.mark.parametrize(
    "spelling",
    [
        PAN,
        "4000 0000 0000 9995",
        "4000-0000-0000-9995",
        "4000.0000.0000.9995",
        "4000\u00a00000\u00a00000\u00a09995",
        "4000 - 0000 - 0000 - 9995",
        "".join(chr(0xFF10 + int(digit)) for digit in PAN),
        f"card {PAN} 123",
        f"1111 {PAN}",
        f"x{PAN}y",
        "5555555555554444",
        "2221000000000009",
        "378282246310005",
        "36227206271667",
    ],
)
def test_l3_card_numbers_are_accepted_in_metadata_and_never_logged(
    emulator: EmulatorServer, merchant: Any, spelling: str
) -> None:
    assert merchant.create(metadata={"note": spelling}, description=spelling).status_code == 201
    entry = emulator.log()[-1]
    written = json.loads(entry.body)
    for text in (written["metadata"]["note"], written["description"]):
        assert spelling not in text
        assert "***" in text
    assert json.dumps(spelling)[1:-1] not in entry.body


def test_l3_wide_digits_are_found_in_unescaped_json_too(emulator: EmulatorServer, merchant: Any) -> None:
    wide = "".join(chr(0xFF10 + int(digit)) for digit in PAN)
    body = json.dumps(merchant.hosted_body(description=wide), ensure_ascii=False).encode()
    merchant.send("POST", "/v1/payments/hpp", data=body, headers={"Content-Type": "application/json"})
    assert json.loads(emulator.log()[-1].body)["description"] == "***9995"


def test_l3_a_card_number_in_the_address_is_not_logged(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.get(f"/v1/payments/{PAN}?status={PAN}", headers={"Referer": f"https://shop.example/{PAN}"})
    assert PAN not in json.dumps(emulator.log()[-1].as_dict())


@pytest.mark.parametrize(
    "text",
    ["1763800000000", "4000000000009994", "order 20251122000123", "0049 30 90182012345", "pay_4242", "1042"],
)
def test_l4_other_numbers_stay_as_they_are(emulator: EmulatorServer, merchant: Any, text: str) -> None:
    merchant.create(metadata={"note": text})
    assert json.loads(emulator.log()[-1].body)["metadata"]["note"] == text


def test_l3_the_card_of_a_direct_payment_is_not_logged(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.pay_directly("4242424242424241")
    body = emulator.log()[-1].body
    assert json.loads(body)["card"]["number"] == json.loads(body)["card"]["cvc"] == "***"


def test_l5_a_line_break_in_the_address_stays_encoded(
    emulator: EmulatorServer, merchant: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="django_flowlix.emulator")
    merchant.get("/v1/payments/a%0D%0AFORGED")
    assert emulator.log()[-1].path == "/v1/payments/a%0D%0AFORGED"
    assert [line for line in caplog.text.splitlines() if line.startswith("FORGED")] == []
