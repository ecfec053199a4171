"""The first live payments, one by one: which they are, what is told of each, what is looked at, and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import own_queries, page, text_of
from tests.admin.rows import NOON, a_payment, a_refund, many_payments
from tests.conftest import TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db
FIRST = "/admin/django_flowlix/payment/first/"


def a_call(payment: Payment, seconds: int, refund: Refund | None = None, **changes: Any) -> None:
    values: dict[str, Any] = {
        "account": "default",
        "livemode": True,
        "payment": payment,
        "refund": refund,
        "operation": "create_hosted",
        "method": "POST",
        "path": "/v1/payments",
        "try_number": 1,
        "http_status": 201,
        "request_id": f"req_{seconds}",
        "outcome": "ok",
        "duration_ms": 240,
        "created_at": NOON + timedelta(seconds=seconds),
    }
    ApiCall.objects.create(**values | changes)


def a_change(payment: Payment, before: str, after: str, seconds: int, **changes: Any) -> None:
    values = {"source": "sync", "created_at": NOON + timedelta(seconds=seconds)}
    StatusChange.objects.create(payment=payment, from_status=before, to_status=after, **values | changes)


def a_story(order: str = "first", **changes: Any) -> Payment:
    """A live payment: started with the second try, paid after 40 seconds, the shop told after 41."""
    payment = a_payment(order, livemode=True, **changes)
    a_call(payment, 1, http_status=503, outcome="unknown")
    a_call(payment, 2, try_number=2)
    a_change(payment, "created", "pending", 3)
    a_call(payment, 39, operation="retrieve", http_status=200, duration_ms=80)
    a_change(
        payment,
        "pending",
        "succeeded",
        40,
        signal="payment_succeeded",
        delivered_at=NOON + timedelta(seconds=41),
        delivered_to="shop.receivers.fulfil",
    )
    return payment


def orders(text: str) -> list[str]:
    return re.findall(r'<h2 id="flowlix-payment-(\d+)">.*?<a href="[^"]*">([^<]*)</a>', text)


def words_of(text: str) -> str:
    content = text[text.index('id="content"') :]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())


def findings(text: str) -> list[tuple[str, str]]:
    found = re.findall(r'<li class="flowlix-(fine|amiss|neutral)">.*?</svg>(.*?)</li>', text, re.DOTALL)
    return [(kind, unescape(words).strip()) for kind, words in found]


def test_a_payment_is_told_with_every_exchange(viewer: Client) -> None:
    payment = a_story()
    words = words_of(text := text_of(viewer, FIRST))

    assert f'href="{page(payment)}"' in text
    assert "1 first 49.99 EUR paid 2026-03-14 12:00:00" in words
    assert "2026-03-14 12:00:00 record payment recorded attempt 1 over 49.99 EUR" in words
    assert "12:00:01 gateway start of the payment HTTP 503 · outcome unknown · 240 ms req_1" in words
    assert "12:00:02 gateway start of the payment HTTP 201 · 240 ms · try 2 req_2" in words
    assert "12:00:03 status being prepared → waiting for the customer background check" in words
    assert "12:00:39 gateway look at the payment HTTP 200 · 80 ms req_39" in words
    assert "12:00:40 status waiting for the customer → paid background check" in words
    assert "12:00:41 shop's code payment_succeeded delivered shop.receivers.fulfil" in words
    assert findings(text) == [
        ("fine", "decided"),
        ("fine", "your code was told"),
        ("fine", "3 exchanges, all with request id"),
        ("fine", "nothing to review"),
    ]


def test_refunds_are_part_of_the_story(viewer: Client) -> None:
    payment = a_story()
    refund = a_refund(payment, sequence=7)
    a_call(payment, 90, refund, operation="refund", http_status=200)
    words = words_of(text_of(viewer, FIRST))

    assert "refund 7 requested 12.50 EUR · anna (staff) · “sent back”" in words
    assert "refund 7: request of the refund HTTP 200 · 240 ms req_90" in words


def test_what_is_amiss_is_said(viewer: Client) -> None:
    payment = a_payment(
        "odd", livemode=True, status="pending", review_reason="mismatch", review_since=NOON, created_at=NOON
    )
    a_call(payment, 1, http_status=None, outcome="unknown", request_id="")
    a_change(payment, "created", "pending", 2, signal="payment_pending", delivery_attempts=2, deliver_at=NOON)
    text = text_of(viewer, FIRST)

    assert findings(text) == [
        ("amiss", "not decided yet"),
        ("amiss", "your code raised, and is called again"),
        ("amiss", "1 exchange without request id"),
        ("amiss", "needs review"),
    ]
    assert "Somebody must look at this payment" in words_of(text)


def test_a_payment_of_the_checklist_says_so(viewer: Client) -> None:
    a_story("shop")
    payment = a_payment("flowlix-check-1", livemode=True, from_checklist=True, created_at=NOON + timedelta(minutes=1))
    a_call(payment, 61)
    a_change(payment, "pending", "succeeded", 62)
    text = text_of(viewer, FIRST)
    shop, checklist = text.split("flowlix-check-1</a>")

    assert orders(text) == [("1", "shop"), ("2", "flowlix-check-1")]
    assert "self-check" not in shop
    assert '<span class="flowlix-badge flowlix-self-check">self-check</span>' in checklist
    assert "Made by flowlix_check, for no order of the shop" in checklist
    assert findings(checklist)[1] == ("fine", "a self-check: your code is not told")


def test_a_payment_of_which_nothing_is_on_record(viewer: Client) -> None:
    payment = a_payment("bare", livemode=True, status="failed", decline_code="expired_card", request_id="")
    text = text_of(viewer, FIRST)

    assert findings(text)[1:3] == [("fine", "nothing to tell your code yet"), ("amiss", "no exchange on record")]
    assert "Declined: expired_card: The card has expired." in words_of(text)
    a_change(payment, "pending", "failed", 2, signal="payment_failed", deliver_at=NOON)
    assert findings(text_of(viewer, FIRST))[1] == ("amiss", "your code is not told yet")


@pytest.mark.parametrize(
    ("days", "request_id", "age_days", "expected"),
    [
        (31, "", 30, ("neutral", "its exchanges are pruned")),
        (29, "", 30, ("amiss", "no exchange on record")),
        (29, "req_1", 30, ("neutral", "its exchanges are pruned")),
        (5000, "", None, ("amiss", "no exchange on record")),
    ],
)
def test_exchanges_that_are_pruned_are_no_fault(
    viewer: Client,
    settings: Any,
    fake_clock: FakeClock,
    days: int,
    request_id: str,
    age_days: int | None,
    expected: tuple[str, str],
) -> None:
    account = {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example", "RETENTION": {"calls_days": age_days}}
    settings.FLOWLIX = {"default": account}
    fake_clock.current = NOON + timedelta(days=days)
    payment = a_payment("old", livemode=True, request_id=request_id)

    assert findings(text_of(viewer, FIRST))[2] == expected
    a_call(payment, 1)
    assert findings(text_of(viewer, FIRST))[2] == ("fine", "1 exchange, with request id")


@pytest.mark.parametrize("configured", [{}, {"default": {}}])
def test_without_an_account_its_age_says_nothing(viewer: Client, settings: Any, configured: dict[str, Any]) -> None:
    settings.FLOWLIX = configured
    a_payment("old", livemode=True, account="gone", request_id="", created_at=NOON - timedelta(days=5000))

    assert findings(text_of(viewer, FIRST))[2] == ("amiss", "no exchange on record")


def test_only_live_payments_the_oldest_first(viewer: Client) -> None:
    a_payment("second", livemode=True)
    a_payment("test")
    a_payment("first", livemode=True, created_at=NOON - timedelta(days=3))
    a_payment("third", livemode=True)

    assert orders(text_of(viewer, FIRST)) == [("1", "first"), ("2", "second"), ("3", "third")]


def test_pages(viewer: Client) -> None:
    many_payments(41, livemode=True)  # the first is the newest
    first, second, third = (text_of(viewer, FIRST, {"page": number}) for number in (1, 2, 3))

    assert orders(first) == [(str(n), f"m{41 - n}") for n in range(1, 21)]
    assert orders(second) == [(str(n), f"m{41 - n}") for n in range(21, 41)]
    assert orders(third) == [("41", "m0")]
    for text, before, after in ((first, None, 2), (second, 1, 3), (third, 2, None)):
        assert re.findall(r'href="\?page=(\d+)" rel="prev"', text) == ([str(before)] if before else [])
        assert re.findall(r'href="\?page=(\d+)" rel="next"', text) == ([str(after)] if after else [])
    assert "There are no more live payments" in words_of(text_of(viewer, FIRST, {"page": 4}))


def test_exactly_a_page_has_no_next(viewer: Client) -> None:
    many_payments(20, livemode=True)
    assert 'rel="next"' not in text_of(viewer, FIRST)


def test_an_account_alone(viewer: Client, settings: Any) -> None:
    a_payment("of default", livemode=True)
    a_payment("of eu", livemode=True, account="eu")
    base = {"BASE_URL": "https://shop.example"}
    settings.FLOWLIX = {
        "default": base | {"SECRET_KEY": TEST_KEY},
        "eu": base | {"SECRET_KEY": TEST_KEY + "2"},
    }

    assert [order for _n, order in orders(text_of(viewer, FIRST))] == ["of default", "of eu"]
    assert [order for _n, order in orders(text_of(viewer, FIRST, {"account": "eu"}))] == ["of eu"]


@pytest.mark.parametrize("asked", ["0", "51", "-1", "x", "", "1.0", "99999999999999999999", "²"])
def test_a_page_that_does_not_exist_is_said(viewer: Client, asked: str) -> None:
    a_payment("first", livemode=True)
    response = viewer.get(FIRST, {"page": asked})

    assert messages_of(response) == [f"warning: There is no page “{asked}”, only 1 to 50: the first is shown."]
    assert orders(response.content.decode()) == [("1", "first")]


def test_an_account_that_does_not_exist_is_said(viewer: Client) -> None:
    a_payment("first", livemode=True)
    response = viewer.get(FIRST, {"account": "nobody"})

    assert messages_of(response) == ["warning: There is no account “nobody”: all accounts are shown."]
    assert orders(response.content.decode()) == [("1", "first")]


def test_before_going_live(viewer: Client) -> None:
    a_payment("test")
    text = text_of(viewer, FIRST)

    assert "There is no live payment yet" in words_of(text)
    assert "What to look for" not in text


def test_what_was_sent_is_not_shown(viewer: Client) -> None:
    payment = a_story(request_body='{"customer": "Ada"}', return_token="secret-token")
    a_refund(payment)
    text = text_of(viewer, FIRST)

    assert not [secret for secret in ("Ada", "secret") if secret in text]


def test_it_costs_four_queries_however_many_there_are(viewer: Client) -> None:
    for number in range(5):
        a_refund(a_story(f"order {number}"))
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, FIRST)

    sql = own_queries(queries)
    assert len(sql) == 4
    assert not [statement for statement in sql if "request_body" in statement]


def test_of_a_long_story_it_says_that_there_is_more(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    a_story()
    assert "more than this page can hold" not in text_of(viewer, FIRST)
    monkeypatch.setattr("django_flowlix.admin.first_transactions.MOST_ROWS", 3)
    assert "more than this page can hold" in text_of(viewer, FIRST)


@pytest.mark.parametrize(
    ("who", "codenames", "expected"),
    [
        ("stranger", [], "login"),
        ("customer", ["view_payment"], "login"),
        ("staff", [], "403"),
        ("staff", ["view_alert", "view_refund", "refund_payment"], "403"),
        ("staff", ["view_payment"], "200"),
        ("superuser", [], "200"),
    ],
)
def test_who_may_see_them(who: str, codenames: list[str], expected: str) -> None:
    assert told(someone(who, *codenames).get(FIRST)) == expected


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_they_are_only_read(viewer: Client, method: str) -> None:
    assert getattr(viewer, method)(FIRST).status_code == 405
