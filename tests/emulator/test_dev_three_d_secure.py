"""The card that asks for 3-D Secure. Source: docs.flowlix.dev/api-reference/three-d-secure, api-reference/test-cards"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer

CHALLENGED = "4635440000002223"
ENTRY = {"number": CHALLENGED, "expiry": "12/90", "cvc": "196", "holder_name": "Ada Lovelace"}
NOW = 1_700_000_000


def _send(address: str, action: str, **form: str) -> requests.Response:
    return requests.post(address, data={**form, "action": action}, timeout=5, allow_redirects=False)


@pytest.fixture
def challenged(dev: EmulatorServer, dev_merchant: Any) -> dict[str, Any]:
    """Return a hosted payment whose card has been entered."""
    created = dev_merchant.created()
    answer = _send(created["redirect_url"], "pay", **ENTRY)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/hpp/{created['id']}")
    payment = dev_merchant.read(created["id"])
    assert payment["status"] == "requires_action"
    return payment  # type: ignore[no-any-return]


def test_the_payment_says_where_the_challenge_is(challenged: dict[str, Any]) -> None:
    assert challenged["next_action"] == {"redirect_url": challenged["redirect_url"]}
    assert (challenged["card"]["last4"], challenged["card"]["brand"]) == ("2223", "visa")


def test_the_page_asks_for_the_amount_and_keeps_its_policy(challenged: dict[str, Any]) -> None:
    page = requests.get(challenged["next_action"]["redirect_url"], timeout=5)
    assert page.status_code == 200
    for text in ("Confirm 49.99 EUR", "Refuse", "2223", "shop.example"):
        assert text in page.text
    for text in ("<script", "<style", "style=", 'name="number"'):
        assert text not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://shop.example" in policy
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("action", "status", "decline_code"),
    [("confirm", "succeeded", None), ("refuse", "failed", "three_d_secure_failed")],
)
def test_the_customer_decides(
    dev_merchant: Any, challenged: dict[str, Any], action: str, status: str, decline_code: str | None
) -> None:
    answer = _send(challenged["next_action"]["redirect_url"], action)
    query = f"payment_id={challenged['id']}&status={status}"
    assert (answer.status_code, answer.headers["Location"]) == (303, f"https://shop.example/return?{query}")
    payment = dev_merchant.read(challenged["id"])
    assert (payment["status"], payment["decline_code"], payment["next_action"]) == (status, decline_code, None)
    # Whatever is pressed afterwards changes nothing.
    for later in ("confirm", "refuse", "pay", "cancel"):
        assert _send(challenged["redirect_url"], later, **ENTRY).headers["Location"].endswith(query)
    assert dev_merchant.read(challenged["id"]) == payment


@pytest.mark.parametrize("action", ["pay", "cancel", ""])
def test_the_card_form_is_over_once_the_challenge_waits(
    dev_merchant: Any, challenged: dict[str, Any], action: str
) -> None:
    answer = _send(challenged["redirect_url"], action, **{**ENTRY, "number": "4111111111111111"})
    assert answer.headers["Location"] == f"/hpp/{challenged['id']}"
    assert dev_merchant.read(challenged["id"]) == challenged


def test_a_direct_payment_asks_two_seconds_after_its_creation(dev: EmulatorServer, dev_merchant: Any) -> None:
    created = dev_merchant.pay_directly(CHALLENGED, return_url="https://shop.example/3ds?order=1").json()
    assert (created["status"], created["next_action"], created["redirect_url"]) == ("pending", None, None)
    page = requests.get(f"{dev.url}/hpp/{created['id']}", timeout=5)
    assert "being processed" in page.text
    assert "<form" not in page.text
    assert _send(f"{dev.url}/hpp/{created['id']}", "confirm").headers["Location"] == f"/hpp/{created['id']}"
    dev.advance(seconds=2)
    waiting = dev_merchant.read(created["id"])
    assert (waiting["status"], waiting["redirect_url"]) == ("requires_action", None)
    answer = _send(waiting["next_action"]["redirect_url"], "confirm")
    assert answer.headers["Location"] == "https://shop.example/3ds?order=1"
    assert dev_merchant.read(created["id"])["status"] == "succeeded"


def test_without_a_return_url_the_customer_stays(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.pay_directly(CHALLENGED).json()["id"]
    dev.advance(seconds=2)
    address = dev_merchant.read(payment_id)["next_action"]["redirect_url"]
    answer = _send(address, "refuse")
    assert answer.headers["Location"] == f"/hpp/{payment_id}"
    page = requests.get(address, timeout=5).text
    assert "was not paid" in page
    assert "Return to" not in page


def test_it_can_be_done_without_a_browser(dev: EmulatorServer, dev_merchant: Any) -> None:
    passed, failed, gone = (dev_merchant.created()["id"] for _ in range(3))
    for payment_id in (passed, failed, gone):
        assert dev.pay(payment_id, card=CHALLENGED).status == "requires_action"
    with pytest.raises(ValueError, match="leave card out"):
        dev.pay(passed, card="4111111111111111")
    dev.pay(passed)
    dev.decline(failed, "three_d_secure_failed")
    dev.expire(gone)
    ends = [(payment.status, payment.decline_code) for payment in dev.payments()]
    assert ends == [("succeeded", None), ("failed", "three_d_secure_failed"), ("expired", None)]
    assert {payment.card.last4 for payment in dev.payments() if payment.card} == {"2223"}


def test_an_expired_challenge_leads_back_as_expired(dev: EmulatorServer, challenged: dict[str, Any]) -> None:
    dev.expire(challenged["id"])
    assert _send(challenged["redirect_url"], "confirm").headers["Location"].endswith("&status=expired")
