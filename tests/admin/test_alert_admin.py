"""The alerts in the admin: the list, its filters, an alert's page, and who may see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.alerts import a_delivery, a_resolved_alert, an_alert
from tests.admin.people import messages_of, someone, told
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON

pytestmark = pytest.mark.django_db
ALERTS = "/admin/django_flowlix/alert/"
ADDRESSES = [ALERTS, f"{ALERTS}1/change/", f"{ALERTS}dashboard/"]


@pytest.fixture
def watcher() -> Client:
    """Staff who may look at alerts and at nothing else."""
    return someone("watcher", "view_alert")


@pytest.fixture
def alerts() -> None:
    an_alert("decline_rate")
    an_alert("server_errors", livemode=True, began_at=NOON - timedelta(hours=2))
    an_alert("latency", state="pending", opened_at=None, began_at=NOON, value=5.5, worst_value=5.5)
    a_resolved_alert("rate_limited", value=0, worst_value=12, began_at=NOON - timedelta(days=1))


def titles(text: str) -> list[str]:
    return re.findall(r'field-listed_title"><a[^>]*>([^<]*)</a>', text)


def test_the_newest_come_first(alerts: None, watcher: Client) -> None:
    text = text_of(watcher, ALERTS)

    assert titles(text) == ["Slow answers", "Decline rate", "Server errors of the gateway", "Rate limit hits"]
    assert re.findall(r'field-worst_figure">([^<]*)<', text) == ["5.5 s", "70.0 %", "70.0 %", "12"]
    assert re.findall(r"flowlix-alert-(\w+)", text) == ["pending", "open", "open", "resolved"]
    assert f'href="{ALERTS}dashboard/"' in text


@pytest.mark.parametrize("order", ["4", "5", "-5.1", "1.2.3"])
def test_no_address_sorts_otherwise(alerts: None, watcher: Client, order: str) -> None:
    assert titles(text_of(watcher, ALERTS, {"o": order})) == titles(text_of(watcher, ALERTS))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "open"}, ["Decline rate", "Server errors of the gateway"]),
        ({"state": "pending"}, ["Slow answers"]),
        ({"state": "resolved"}, ["Rate limit hits"]),
        ({"rule": "latency"}, ["Slow answers"]),
        ({"rule": "latency", "state": "open"}, []),
    ],
)
def test_filters(alerts: None, watcher: Client, query: dict[str, str], found: list[str]) -> None:
    assert titles(text_of(watcher, ALERTS, query)) == found


@pytest.mark.parametrize("query", [{"state": "closed"}, {"rule": "x' OR 1=1"}, {"rule": ""}])
def test_a_choice_that_does_not_exist_is_said(alerts: None, watcher: Client, query: dict[str, str]) -> None:
    response = watcher.get(ALERTS, query, follow=True)

    assert len(titles(response.content.decode())) == 4
    (message,) = messages_of(response)
    assert "has no choice" in message


def test_other_columns_are_no_filters(alerts: None, watcher: Client) -> None:
    assert watcher.get(ALERTS, {"request_ids__contains": "req_a"}).status_code in (302, 400)


def test_the_list_costs_two_queries(alerts: None, watcher: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        text_of(watcher, ALERTS)

    assert len(own_queries(queries)) == 2


def test_an_account_is_shown_where_there_are_several(alerts: None, watcher: Client, settings: Any) -> None:
    assert "field-account" not in text_of(watcher, ALERTS)
    settings.FLOWLIX = settings.FLOWLIX | {
        "second": settings.FLOWLIX["default"] | {"IDEMPOTENCY_NAMESPACE": "second"},
    }
    assert text_of(watcher, ALERTS).count('field-account">default') == 4


def words_of(text: str) -> str:
    content = text[text.index('id="content"') :]
    return " ".join(re.sub(r"<[^>]*>", " ", content).split())


def test_a_page_says_what_is_wrong_and_what_to_do(watcher: Client) -> None:
    alert = an_alert()
    a_delivery(alert)
    a_delivery(alert, "log", deliver_at=None, delivered_at=NOON, attempts=0, last_error="")
    text = text_of(watcher, f"{ALERTS}{alert.pk}/change/")
    words = words_of(text)

    assert "Decline rate open 39 of 63 decided payments were declined" in words
    assert "Figure now 61.9 % Worst figure 70.0 % Bad from 50.0 %" in words
    assert "Began 2026-03-14 11:20 Opened 2026-03-14 11:30 Resolved -" in words
    assert "What to do Look at the decline reasons on the dashboard." in words
    assert "req_a req_b" in words
    assert "TEST Test mode" in words
    assert "opened mail not yet, next try 2026-03-14 12:05 3 SMTPServerDisconnected: &lt;b&gt;closed" in words
    assert "opened log 2026-03-14 12:00:00 0 -" in words
    assert f'href="{ALERTS}dashboard/?mode=test"' in text


def test_an_alert_that_is_over_says_why(watcher: Client) -> None:
    alert = a_resolved_alert(livemode=True)
    words = words_of(text_of(watcher, f"{ALERTS}{alert.pk}/change/"))

    assert "Slow answers resolved" in words
    assert "Worst figure 6.2 s" in words
    assert "Resolved 2026-03-14 11:40 good again for 10 minutes" in words
    assert "LIVE" in words
    assert "Nobody is set up to be told." in words


def test_one_that_nobody_was_told_of_yet(watcher: Client) -> None:
    alert = an_alert(state="pending", opened_at=None)
    assert "Nobody yet: it has not lasted long enough." in words_of(text_of(watcher, f"{ALERTS}{alert.pk}/change/"))


@pytest.mark.parametrize(("rule", "title"), [("test", "Test of the alerts"), ("of_tomorrow", "Of_tomorrow")])
def test_a_rule_that_is_none_is_shown_all_the_same(watcher: Client, rule: str, title: str) -> None:
    """The test of the alerts, and a rule of a version that is not installed any more."""
    alert = an_alert(rule, value=2.5, worst_value=3, threshold=1)

    assert titles(text_of(watcher, ALERTS)) == [title]
    assert "Figure now 2.5" in words_of(text_of(watcher, f"{ALERTS}{alert.pk}/change/"))


@pytest.mark.parametrize(
    ("who", "codenames", "expected"),
    [
        ("stranger", [], ["login"] * 3),
        ("customer", ["view_alert"], ["login"] * 3),
        ("staff", [], ["403"] * 3),
        ("staff", ["view_payment", "view_refund", "add_alert", "delete_alert"], ["403"] * 3),
        ("staff", ["view_alert"], ["200"] * 3),
        ("superuser", [], ["200"] * 3),
    ],
)
def test_who_may_see_alerts(who: str, codenames: list[str], expected: list[str]) -> None:
    an_alert(pk=1)
    client = someone(who, *codenames)

    assert [told(client.get(address)) for address in ADDRESSES] == expected


@pytest.mark.parametrize("address", [f"{ALERTS}add/", f"{ALERTS}1/delete/"])
def test_nobody_adds_or_deletes_one(superuser: Client, address: str) -> None:
    an_alert(pk=1)
    assert superuser.get(address).status_code == 403


def test_nobody_changes_one(superuser: Client) -> None:
    alert = an_alert(pk=1)

    assert superuser.post(f"{ALERTS}1/change/", {"state": "resolved"}).status_code == 403
    alert.refresh_from_db()
    assert alert.state == "open"


def monitoring(text: str) -> list[tuple[str, str]]:
    block = re.search(r"<caption>Monitoring</caption>.*?</table>", text, re.DOTALL)
    rows = re.findall(r'<a href="([^"]*)">([^<]*)</a>', block.group()) if block else []
    return [(words, address) for address, words in rows]


FIRST = ("First transactions: live payments one by one", "/admin/django_flowlix/payment/first/")
DASHBOARD = ("Dashboard: payments, declines, errors, latency", f"{ALERTS}dashboard/")


@pytest.mark.parametrize(
    ("codenames", "expected"),
    [
        (["view_alert"], [DASHBOARD, ("2 open alerts", f"{ALERTS}?state=open")]),
        (["view_payment"], [FIRST]),
        (["view_alert", "view_payment"], [DASHBOARD, ("2 open alerts", f"{ALERTS}?state=open"), FIRST]),
        (["view_refund"], []),
    ],
)
def test_the_apps_page_counts_open_alerts(alerts: None, codenames: list[str], expected: list[tuple[str, str]]) -> None:
    assert monitoring(text_of(someone("staff", *codenames), "/admin/django_flowlix/")) == expected


def test_one_open_alert_is_one(watcher: Client) -> None:
    an_alert()
    assert ("1 open alert", f"{ALERTS}?state=open") in monitoring(text_of(watcher, "/admin/django_flowlix/"))
