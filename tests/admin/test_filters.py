"""The filters beside the list: what they narrow, and what becomes of a choice that does not exist."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.models import Payment
from tests.admin.reading import LIST, own_queries, text_of
from tests.admin.rows import NOON, a_payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db


@pytest.fixture
def four(settings: Any) -> None:
    """Four payments that differ in everything that is filtered, of two accounts."""
    shared = {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}
    settings.FLOWLIX = {alias: shared | {"IDEMPOTENCY_NAMESPACE": alias} for alias in ("default", "second")}
    a_payment("paid", livemode=True)
    a_payment("declined", status="failed", account="second", created_at=NOON - timedelta(days=1))
    a_payment(
        "doubtful",
        status="pending",
        review_reason="mismatch",
        review_since=NOON,
        created_at=NOON - timedelta(days=2),
    )
    a_payment("unsent", status="created", gateway_id=None, created_at=NOON - timedelta(days=40))


def shown(client: Client, **chosen: str) -> list[str]:
    return re.findall(r'field-order_reference"><a[^>]*>([^<]*)</a>', text_of(client, LIST, chosen))


@pytest.mark.parametrize(
    ("chosen", "orders"),
    [
        ({}, ["paid", "declined", "doubtful", "unsent"]),
        ({"status__exact": "failed"}, ["declined"]),
        ({"status__exact": "succeeded"}, ["paid"]),
        ({"mode": "live"}, ["paid"]),
        ({"mode": "test"}, ["declined", "doubtful", "unsent"]),
        ({"account": "second"}, ["declined"]),
        ({"account": "default"}, ["paid", "doubtful", "unsent"]),
        ({"review_reason": "mismatch"}, ["doubtful"]),
        ({"review_reason": "second_success"}, []),
        ({"day__from": "2026-03-13"}, ["paid", "declined"]),
        ({"day__to": "2026-03-12"}, ["doubtful", "unsent"]),
        ({"day__from": "2026-03-13", "day__to": "2026-03-13"}, ["declined"]),
        ({"day__from": "", "day__to": ""}, ["paid", "declined", "doubtful", "unsent"]),
        ({"mode": "test", "status__exact": "pending", "account": "default"}, ["doubtful"]),
    ],
)
def test_a_filter_narrows_the_list(four: None, viewer: Client, chosen: dict[str, str], orders: list[str]) -> None:
    assert shown(viewer, **chosen) == orders


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "maybe"),
        ("mode", ""),
        ("mode", "\x00"),
        ("account", "nobody"),
        ("account", "' OR 1=1 --"),
        ("queue", "everything"),
        ("review_reason", "<script>"),
        ("review_reason", "x" * 5000),
        ("day__from", "yesterday"),
        ("day__from", "2026-02-30"),
        ("day__from", "0001-01-01"),
        ("day__to", "9999-12-31"),
        ("day__to", "\x00"),
    ],
)
def test_an_unknown_choice_is_said_and_shows_the_whole_list(four: None, viewer: Client, name: str, value: str) -> None:
    response = viewer.get(LIST, {name: value}, follow=True)

    assert response.redirect_chain == [(f"{LIST}?e=1", 302)]
    (message,) = [str(message) for message in response.context["messages"]]
    assert re.match(r"The filter “[a-z ]+” has no choice “.{0,50}”, so the whole list is shown\.", message)
    assert "<script>" not in re.sub(r"<script src=[^>]*>", "", response.content.decode())


@pytest.mark.parametrize("lookup", ["livemode__exact", "day__between__x", "day", "queues", "created_at__gte"])
def test_other_columns_are_not_filtered_by(four: None, viewer: Client, lookup: str) -> None:
    response = viewer.get(LIST, {lookup: "1"})

    assert (response.status_code, response.headers.get("Location")) in ((400, None), (302, f"{LIST}?e=1"))


def test_accounts_come_from_the_settings_not_from_the_table(four: None, viewer: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text = text_of(viewer, LIST)

    assert re.findall(r"\?account=(\w+)", text) == ["default", "second"]
    assert len(own_queries(queries)) == 2
    assert "DISTINCT" not in "".join(own_queries(queries))
    assert "field-account" in text


def test_one_account_needs_no_filter_and_no_column(emulated: None, viewer: Client) -> None:
    a_payment()
    text = text_of(viewer, LIST)

    assert "?account=" not in text
    assert "field-account" not in text


@pytest.fixture
def emulated(emulator: object) -> None:
    """One account."""


@pytest.mark.parametrize("broken", [{}, {"default": {"SECRET_KEY": "rubbish"}}])
def test_a_broken_setting_does_not_close_the_list(viewer: Client, settings: Any, broken: dict[str, Any]) -> None:
    a_payment()
    settings.FLOWLIX = broken

    assert shown(viewer) == ["1001"]
    assert viewer.get(LIST, {"account": "default"})["Location"] == f"{LIST}?e=1", "an account that is not known"


def test_days_are_those_of_the_time_zone(viewer: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # there it is already the 15th
    a_payment()

    assert shown(viewer, day__from="2026-03-15") == ["1001"]
    assert shown(viewer, day__to="2026-03-14") == []


def test_the_form_for_days_keeps_the_rest(four: None, viewer: Client, fake_clock: FakeClock) -> None:
    fake_clock.current = NOON
    text = text_of(viewer, LIST, {"mode": "test", "q": "x", "day__from": "2026-03-08", "p": "1"})
    form = text[text.index('class="flowlix-days"') :].split("</form>")[0]

    assert re.findall(r'type="hidden" name="(\w+)" value="(\w*)"', form) == [("mode", "test"), ("q", "x")]
    assert 'name="day__from" id="flowlix-day-from" value="2026-03-08"' in form
    links = re.findall(r'href="\?([^"]*)">(?:Any day|Today|Past \d+ days)<', text)
    assert links == [
        "mode=test&amp;q=x",
        "day__from=2026-03-14&amp;mode=test&amp;q=x",
        "day__from=2026-03-08&amp;mode=test&amp;q=x",
        "day__from=2026-02-13&amp;mode=test&amp;q=x",
    ]
    assert '<li class="selected"><a href="?day__from=2026-03-08' in text


@pytest.mark.parametrize(
    "chosen", [{"queue": "review"}, {"mode": "test"}, {"account": "second"}, {"day__to": "2026-03-13"}]
)
def test_a_filtered_list_costs_two_queries(four: None, viewer: Client, chosen: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, LIST, chosen)

    assert len(own_queries(queries)) == 2
    assert len(queries) <= 6


def test_the_reason_is_looked_for_among_what_needs_a_review(four: None, viewer: Client) -> None:
    """A reason that was left behind has no index; and nobody is to look at it any more."""
    Payment.objects.filter(order_reference="doubtful").update(review_since=None)

    assert shown(viewer, review_reason="mismatch") == []
