"""The list of payments: exact search, few filters, and no way to question a column that is not shown."""

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
from tests.conftest import FakeClock, a_request

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


def shown(client: Client, term: str) -> list[str]:
    return re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text_of(client, LIST, {"q": term}))


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("1001", ["1001"]),
        ("  1001 ", ["1001"]),
        ("100", []),
        ("B 7 / 2", ["B 7 / 2"]),
        ("B 7", []),
        ("b 7 / 2", []),
        ("%", []),
        ("1001 B", []),
        ("", ["B 7 / 2", "1001"]),
    ],
)
def test_the_search_is_exact(
    payment: Payment, fake_clock: FakeClock, viewer: Client, term: str, found: list[str]
) -> None:
    fake_clock.advance(minutes=1)
    start_payment(a_request(order_reference="B 7 / 2"))

    assert shown(viewer, term) == found


def test_the_search_finds_payment_ids_and_request_ids(payment: Payment, viewer: Client) -> None:
    start_payment(a_request(order_reference="2"))

    assert shown(viewer, str(payment.gateway_id)) == ["1001"]
    assert shown(viewer, payment.request_id) == ["1001"]


def test_a_search_for_nul_is_refused_politely(payment: Payment, viewer: Client) -> None:
    assert "Null characters are not allowed" in text_of(viewer, LIST, {"q": "a\x00"})


def test_the_list_is_sorted_and_counted_by_what_has_an_index(payment: Payment, viewer: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, LIST, {"_facets": "True", "o": "2.3"})

    assert re.findall(r'class="sortable column-(\w+)', text) == ["created_at"]
    assert len(own_queries(queries)) == 2
    assert "ORDER BY" in own_queries(queries)[1]
    assert not re.search(r'ORDER BY.*(amount_minor|"?status)', own_queries(queries)[1])


def test_live_and_test_are_told_apart(payment: Payment, viewer: Client) -> None:
    assert '<span class="flowlix-badge flowlix-test">test</span>' in text_of(viewer, LIST)
    Payment.objects.update(livemode=True)
    assert '<span class="flowlix-badge flowlix-live">LIVE</span>' in text_of(viewer, LIST)


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
        ("livemode__exact", "0", ["1001"]),
        ("livemode__exact", "1", []),
        ("q", "1001", ["1001"]),
    ],
)
def test_the_filters_beside_the_list_work(
    payment: Payment, viewer: Client, lookup: str, value: str, found: list[str]
) -> None:
    text = text_of(viewer, LIST, {lookup: value})

    assert re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text) == found
    assert "?status__exact=pending" in text_of(viewer, LIST)
