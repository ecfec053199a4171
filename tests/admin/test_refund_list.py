"""The list of refunds: found by every id, read-only, and nothing that was sent is ever read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import Refund
from tests.admin.people import someone, told
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON, a_call, a_payment, a_refund

pytestmark = pytest.mark.django_db
LIST = "/admin/django_flowlix/refund/"


@pytest.fixture
def refund() -> Refund:
    """12.50 EUR of order "B 7", asked for by Anna; beside it one of another order, found at the gateway."""
    a_refund(a_payment("other"), source="gateway", requested_by_name="", reason="by the bank", idempotency_key=None)
    payment = a_payment("B 7", gateway_id="pay_b7", livemode=True)
    refund = a_refund(payment, gateway_id="re_b7", request_id="req_b7", created_at=NOON + timedelta(days=1))
    a_call(payment, "req_repeat", refund)
    return refund


def reasons(client: Client, **chosen: str) -> list[str]:
    return re.findall(r'field-reason">([^<]*)<', text_of(client, LIST, chosen))


@pytest.mark.parametrize("term", ["re_b7", "req_b7", "req_repeat", "pay_b7", "B 7", " B 7 "])
def test_every_id_finds_the_refund(refund: Refund, almighty: Client, term: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert reasons(almighty, q=term) == ["sent back"]

    assert len(own_queries(queries)) == 2
    assert len(queries) <= 6


@pytest.mark.parametrize("term", ["B", "re_", "refund-key-2", "secret-form-2", "sent back", "anna", "%", "4242"])
def test_nothing_else_finds_anything(refund: Refund, almighty: Client, term: str) -> None:
    assert reasons(almighty, q=term) == []


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, ["sent back", "by the bank"]),
        ({"status__exact": "succeeded"}, ["sent back", "by the bank"]),
        ({"status__exact": "failed"}, []),
        ({"source__exact": "gateway"}, ["by the bank"]),
        ({"source__exact": "admin"}, ["sent back"]),
        ({"day__to": "2026-03-14"}, ["by the bank"]),
        ({"queue": "stuck"}, []),
    ],
)
def test_the_filters(refund: Refund, almighty: Client, chosen: dict[str, str], found: list[str]) -> None:
    assert reasons(almighty, **chosen) == found


def test_a_line_says_who_why_of_which_payment(refund: Refund, almighty: Client) -> None:
    text = text_of(almighty, LIST)
    line = text[text.index("re_b7") - 1500 : text.index("re_b7")]

    for shown in ("12.50 EUR", "LIVE", "anna (staff)", "sent back", "refunded"):
        assert shown in line
    assert f'<a href="/admin/django_flowlix/payment/{refund.payment_id}/change/">B 7</a>' in line


def test_the_list_costs_two_queries_however_long_it_is(refund: Refund, almighty: Client) -> None:
    for number in range(60):
        a_refund(refund.payment, reason=f"r{number}")
    with CaptureQueriesContext(connection) as queries:
        text = text_of(almighty, LIST)

    assert text.count("field-reason") == 50
    assert len(own_queries(queries)) == 2
    assert len(queries) <= 6


def test_what_was_sent_and_the_forms_token_are_neither_shown_nor_read(refund: Refund, almighty: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        texts = text_of(almighty, LIST) + text_of(almighty, f"{LIST}{refund.pk}/change/")

    read = " ".join(own_queries(queries))
    for hidden in ("request_body", "submission_token", "return_token"):
        assert hidden not in read
        assert hidden not in texts
    assert "secret" not in texts


def test_the_page_tells_all_and_leads_to_the_payment(refund: Refund, almighty: Client) -> None:
    text = text_of(almighty, f"{LIST}{refund.pk}/change/")

    for shown in ("12.50 EUR", "anna (staff)", "sent back", "re_b7", "req_b7", "refund-key-2", "LIVE"):
        assert shown in text
    assert f'<a href="/admin/django_flowlix/payment/{refund.payment_id}/change/">B 7</a>' in text
    assert 'name="_save"' not in text
    assert "deletelink" not in text


@pytest.mark.parametrize(
    ("who", "codenames", "answer"),
    [
        ("stranger", [], "login"),
        ("customer", ["view_refund"], "login"),
        ("staff", [], "403"),
        ("staff", ["view_payment", "refund_payment"], "403"),
        ("staff", ["view_refund"], "200"),
        ("superuser", [], "200"),
    ],
)
def test_who_may_look(refund: Refund, who: str, codenames: list[str], answer: str) -> None:
    client = someone(who, *codenames)

    assert [told(client.get(LIST)), told(client.get(f"{LIST}{refund.pk}/change/"))] == [answer, answer]


@pytest.mark.parametrize("who", ["superuser", "almighty"])
def test_nobody_can_change_anything(refund: Refund, who: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    page = f"{LIST}{refund.pk}/"
    answers = [
        client.post(f"{page}change/", {"status": "failed", "amount_minor": "1"}),
        client.post(f"{page}delete/", {"post": "yes"}),
        client.get(f"{LIST}add/"),
        client.post(f"{LIST}add/", {"status": "succeeded"}),
    ]
    client.post(LIST, {"action": "delete_selected", "_selected_action": [refund.pk], "index": "0", "post": "yes"})

    assert [answer.status_code for answer in answers] == [403] * 4
    assert Refund.objects.get(pk=refund.pk).status == "succeeded"
    assert Refund.objects.count() == 2


@pytest.mark.parametrize(
    "lookup", ["request_body__contains", "submission_token__startswith", "payment__request_body__contains", "reason"]
)
def test_hidden_columns_cannot_be_questioned(refund: Refund, superuser: Client, lookup: str) -> None:
    assert superuser.get(LIST, {lookup: "s"}).status_code == 400


@pytest.mark.parametrize("unknown", ["999999", "rubbish", "%00", "1' OR '1'='1"])
def test_an_unknown_refund_leads_back(refund: Refund, almighty: Client, unknown: str) -> None:
    assert almighty.get(f"{LIST}{unknown}/change/").status_code == 302


def test_texts_are_escaped(refund: Refund, almighty: Client) -> None:
    nasty = "<script>alert('x')</script>"
    Refund.objects.update(reason=nasty, note=nasty, requested_by_name=nasty, gateway_status=nasty, request_id=nasty)
    for text in (text_of(almighty, LIST), text_of(almighty, f"{LIST}{refund.pk}/change/")):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text
