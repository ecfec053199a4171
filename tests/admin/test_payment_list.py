"""The list of payments: what it shows and costs, how far it reaches, and which columns it tells nothing of."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment
from tests.admin.reading import LIST, own_queries, text_of
from tests.admin.rows import a_payment, many_payments
from tests.conftest import a_request

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 60])
def test_the_list_costs_the_same_however_long_it_is(emulator: EmulatorServer, viewer: Client, count: int) -> None:
    emulator.set_rate_limit(1000)
    for number in range(count):
        start_payment(a_request(order_reference=str(number)))

    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, LIST)

    assert len(own_queries(queries)) == 2, "the rows and how many there are"
    assert len(queries) <= 6


def test_the_list_is_sorted_and_counted_by_what_has_an_index(payment: Payment, viewer: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, LIST, {"_facets": "True", "o": "2.3"})

    assert re.findall(r'class="sortable column-(\w+)', text) == ["created_at"]
    assert len(own_queries(queries)) == 2
    assert "ORDER BY" in own_queries(queries)[1]
    assert not re.search(r'ORDER BY.*(amount_minor|"?status)', own_queries(queries)[1])


@pytest.mark.parametrize(("sorting", "direction"), [({}, "DESC"), ({"o": "-5"}, "DESC"), ({"o": "5"}, "ASC")])
def test_an_index_is_read_in_one_direction(
    payment: Payment, viewer: Client, sorting: dict[str, str], direction: str
) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, LIST, sorting)

    order = own_queries(queries)[1].split("ORDER BY")[1].replace('"', "").replace("`", "")
    assert re.findall(r"(created_at|\bid) (ASC|DESC)", order) == [("created_at", direction), ("id", direction)]


def orders(text: str) -> list[str]:
    return re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text)


def test_the_newest_are_paged_and_the_page_says_where_it_ends(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_flowlix.admin.paging.MOST_LISTED", 70)
    many_payments(90)
    first, second = (text_of(viewer, LIST, {"p": page}) for page in ("1", "2"))

    assert orders(first) + orders(second) == [f"m{number}" for number in range(70)]
    assert "Only the newest 70 are listed: search or filter for older ones." in first
    assert "70 payments" in first
    assert viewer.get(LIST, {"p": "3"})["Location"] == f"{LIST}?e=1"
    assert orders(text_of(viewer, LIST, {"q": "m89"})) == ["m89"]


def test_a_list_that_is_whole_says_nothing(viewer: Client) -> None:
    many_payments(60)

    assert "are listed:" not in text_of(viewer, LIST)


@pytest.mark.parametrize("page", ["0", "-1", "999999999", "rubbish", "1.5"])
def test_a_page_that_is_none_leads_to_one(viewer: Client, page: str) -> None:
    many_payments(60)

    assert viewer.get(LIST, {"p": page}, follow=True).status_code == 200


def test_the_number_is_counted_from_the_index_alone(payment: Payment, viewer: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, LIST)

    counted = own_queries(queries)[0].replace('"', "").replace("`", "")
    assert "LIMIT 10000" in counted
    assert set(re.findall(r"django_flowlix_payment\.(\w+)", counted)) == {"created_at"}


def test_a_line_shows_card_and_what_went_back(viewer: Client) -> None:
    a_payment(amount_refunded_minor=1250, card_brand="visa", card_last4="4242")
    a_payment(amount_refunded_minor=0, card_last4="")
    text = text_of(viewer, LIST)

    assert re.findall(r'field-listed_card">([^<]*)<', text) == ["-", "Visa ••••\N{NO-BREAK SPACE}4242"]
    assert re.findall(r'field-listed_refund">([^<]*)<', text) == ["-", "12.50 EUR"]


def test_live_and_test_are_told_apart(payment: Payment, viewer: Client) -> None:
    assert '<span class="flowlix-badge flowlix-test">test</span>' in text_of(viewer, LIST)
    Payment.objects.update(livemode=True)
    assert '<span class="flowlix-badge flowlix-live">LIVE</span>' in text_of(viewer, LIST)


def test_payments_of_the_checklist_are_marked_beside_their_order(viewer: Client) -> None:
    a_payment("shop")
    a_payment("flowlix-check-1", from_checklist=True, livemode=True)
    modes = re.findall(r'field-mode">(.*?)</td>', text_of(viewer, LIST))

    assert [re.findall(r">([^<]+)</span>", mode) for mode in modes] == [["LIVE", "self-check"], ["test"]]


@pytest.mark.parametrize(
    "lookup",
    [
        "return_token__startswith",
        "request_body__contains",
        "idempotency_key",
        "idempotency_key__regex",
        "gateway_id__startswith",
        "order_reference__startswith",
        "pk__gt",
        "api_calls__path__contains",
        "status_changes__note__contains",
        "content_type__app_label",
        "statuses",
    ],
)
@pytest.mark.parametrize("who", ["superuser", "viewer"])
def test_p7_hidden_columns_cannot_be_questioned_letter_by_letter(
    payment: Payment, who: str, lookup: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    answers = [client.get(LIST, {lookup: value}) for value in (payment.return_token[:1], "!")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("lookup", "value", "found"),
    [
        ("status__exact", "pending", ["1001"]),
        ("status__exact", "succeeded", []),
        ("mode", "test", ["1001"]),
        ("mode", "live", []),
        ("q", "1001", ["1001"]),
    ],
)
def test_the_filters_beside_the_list_work(
    payment: Payment, viewer: Client, lookup: str, value: str, found: list[str]
) -> None:
    text = text_of(viewer, LIST, {lookup: value})

    assert re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text) == found
    assert "?status__exact=pending" in text_of(viewer, LIST)
