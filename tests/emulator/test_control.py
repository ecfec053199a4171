"""The control API, and the same controls as Python calls."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer


def test_the_index_names_every_address(emulator: EmulatorServer, control: Any) -> None:
    assert control("GET", "/").json()["contract"] == "eu"
    named = {
        address.split(" ")[1].replace("<id>", "<payment_id>") for address in control("GET", "/").json()["addresses"]
    }
    served = {rule.rule for rule in _rules(emulator) if rule.rule.startswith("/_emulator/")}
    assert named | {"/_emulator/"} == served


def _rules(emulator: EmulatorServer) -> Any:
    from django_flowlix.emulator.app import create_app

    return create_app(emulator.state).url_map.iter_rules()


def test_reset_forgets_everything(emulator: EmulatorServer, merchant: Any, control: Any) -> None:
    merchant.create(key="order-1")
    control("POST", "/faults", {"operation": "list", "kind": "drop_after"})
    control("POST", "/rate-limit", {"requests_per_minute": 3})
    control("POST", "/page-url", {"field": "hpp_url"})
    control("POST", "/keys/revoke", {"key": merchant.key})
    control("POST", "/clock", {"advance_seconds": 100})
    assert control("POST", "/reset").status_code == 200
    state = control("GET", "/state").json()
    assert {name: state[name] for name in ("payments", "idempotency_keys", "faults", "revoked_keys")} == {
        "payments": [], "idempotency_keys": [], "faults": [], "revoked_keys": [],
    }  # fmt: skip
    assert (state["advanced_seconds"], state["requests_per_minute"], state["page_url_field"]) == (0, 100, "both")
    assert control("GET", "/log").json() == []
    assert merchant.get("/v1/payments").headers["X-RateLimit-Remaining"] == "99"


def test_the_dump_shows_payments_and_keys_in_use(merchant: Any, control: Any) -> None:
    payment = merchant.create(key="order-1").json()
    state = control("GET", "/state").json()
    assert state["payments"][0]["id"] == payment["id"]
    (slot,) = state["idempotency_keys"]
    assert (slot["key"], slot["status"], slot["api_key"]) == ("order-1", 201, "fl_test_sk_...Key1")
    assert merchant.key not in control("GET", "/state").text


@pytest.mark.parametrize(
    ("body", "status", "decline_code"),
    [
        ({"outcome": "success"}, "succeeded", None),
        ({"outcome": "success", "card": "4000000000009995"}, "failed", "insufficient_funds"),
        ({"outcome": "decline"}, "failed", "generic_decline"),
        ({"outcome": "decline", "decline_code": "stolen_card"}, "failed", "stolen_card"),
        ({"outcome": "cancel"}, "failed", None),
    ],
)
def test_s1_a_payment_can_be_finished_without_a_browser(
    merchant: Any, control: Any, body: dict[str, str], status: str, decline_code: str | None
) -> None:
    path = f"/payments/{merchant.created()['id']}/finish"
    finished = control("POST", path, body).json()
    assert (finished["status"], finished["decline_code"]) == (status, decline_code)
    assert merchant.get(f"/v1/payments/{finished['id']}").json() == finished
    assert control("POST", path, {"outcome": "success"}).status_code == 400


def test_a_finished_payment_can_be_refunded_by_hand(merchant: Any, control: Any) -> None:
    path = f"/payments/{merchant.created()['id']}/finish"
    assert control("POST", path, {"outcome": "refund"}).status_code == 400
    control("POST", path, {"outcome": "success"})
    assert control("POST", path, {"outcome": "refund"}).json()["status"] == "refunded"


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/clock", {"advance_seconds": -1}, "forward"),
        ("/clock", {"advance_seconds": "1 h"}, "number of seconds"),
        ("/clock", {"advance_seconds": True}, "number of seconds"),
        ("/clock", {"seconds": 1}, "advance_seconds"),
        ("/clock", {}, "advance_seconds"),
        ("/rate-limit", {"requests_per_minute": 0}, "at least 1"),
        ("/rate-limit", {"requests_per_minute": 1.5}, "whole number"),
        ("/page-url", {"field": "url"}, "redirect_url"),
        ("/keys/revoke", {"key": ""}, "key"),
        ("/keys/revoke", {}, "key"),
        ("/payments/pay_unknown/finish", {"outcome": "success"}, "pay_unknown"),
        ("/payments/pay_unknown/finish", {"outcome": "chargeback"}, "cancel"),
        ("/payments/pay_unknown/finish", {"outcome": "success", "card": "4242 4242"}, "digits"),
        ("/payments/pay_unknown/finish", {"outcome": "success", "amount": 1}, "outcome"),
    ],
)
def test_input_that_makes_no_sense_is_400_with_the_remedy(control: Any, path: str, body: Any, named: str) -> None:
    answer = control("POST", path, body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


def test_a_queue_of_faults_can_be_seen_and_cleared(merchant: Any, control: Any) -> None:
    queued = control("POST", "/faults", {"operation": "list", "kind": "status_before", "status": 503, "times": 2})
    assert queued.status_code == 201
    assert queued.json() == {
        "operation": "list", "kind": "status_before", "times": 2, "delay_seconds": 0, "status": 503,
    }  # fmt: skip
    assert control("GET", "/faults").json() == [queued.json()]
    control("DELETE", "/faults")
    assert merchant.get("/v1/payments").status_code == 200


def test_the_controls_are_python_calls_too(emulator: EmulatorServer, merchant: Any) -> None:
    ids = [merchant.created()["id"] for _ in range(4)]
    emulator.pay(ids[0])
    emulator.decline(ids[1], "lost_card")
    emulator.cancel(ids[2])
    emulator.pay(ids[3], card="5555555555554444")
    emulator.refund(ids[3])
    assert [payment.status for payment in emulator.payments()] == ["succeeded", "failed", "failed", "refunded"]
    assert [payment.decline_code for payment in emulator.payments()] == [None, "lost_card", None, None]


def test_python_calls_refuse_what_makes_no_sense(emulator: EmulatorServer) -> None:
    with pytest.raises(ValueError, match="drop_after"):
        emulator.fault("list", "explode")
    with pytest.raises(ValueError, match="no payment"):
        emulator.pay("pay_unknown")
    with pytest.raises(ValueError, match="redirect_url"):
        emulator.show_page_url_as("page")


def test_a_web_page_cannot_control_the_emulator(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.created()
    answer = requests.post(f"{emulator.url}/_emulator/reset", headers={"Origin": "https://evil.example"}, timeout=5)
    assert answer.status_code == 403
    assert len(emulator.payments()) == 1
