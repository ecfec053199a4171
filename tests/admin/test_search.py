"""The search: exact, over every id that stands in a ticket, and found by key before a list is read."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.admin.search import payment_keys, refund_keys
from django_flowlix.models import Payment
from tests.admin.reading import LIST, own_queries, text_of
from tests.admin.rows import NOON, a_call, a_payment, a_refund, many_payments

pytestmark = pytest.mark.django_db


def found(client: Client, term: str, **chosen: str) -> list[str]:
    text = text_of(client, LIST, {"q": term, **chosen})
    return re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text)


@pytest.fixture
def bookings() -> Payment:
    """Order "B 7 / 2" with a refund, and exchanges about both; beside it an order that nothing but its card names."""
    a_payment("other", card_last4="0005")
    payment = a_payment("B 7 / 2", gateway_id="pay_abc", request_id="req_create")
    refund = a_refund(payment, gateway_id="re_abc", request_id="req_refund")
    a_call(payment, "req_create")
    a_call(payment, "req_look")
    a_call(payment, "req_refund_again", refund)
    a_call(None, "req_list")
    return payment


@pytest.mark.parametrize(
    "term",
    [
        "B 7 / 2",
        " B 7 / 2\t",
        "pay_abc",
        "re_abc",
        "req_create",
        "req_look",
        "req_refund",
        "req_refund_again",
        "4242",
    ],
)
def test_every_id_in_a_ticket_finds_the_payment(bookings: Payment, viewer: Client, term: str) -> None:
    assert found(viewer, term) == ["B 7 / 2"]


@pytest.mark.parametrize(
    "term",
    [
        "B 7",  # a part
        "b 7 / 2",  # another order on a database that is exact
        "pay_ab",
        "PAY_ABC",
        "req_list",  # an exchange about no payment in particular
        "key-2",  # idempotency keys are not searched
        "refund-key-1",
        "token-2",
        "424",
        "04242",
        "٤٢٤٢",  # digits, but not a card's
        "%",
        "_",
        "pay_abc re_abc",
        "x" * 5000,
        "' OR 1=1 --",
    ],
)
def test_nothing_else_finds_anything(bookings: Payment, viewer: Client, term: str) -> None:
    assert found(viewer, term) == []


def test_an_empty_search_is_no_search(bookings: Payment, viewer: Client) -> None:
    assert found(viewer, "   ") == ["B 7 / 2", "other"]


def test_nul_is_refused_politely(bookings: Payment, viewer: Client) -> None:
    assert "Null characters are not allowed" in text_of(viewer, LIST, {"q": "a\x00"})


def test_four_digits_may_be_an_order_and_a_card(viewer: Client) -> None:
    a_payment("4242", card_last4="1111")
    a_payment("by card", card_last4="4242")
    a_payment("neither", card_last4="1111")

    assert sorted(found(viewer, "4242")) == ["4242", "by card"]


def test_all_attempts_of_an_order_are_found_the_newest_first(viewer: Client) -> None:
    first = a_payment("A-1", attempt=1, created_at=NOON)
    second = a_payment("A-1", attempt=2, created_at=NOON.replace(hour=13))

    keys = re.findall(r'name="_selected_action" value="(\d+)"', text_of(viewer, LIST, {"q": "A-1"}))
    assert keys == [str(second.pk), str(first.pk)]


def test_the_search_keeps_to_the_filters(bookings: Payment, viewer: Client) -> None:
    assert found(viewer, "pay_abc", mode="test") == ["B 7 / 2"]
    assert found(viewer, "pay_abc", mode="live") == []
    assert found(viewer, "4242", status__exact="failed") == []


def test_by_card_the_newest_are_found_and_the_page_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("search", "paging"):
        monkeypatch.setattr(f"django_flowlix.admin.{module}.MOST_BY_CARD", 3)
    many_payments(5)
    text = text_of(viewer, LIST, {"q": "4242"})

    assert re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text) == ["m0", "m1", "m2"]
    assert "Only the newest 3 with this card are listed" in text
    # What is filtered is filtered first, so that older ones can be found.
    assert found(viewer, "4242", day__to="2026-03-13") == []
    Payment.objects.filter(order_reference="m4").update(created_at=NOON.replace(day=12))
    assert found(viewer, "4242", day__to="2026-03-13") == ["m4"]


@pytest.mark.parametrize("term", ["B 7 / 2", "req_look", "4242", "nothing"])
def test_a_search_costs_two_queries_and_joins_nothing(bookings: Payment, viewer: Client, term: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, LIST, {"q": term})

    own = own_queries(queries)
    assert len(own) <= 2, "the keys, and the rows"
    assert " OR " not in own[0]
    assert "UNION" in own[0]
    assert "JOIN" not in own[0]
    assert all("UNION" not in sql for sql in own[1:])
    assert len(queries) <= 6, "session, user, two kinds of permissions, keys, rows"


def test_many_results_are_paged_without_another_query(viewer: Client) -> None:
    many_payments(60)
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, LIST, {"q": "4242", "p": "2"})

    assert len(re.findall("field-order_reference", text)) == 10
    assert "60 payments" in text
    assert len(own_queries(queries)) == 2


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"p": "1"}, 50),
        ({"p": "2"}, 10),
        ({"all": ""}, 60),
        ({"p": "3"}, None),
        ({"p": "0"}, None),
        ({"p": "-1"}, None),
        ({"p": "9" * 20}, None),
        ({"p": "rubbish"}, 50),
    ],
)
def test_every_page_of_a_search(viewer: Client, asked: dict[str, str], shown: int | None) -> None:
    many_payments(60)
    response = viewer.get(LIST, {"q": "4242"} | asked)

    if shown is None:
        assert response["Location"] == f"{LIST}?e=1"
    else:
        assert response.content.decode().count("field-order_reference") == shown
        assert "60 payments" in response.content.decode()


def test_all_of_too_many_are_paged(viewer: Client) -> None:
    many_payments(201)
    text = text_of(viewer, LIST, {"q": "4242", "all": ""})

    assert text.count("field-order_reference") == 50
    assert "201 payments" in text
    assert "p=5" in text


def test_keys_alone(bookings: Payment) -> None:
    refund = bookings.refunds.get()

    assert payment_keys("re_abc", Payment.objects.all()) == [bookings.pk]
    assert payment_keys("nothing", Payment.objects.all()) == []
    terms = ("re_abc", "req_refund", "req_refund_again", "pay_abc", "B 7 / 2")
    assert [refund_keys(term) for term in terms] == [[refund.pk]] * 5
    assert refund_keys("req_look") == [], "an exchange about the payment is not one about its refund"
