"""The page of contract dev: the same page, other cards, and an end of its own for Cancel."""

from __future__ import annotations

from typing import Any

import requests

from django_flowlix.emulator.server import EmulatorServer

ENTRY = {"number": "4111 1111 1111 1111", "expiry": "12/90", "cvc": "123", "holder_name": "Ada Lovelace"}
NOW = 1_700_000_000


def _send(payment: dict[str, Any], action: str, **changes: str) -> str:
    form = {**ENTRY, "action": action, **changes}
    answer = requests.post(payment["redirect_url"], data=form, timeout=5, allow_redirects=False)
    assert answer.status_code == 303
    return answer.headers["Location"]


def test_the_page_needs_no_customer_and_shows_the_cards_of_its_contract(dev_merchant: Any) -> None:
    page = requests.get(dev_merchant.created()["redirect_url"], timeout=5)
    assert page.status_code == 200
    assert "Receipt to" not in page.text
    assert "None" not in page.text
    for text in ("49.99 EUR", "4111 1111 1111 1111", "4635 4400 0000 2223", "do_not_honor"):
        assert text in page.text
    assert "4242 4242 4242 4242" not in page.text


def test_paying_leads_back_as_succeeded(dev_merchant: Any) -> None:
    payment = dev_merchant.created()
    query = f"payment_id={payment['id']}&status=succeeded"
    assert _send(payment, "pay") == f"https://shop.example/return?{query}"
    paid = dev_merchant.read(payment["id"])
    assert (paid["status"], paid["succeeded_at"], paid["card"]["brand"]) == ("succeeded", NOW, "visa")
    assert paid["redirect_url"] == payment["redirect_url"]


def test_a_declined_card_leads_back_as_failed(dev_merchant: Any) -> None:
    payment = dev_merchant.created()
    assert _send(payment, "pay", number="4000000000000002").endswith("&status=failed")
    assert dev_merchant.read(payment["id"])["decline_code"] == "do_not_honor"


def test_cancel_leads_back_as_canceled(dev_merchant: Any) -> None:
    payment = dev_merchant.created()
    assert _send(payment, "cancel", number="").endswith("&status=canceled")
    canceled = dev_merchant.read(payment["id"])
    assert (canceled["status"], canceled["decline_code"], canceled["decline_message"]) == ("canceled", None, None)
    assert _send(payment, "pay").endswith("&status=canceled")


def test_an_expired_page_takes_no_card(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment = dev_merchant.created()
    dev.expire(payment["id"])
    page = requests.get(payment["redirect_url"], timeout=5).text
    assert "<form" not in page
    assert "was not paid" in page
    assert _send(payment, "pay").endswith("&status=expired")


def test_the_finished_page_tells_a_refund(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment = dev_merchant.created()
    dev.pay(payment["id"])
    dev.refund(payment["id"], 999)
    assert "has been paid" in requests.get(payment["redirect_url"], timeout=5).text
    dev.refund(payment["id"])
    dev.advance(seconds=3)
    assert "has been refunded" in requests.get(payment["redirect_url"], timeout=5).text
