"""The page the customer pays on. Source: docs.flowlix.eu/guides/hosted-payment-page"""

from __future__ import annotations

import threading
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer

ENTRY = {"number": "4242 4242 4242 4242", "expiry": "12/90", "cvc": "123", "holder_name": "Ada Lovelace"}


def _open(payment: dict[str, Any]) -> requests.Response:
    return requests.get(payment["hpp_url"], timeout=5)


def _send(payment: dict[str, Any], action: str = "pay", **changes: str) -> requests.Response:
    form = {**ENTRY, "action": action, **changes}
    return requests.post(payment["hpp_url"], data=form, timeout=5, allow_redirects=False)


def _status(emulator: EmulatorServer, payment: dict[str, Any]) -> str:
    return next(held.status for held in emulator.payments() if held.id == payment["id"])


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def field(self, name: str) -> dict[str, str | None]:
        return next(attributes for tag, attributes in self.tags if tag == "input" and attributes.get("name") == name)


def test_the_page_shows_what_is_paid_to_whom(merchant: Any) -> None:
    page = _open(merchant.created(description="Two bags of coffee"))
    assert page.status_code == 200
    for text in ("49.99 EUR", "Two bags of coffee", "shop.example", "ada@example.com", "Test mode"):
        assert text in page.text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (1, "eur", "0.01 EUR"),
        (123456789, "eur", "1,234,567.89 EUR"),
        (500, "jpy", "500 JPY"),
        (1250, "kwd", "1.250 KWD"),
        (4999, "zzz", "49.99 ZZZ"),
    ],
)
def test_amounts_have_their_currencys_decimals(merchant: Any, amount: int, currency: str, shown: str) -> None:
    assert f">{shown}<" in _open(merchant.created(amount=amount, currency=currency)).text


def test_the_form_helps_keyboards_and_wallets(merchant: Any) -> None:
    tags = _Tags(_open(merchant.created()).text)
    purposes = {"number": "cc-number", "expiry": "cc-exp", "cvc": "cc-csc", "holder_name": "cc-name"}
    assert {name: tags.field(name)["autocomplete"] for name in purposes} == purposes
    assert [tags.field(name)["inputmode"] for name in ("number", "expiry", "cvc")] == ["numeric"] * 3
    labelled = {attributes["for"] for tag, attributes in tags.tags if tag == "label"}
    assert {tags.field(name)["id"] for name in purposes} <= labelled


def test_the_test_cards_stand_on_the_page(emulator: EmulatorServer, merchant: Any) -> None:
    page = _open(merchant.created()).text
    for number in ("4242 4242 4242 4242", "5555 5555 5555 4444", "4000 0000 0000 0002", "4000 0000 0000 9995"):
        assert number in page


