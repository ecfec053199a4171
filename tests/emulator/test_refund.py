"""POST /v1/payments/{id}/refund: in full, at once, only once. Source: docs.flowlix.eu/guides/refunds"""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer


def _refund_path(payment: dict[str, Any]) -> str:
    return f"/v1/payments/{payment['id']}/refund"


def test_a_succeeded_payment_is_refunded_in_full(emulator: EmulatorServer, merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    emulator.advance(seconds=100)
    answer = merchant.post(_refund_path(paid))
    refunded = answer.json()
    assert answer.status_code == 200
    assert refunded == {**paid, "status": "refunded", "refunded_at": refunded["refunded_at"]}
    assert refunded["refunded_at"] - paid["created"] >= 100
    assert merchant.get(f"/v1/payments/{paid['id']}").json() == refunded


def test_u6_a_second_refund_is_422_already_refunded(merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    merchant.post(_refund_path(paid), key="refund-1")
    answer = merchant.post(_refund_path(paid), key="refund-2")
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert (error["type"], error["code"]) == ("invalid_request_error", "payment_already_refunded")


def test_u5_the_same_key_replays_the_refund(merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    first = merchant.post(_refund_path(paid), key="refund-1")
    second = merchant.post(_refund_path(paid), key="refund-1")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second.status_code == 200


def test_u8_a_pending_payment_cannot_be_refunded(merchant: Any) -> None:
    answer = merchant.post(_refund_path(merchant.created()))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] != "payment_already_refunded"


def test_u8_a_failed_payment_cannot_be_refunded(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    emulator.decline(payment["id"])
    assert merchant.post(_refund_path(payment)).status_code == 422
    assert emulator.payments()[0].status == "failed"


def test_u8_an_unknown_payment_is_404(merchant: Any) -> None:
    assert merchant.post("/v1/payments/pay_unknown/refund").status_code == 404


@pytest.mark.parametrize("body", [{"amount": 100}, {"reason": "mistake"}, []])
def test_u3_a_partial_refund_is_refused(merchant: Any, body: Any) -> None:
    paid = merchant.pay_directly().json()
    answer = (
        merchant.send("POST", _refund_path(paid), json=body)
        if body
        else merchant.send("POST", _refund_path(paid), data=b"[]", headers={"Content-Type": "application/json"})
    )
    assert answer.status_code == 400
    assert merchant.get(f"/v1/payments/{paid['id']}").json()["status"] == "succeeded"


def test_an_empty_object_is_no_body(merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    assert merchant.send("POST", _refund_path(paid), json={}).status_code == 200


def test_u7_a_refund_in_the_dashboard_is_seen_by_everyone(emulator: EmulatorServer, merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    emulator.refund(paid["id"])
    assert merchant.get(f"/v1/payments/{paid['id']}").json()["status"] == "refunded"
    assert merchant.post(_refund_path(paid)).json()["error"]["code"] == "payment_already_refunded"
