"""What a test may do to refunds behind the gateway's back, in both contracts."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer

NOW = 1_700_000_000


def test_a_refund_in_the_dashboard_may_be_partial(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.paid(1000)
    dev.refund(payment_id, 400)
    dev.refund(payment_id)
    kept = [(entry.amount_minor, entry.status, entry.reason, entry.created) for entry in dev.refunds(payment_id)]
    assert kept == [
        (400, "pending", "refunded in the dashboard", NOW),
        (600, "pending", "refunded in the dashboard", NOW),
    ]
    payment = dev_merchant.read(payment_id)
    assert [entry["id"] for entry in payment["refunds"]] == [entry.id for entry in dev.refunds(payment_id)]
    dev.advance(seconds=3)
    assert [entry.status for entry in dev.refunds(payment_id)] == ["succeeded", "succeeded"]
    assert dev.payments()[0].status == "refunded"


def test_without_a_delay_a_refund_waits_until_told(dev: EmulatorServer, dev_merchant: Any) -> None:
    dev.set_refund_delay(None)
    payment_id = dev_merchant.paid()
    dev.refund(payment_id)
    dev.advance(hours=24 * 365)
    (entry,) = dev.refunds(payment_id)
    assert entry.status == "pending"
    dev.finish_refund(entry.id)
    assert dev_merchant.read(payment_id)["status"] == "refunded"


def test_the_delay_can_be_chosen_and_reset_brings_it_back(dev: EmulatorServer, dev_merchant: Any) -> None:
    dev.set_refund_delay(0)
    payment_id = dev_merchant.paid()
    assert dev_merchant.refunded(payment_id)["refunds"][0]["status"] == "pending"
    assert dev_merchant.read(payment_id)["refunds"][0]["status"] == "succeeded"
    dev.reset()
    payment_id = dev_merchant.paid()
    dev_merchant.refunded(payment_id)
    assert dev_merchant.read(payment_id)["refunds"][0]["status"] == "pending"
    dev.advance(seconds=3)
    assert dev_merchant.read(payment_id)["refunds"][0]["status"] == "succeeded"


def test_a_refund_ends_once(dev: EmulatorServer, dev_merchant: Any) -> None:
    refund_id = dev_merchant.refunded(dev_merchant.paid())["refunds"][0]["id"]
    dev.finish_refund(refund_id)
    for outcome in ("succeed", "fail"):
        with pytest.raises(ValueError, match="the refund is succeeded"):
            dev.finish_refund(refund_id, outcome)


def test_a_refund_that_was_due_cannot_fail_afterwards(dev: EmulatorServer, dev_merchant: Any) -> None:
    refund_id = dev_merchant.refunded(dev_merchant.paid())["refunds"][0]["id"]
    dev.advance(seconds=3)
    with pytest.raises(ValueError, match="the refund is succeeded"):
        dev.finish_refund(refund_id, "fail")


@pytest.mark.parametrize("amount", [0, -5, 1.5, True, "100"])
def test_an_amount_that_cannot_be_is_refused(dev: EmulatorServer, dev_merchant: Any, amount: Any) -> None:
    with pytest.raises(ValueError, match="amount_minor must be a whole number"):
        dev.refund(dev_merchant.paid(), amount)


def test_the_dashboard_keeps_the_rules_too(dev: EmulatorServer, dev_merchant: Any) -> None:
    with pytest.raises(ValueError, match="4999"):
        dev.refund(dev_merchant.paid(), 5000)
    with pytest.raises(ValueError, match="pending"):
        dev.refund(dev_merchant.created()["id"])


@pytest.mark.parametrize("seconds", [-1, "3", True, float("nan"), float("inf")])
def test_a_delay_that_cannot_be_is_refused(dev: EmulatorServer, seconds: Any) -> None:
    for change in (dev.set_refund_delay, dev.set_payment_delay):
        with pytest.raises(ValueError, match="number of seconds"):
            change(seconds)


def test_what_does_not_exist_is_refused_by_name(dev: EmulatorServer) -> None:
    with pytest.raises(ValueError, match="no refund '01HF'"):
        dev.finish_refund("01HF")
    with pytest.raises(ValueError, match="choose one of succeed, fail"):
        dev.finish_refund("01HF", "succeeded")
    with pytest.raises(ValueError, match="no payment 'pay_x'"):
        dev.refunds("pay_x")


def test_eu_has_one_full_entry_without_an_id(emulator: EmulatorServer, merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    assert emulator.refunds(paid["id"]) == []
    emulator.refund(paid["id"], 4999)
    (entry,) = emulator.refunds(paid["id"])
    refunded_at = merchant.get(f"/v1/payments/{paid['id']}").json()["refunded_at"]
    assert (entry.id, entry.amount_minor, entry.status, entry.reason, entry.created) == (
        "", 4999, "succeeded", "refunded in the dashboard", refunded_at,
    )  # fmt: skip
    with pytest.raises(ValueError, match="no refund ''"):
        emulator.finish_refund("")


def test_eu_refunds_in_full_only(emulator: EmulatorServer, merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    with pytest.raises(ValueError, match="in full only"):
        emulator.refund(paid["id"], 100)
    assert emulator.payments()[0].status == "succeeded"


def test_the_control_api_does_the_same(dev: EmulatorServer, dev_merchant: Any, dev_control: Any) -> None:
    payment_id = dev_merchant.paid(1000)
    assert dev_control("POST", "/refund-delay", {"seconds": None}).json() == {"seconds": None}
    shown = dev_control("POST", f"/payments/{payment_id}/refund", {"amount_minor": 400}).json()
    assert shown == dev_merchant.read(payment_id)
    dev_control("POST", f"/payments/{payment_id}/finish", {"outcome": "refund"})
    first, second = dev_control("GET", f"/payments/{payment_id}/refunds").json()
    assert (first["amount_minor"], second["amount_minor"]) == (400, 600)
    failed = dev_control("POST", f"/refunds/{first['id']}/finish", {"outcome": "fail"}).json()
    assert (failed["id"], failed["status"]) == (first["id"], "failed")
    assert dev_control("POST", f"/refunds/{second['id']}/finish", {"outcome": "succeed"}).status_code == 200
    assert dev_merchant.read(payment_id)["refunded_amount"] == 600
    assert dev_control("GET", "/state").json()["refund_delay_seconds"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/refund-delay", {"seconds": -1}, "at least 0"),
        ("POST", "/refund-delay", {}, "seconds"),
        ("POST", "/payment-delay", {"seconds": "soon"}, "number of seconds"),
        ("POST", "/payments/pay_x/refund", {"amount": 1}, "amount_minor"),
        ("POST", "/payments/pay_x/refund", {}, "pay_x"),
        ("GET", "/payments/pay_x/refunds", None, "pay_x"),
        ("POST", "/refunds/01HF/finish", {"outcome": "success"}, "succeed, fail"),
        ("POST", "/refunds/01HF/finish", {"outcome": "fail"}, "01HF"),
        ("POST", "/refunds/01HF/finish", {}, "outcome"),
    ],
)
def test_input_that_makes_no_sense_is_400_with_the_remedy(
    dev_control: Any, method: str, path: str, body: Any, named: str
) -> None:
    answer = dev_control(method, path, body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_faults_meet_refunds_in_both_contracts(request: pytest.FixtureRequest, contract: str) -> None:
    gateway = request.getfixturevalue("emulator" if contract == "eu" else "dev")
    shop = request.getfixturevalue("merchant" if contract == "eu" else "dev_merchant")
    body = None if contract == "eu" else {"reason": "broken"}
    status = 200 if contract == "eu" else 201
    field = "refunded_at" if contract == "eu" else "refunds"
    payment_id = gateway.pay(shop.created()["id"]).id
    path = f"/v1/payments/{payment_id}/refund"

    gateway.fault("refund", "status_before", status=503)
    gateway.fault("refund", "drop_after")
    gateway.fault("refund", "override", fields={"amount": 1, field: None})
    assert shop.post(path, body, key="refund-1").status_code == 503
    assert gateway.refunds(payment_id) == []
    with pytest.raises(OSError, match="Connection aborted"):
        shop.post(path, body, key="refund-1")
    answer = shop.post(path, body, key="refund-1")
    assert (answer.status_code, answer.json()["amount"], answer.json()[field]) == (status, 1, None)
    gateway.fault("refund", "omit", fields=[field, "status"])
    assert {field, "status"}.isdisjoint(shop.post(path, body, key="refund-1").json())
    assert field in shop.post(path, body, key="refund-1").json()
    assert len(gateway.refunds(payment_id)) == 1