def test_what_the_merchant_sends_is_escaped(merchant: Any) -> None:
    page = _open(merchant.created(description="<script>alert(1)</script>")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_has_a_strict_policy_and_keeps_to_it(merchant: Any) -> None:
    page = _open(merchant.created(redirect_url="https://shop.example:8443/back?x=1"))
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["form-action"] == "'self' https://shop.example:8443"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    tags = _Tags(page.text).tags
    assert [attributes for tag, attributes in tags if tag == "style" or "style" in attributes] == []
    assert [attributes for tag, attributes in tags if tag == "script" and not attributes.get("src")] == []


def test_everything_the_page_loads_is_there(emulator: EmulatorServer, merchant: Any) -> None:
    tags = _Tags(_open(merchant.created()).text).tags
    addresses = [a.get("src") or a["href"] for tag, a in tags if tag in ("script", "link", "img")]
    assert len(addresses) == 3
    for address in addresses:
        assert requests.get(emulator.url + str(address), timeout=5).status_code == 200


def test_s1_paying_leads_back_to_the_merchant(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    answer = _send(payment)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://shop.example/return?payment_id={payment['id']}&status=succeeded"
    paid = merchant.get(f"/v1/payments/{payment['id']}").json()
    assert (paid["status"], paid["card"]["last4"], paid["card"]["brand"]) == ("succeeded", "4242", "visa")
    assert (paid["card"]["exp_month"], paid["card"]["exp_year"]) == (12, 2090)


@pytest.mark.parametrize("number", ["4000000000000002", "4000-0000-0000-0002"])
def test_a_declined_card_leads_back_as_failed(emulator: EmulatorServer, merchant: Any, number: str) -> None:
    payment = merchant.created()
    answer = _send(payment, number=number)
    assert (answer.status_code, dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["status"]) == (
        303,
        "failed",
    )
    assert merchant.get(f"/v1/payments/{payment['id']}").json()["decline_code"] == "generic_decline"


def test_cancel_leads_back_as_failed_without_a_decline_code(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    answer = _send(payment, "cancel", number="", expiry="", cvc="", holder_name="")
    assert answer.headers["Location"].endswith("&status=failed")
    canceled = merchant.get(f"/v1/payments/{payment['id']}").json()
    assert (canceled["status"], canceled["decline_code"], canceled["card"]) == ("failed", None, None)
    assert canceled["decline_message"]


@pytest.mark.parametrize(
    ("address", "before", "after"),
    [
        ("https://shop.example/r", "https://shop.example/r?payment_id=", "&status=succeeded"),
        ("https://shop.example", "https://shop.example?payment_id=", "&status=succeeded"),
        (
            "https://shop.example/r?order=1&a=%20b",
            "https://shop.example/r?order=1&a=%20b&payment_id=",
            "&status=succeeded",
        ),
        ("https://shop.example/r?status=x", "https://shop.example/r?status=x&payment_id=", "&status=succeeded"),
        ("https://shop.example/r?a=1#part", "https://shop.example/r?a=1&payment_id=", "&status=succeeded#part"),
    ],
)
def test_the_merchants_query_is_kept(merchant: Any, address: str, before: str, after: str) -> None:
    payment = merchant.created(redirect_url=address)
    assert _send(payment).headers["Location"] == f"{before}{payment['id']}{after}"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("number", "", "Enter the card number"),
        ("number", "4242 4242 4242 4241", "not valid"),
        ("number", "4242", "not valid"),
        ("number", "4242x4242x4242x4242", "not valid"),
        ("expiry", "", "month and year"),
        ("expiry", "13/90", "month and year"),
        ("expiry", "1290x", "month and year"),
        ("expiry", "01/20", "has expired"),
        ("cvc", "", "3-digit"),
        ("cvc", "12", "3-digit"),
        ("cvc", "1234", "3-digit"),
        ("cvc", "abc", "3-digit"),
        ("holder_name", "  ", "name on the card"),
    ],
)
def test_a_typing_mistake_is_said_at_its_field(
    emulator: EmulatorServer, merchant: Any, field: str, value: str, says: str
) -> None:
    payment = merchant.created()
    answer = _send(payment, **{field: value})
    tags = _Tags(answer.text)
    assert answer.status_code == 422
    assert tags.field(field)["aria-invalid"] == "true"
    assert tags.field(field)["aria-describedby"] == f"{field}-fault"
    assert says in answer.text.partition(f'id="{field}-fault"')[2].partition("</p>")[0]
    assert [name for name in ENTRY if name != field and "aria-invalid" in tags.field(name)] == []
    assert _status(emulator, payment) == "pending"
    assert _send(payment).status_code == 303


def test_american_express_has_a_code_of_four_digits(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    assert "4-digit" in _send(payment, number="3782 822463 10005").text
    assert _send(payment, number="3782 822463 10005", cvc="1234").headers["Location"].endswith("succeeded")


@pytest.mark.parametrize("expiry", ["12/90", "1290", "12 / 2090", "12-90", "12 90"])
def test_an_expiry_date_may_be_written_in_many_ways(merchant: Any, expiry: str) -> None:
    payment = merchant.created()
    assert _send(payment, expiry=expiry).status_code == 303
    assert merchant.get(f"/v1/payments/{payment['id']}").json()["card"]["exp_year"] == 2090


def test_l3_a_card_number_is_not_shown_again(merchant: Any) -> None:
    page = _send(merchant.created(), cvc="98", number="4000 0000 0000 9995").text.partition("<form")[2]
    assert "9995" not in page
    assert 'value="98"' not in page
    assert 'value="12/90"' in page


def test_s3_a_finished_payment_cannot_be_paid_again(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    _send(payment, number="4000000000000002")
    again = _send(payment)
    assert again.headers["Location"].endswith("&status=failed")
    assert _status(emulator, payment) == "failed"
    page = _open(payment)
    assert page.status_code == 200
    assert "<form" not in page.text
    assert f"payment_id={payment['id']}" in page.text


def test_s3_cancelling_after_paying_changes_nothing(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    _send(payment)
    assert _send(payment, "cancel").headers["Location"].endswith("&status=succeeded")
    assert _status(emulator, payment) == "succeeded"


def test_i1_a_double_click_pays_once(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    gate, answers = threading.Barrier(4), []

    def click(number: str) -> None:
        gate.wait()
        answers.append(_send(payment, number=number).headers["Location"])

    numbers = ["4242424242424242", "4000000000000002"] * 2
    clicks = [threading.Thread(target=click, args=(number,)) for number in numbers]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    # Whichever came first has decided; all four are told the same.
    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_an_unknown_page_is_404(emulator: EmulatorServer) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, f"{emulator.url}/hpp/pay_unknown", timeout=5)
        assert answer.status_code == 404
        assert "There is no payment" in answer.text


def test_a_direct_payment_has_no_way_to_be_paid_again(emulator: EmulatorServer, merchant: Any) -> None:
    paid = merchant.pay_directly().json()
    page = requests.get(f"{emulator.url}/hpp/{paid['id']}", timeout=5)
    assert "<form" not in page.text


def test_a_live_key_is_told_from_a_test_key(live: Any) -> None:
    page = _open(live.created()).text
    assert "Live key on the emulator" in page
    assert "Test mode" not in page.partition("</summary>")[0]
