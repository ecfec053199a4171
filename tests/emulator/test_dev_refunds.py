"""POST /v1/payments/{id}/refund of contract dev: partial, pending at first. Source: docs.flowlix.dev/guides/refunds"""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer

NOW = 1_700_000_000
DAY_SECONDS = 24 * 60 * 60


def _statuses(payment: dict[str, Any]) -> list[str]:
    return [entry["status"] for entry in payment["refunds"]]


def test_a_full_refund_is_pending_and_counted_at_once(dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    before = dev_merchant.read(payment_id)
    answer = dev_merchant.refund(payment_id)
    payment = answer.json()
    assert answer.status_code == 201
    # The example of the reference: still succeeded, refunded_at null, refunded_amount already full.
    assert (payment["status"], payment["refunded_at"], payment["refunded_amount"]) == ("succeeded", None, 4999)
    (entry,) = payment["refunds"]
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", entry.pop("id"))
    assert entry == {
        "amount": 4999,
        "currency": "eur",
        "reason": "two cups broken",
        "status": "pending",
        "decline_code": None,
        "decline_message": None,
        "created_at": NOW,
        "updated_at": NOW,
        "completed_at": None,
        "provider_refund_id": None,
    }
    assert {**payment, "refunded_amount": 0, "refunds": []} == before


def test_it_succeeds_by_itself_after_three_seconds(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    dev_merchant.refunded(payment_id)
    dev.advance(seconds=2.9)
    assert dev_merchant.read(payment_id)["status"] == "succeeded"
    dev.advance(seconds=60)
    payment = dev_merchant.read(payment_id)
    assert (payment["status"], payment["refunded_at"], payment["refunded_amount"]) == ("refunded", NOW + 3, 4999)
    (entry,) = payment["refunds"]
    assert (entry["status"], entry["updated_at"], entry["completed_at"]) == ("succeeded", NOW + 3, NOW + 3)
    assert entry["provider_refund_id"]
    assert dev_merchant.get("/v1/payments").json()["data"] == [payment]


def test_partial_refunds_add_up_to_the_whole(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid(1000)
    dev_merchant.refunded(payment_id, amount=300)
    dev.advance(seconds=3)
    payment = dev_merchant.read(payment_id)
    assert (payment["status"], payment["refunded_at"], payment["refunded_amount"]) == ("succeeded", None, 300)
    payment = dev_merchant.refunded(payment_id, amount=200)
    assert (payment["refunded_amount"], _statuses(payment)) == (500, ["succeeded", "pending"])
    payment = dev_merchant.refunded(payment_id)
    assert [entry["amount"] for entry in payment["refunds"]] == [300, 200, 500]
    dev.advance(seconds=3)
    payment = dev_merchant.read(payment_id)
    assert (payment["status"], payment["refunded_at"], payment["refunded_amount"]) == ("refunded", NOW + 6, 1000)


def test_a_failed_refund_is_taken_out_again(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid(1000)
    entry = dev_merchant.refunded(payment_id)["refunds"][0]
    dev.finish_refund(entry["id"], "fail")
    payment = dev_merchant.read(payment_id)
    assert (payment["status"], payment["refunded_amount"], _statuses(payment)) == ("succeeded", 0, ["failed"])
    (failed,) = payment["refunds"]
    assert failed["decline_code"]
    assert failed["decline_message"]
    assert failed["completed_at"] == NOW
    dev_merchant.refunded(payment_id, amount=1000)
    dev.advance(seconds=3)
    payment = dev_merchant.read(payment_id)
    assert (payment["status"], _statuses(payment)) == ("refunded", ["failed", "succeeded"])


@pytest.mark.parametrize("amount", [0, -1, 701, 1000, 10**15])
def test_an_amount_outside_of_what_is_left_is_422(dev: EmulatorServer, dev_merchant: Any, amount: int) -> None:
    payment_id = dev_merchant.paid(1000)
    dev_merchant.refunded(payment_id, amount=100)
    dev.advance(seconds=3)
    dev_merchant.refunded(payment_id, amount=200)  # pending, and counted all the same
    answer = dev_merchant.refund(payment_id, amount=amount)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")
    assert len(dev.refunds(payment_id)) == 2
    assert dev_merchant.refund(payment_id, amount=700).status_code == 201


def test_nothing_is_left_while_the_rest_is_pending(dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    dev_merchant.refunded(payment_id)
    assert dev_merchant.refund(payment_id).status_code == 422


def test_a_refunded_payment_cannot_be_refunded_again(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    dev_merchant.refunded(payment_id)
    dev.advance(seconds=3)
    answer = dev_merchant.refund(payment_id, amount=1)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")


@pytest.mark.parametrize("end", ["decline", "cancel", "expire"])
def test_only_a_succeeded_payment_can_be_refunded(dev: EmulatorServer, dev_merchant: Any, end: str) -> None:
    payment_id = dev_merchant.created()["id"]
    assert dev_merchant.refund(payment_id).status_code == 422
    getattr(dev, end)(payment_id)
    answer = dev_merchant.refund(payment_id)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")
    assert dev.refunds(payment_id) == []


def test_refunds_end_180_days_after_the_creation(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    dev.advance(seconds=180 * DAY_SECONDS)
    assert dev_merchant.refund(payment_id, amount=1).status_code == 201
    dev.advance(seconds=1)
    answer = dev_merchant.refund(payment_id, amount=1)
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "reason", "parameter_missing"),
        ({"reason": None}, "reason", "parameter_missing"),
        ({"reason": "r" * 51}, "reason", "parameter_invalid"),
        ({"reason": " "}, "reason", "parameter_invalid"),
        ({"reason": 5}, "reason", "parameter_invalid"),
        ({"reason": "ok", "amount": "100"}, "amount", "parameter_invalid"),
        ({"reason": "ok", "amount": 1.5}, "amount", "parameter_invalid"),
        ({"reason": "ok", "amount": True}, "amount", "parameter_invalid"),
        ({"reason": "ok", "metadata": {}}, "metadata", "parameter_unknown"),
    ],
)
def test_a_body_that_does_not_fit_is_400(
    dev: EmulatorServer, dev_merchant: Any, body: dict[str, Any], param: str, code: str
) -> None:
    payment_id = dev_merchant.paid()
    answer = dev_merchant.post(f"/v1/payments/{payment_id}/refund", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"], error["param"]) == (
        400, "invalid_request_error", code, param,
    )  # fmt: skip
    assert dev.refunds(payment_id) == []


def test_a_reason_of_50_characters_is_accepted(dev_merchant: Any) -> None:
    payment = dev_merchant.refunded(dev_merchant.paid(), reason="ü" * 50, amount=None)
    assert payment["refunds"][0]["reason"] == "ü" * 50


def test_an_unknown_payment_is_404(dev_merchant: Any) -> None:
    assert dev_merchant.refund("pay_unknown").status_code == 404


def test_the_same_key_is_one_refund(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    first = dev_merchant.refund(payment_id, "refund-1", amount=100)
    dev.advance(seconds=3)
    second = dev_merchant.refund(payment_id, "refund-1", amount=100)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert dev_merchant.refund(payment_id, "refund-1", amount=200).status_code == 409
    assert len(dev.refunds(payment_id)) == 1


def test_a_refused_refund_frees_its_key(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid()
    assert dev_merchant.refund(payment_id, "refund-1", amount=5000).status_code == 422
    assert dev_merchant.refund(payment_id, "refund-1", amount=4999).status_code == 201
