"""The dashboard's page: what it can be asked for, what it says of the present, and how it is made."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.services.monitoring.queues import ALL_QUEUES
from django_flowlix.services.monitoring.tallies import close_hours
from tests.admin.alerts import a_complete_run, a_delivery, a_resolved_alert, an_alert
from tests.admin.monitored import DASH, DASHBOARD, ago, headlines, rows_of, some_hours, table_of, words_of
from tests.admin.people import messages_of, someone
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON, a_payment
from tests.conftest import TEST_KEY, FakeClock
from tests.services.monitoring.happened import calls, payments

pytestmark = pytest.mark.django_db
LIVE_KEY = TEST_KEY.replace("test", "live")


@pytest.fixture(autouse=True)
def twenty_past_twelve(fake_clock: FakeClock) -> FakeClock:
    fake_clock.current = NOON + timedelta(minutes=20)
    return fake_clock


@pytest.fixture
def watcher() -> Client:
    return someone("watcher", "view_alert")


def current(text: str, label: str) -> str:
    nav = re.search(rf'<nav class="flowlix-tabs" aria-label="{label}">.*?</nav>', text, re.DOTALL)
    assert nav
    (chosen,) = re.findall(r'aria-current="true">([^<]*)<', nav.group())
    return str(chosen)


def links(text: str, label: str) -> list[str]:
    nav = re.search(rf'<nav class="flowlix-tabs" aria-label="{label}">.*?</nav>', text, re.DOTALL)
    return [unescape(link) for link in re.findall(r'href="([^"]*)"', nav.group())] if nav else []


def test_live_and_test_are_apart(watcher: Client) -> None:
    payments(3, "succeeded", ago(hours=1))
    payments(5, "succeeded", ago(hours=1), livemode=True)

    assert headlines(text_of(watcher, DASHBOARD, {"mode": "test"}))["Paid"][0] == "3"
    assert headlines(text_of(watcher, DASHBOARD, {"mode": "live"}))["Paid"][0] == "5"


def accounts_with(settings: Any, **keys: str) -> None:
    base = {"BASE_URL": "https://shop.example"}
    settings.FLOWLIX = {alias: base | {"SECRET_KEY": key} for alias, key in keys.items()}


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        ({"default": TEST_KEY}, "Test"),
        ({"default": LIVE_KEY}, "Live"),
        ({"default": TEST_KEY, "eu": LIVE_KEY}, "Live"),
    ],
)
def test_it_begins_with_live_as_soon_as_an_account_is(
    watcher: Client, settings: Any, keys: dict[str, str], mode: str
) -> None:
    accounts_with(settings, **keys)
    text = text_of(watcher, DASHBOARD)

    assert (current(text, "Period"), current(text, "Mode")) == ("24 hours", mode)


def test_an_account_is_chosen_where_there_are_several(watcher: Client, settings: Any) -> None:
    payments(3, "succeeded", ago(hours=1))
    payments(4, "succeeded", ago(hours=1), account="eu")
    accounts_with(settings, default=TEST_KEY)
    assert links(text_of(watcher, DASHBOARD), "Account") == []

    accounts_with(settings, default=TEST_KEY, eu=TEST_KEY + "2")
    text = text_of(watcher, DASHBOARD, {"window": "7d", "account": "eu"})

    assert (current(text, "Account"), headlines(text)["Paid"][0]) == ("eu", "4")
    assert headlines(text_of(watcher, DASHBOARD))["Paid"][0] == "7"
    assert links(text, "Account") == [
        "?window=7d&mode=test",
        "?window=7d&mode=test&account=default",
        "?window=7d&mode=test&account=eu",
    ]
    assert links(text, "Mode") == ["?window=7d&mode=live&account=eu", "?window=7d&mode=test&account=eu"]
    assert links(text, "Period")[2] == "?window=30d&mode=test&account=eu"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"window": "1y"}, "There is no period “1y”: the last 24 hours are shown."),
        ({"window": ""}, "There is no period “”: the last 24 hours are shown."),
        ({"mode": "demo"}, "There is no mode “demo”: the test mode is shown."),
        ({"account": "x" * 90}, f"There is no account “{'x' * 50}”: all accounts are shown."),
        ({"account": "<script>"}, "There is no account “<script>”: all accounts are shown."),
    ],
)
def test_what_does_not_exist_is_said_and_replaced(watcher: Client, query: dict[str, str], said: str) -> None:
    payments(3, "succeeded", ago(hours=1))
    response = watcher.get(DASHBOARD, query)

    assert messages_of(response) == [f"warning: {said}"]
    text = response.content.decode()
    assert (current(text, "Period"), current(text, "Mode")) == ("24 hours", "Test")
    assert headlines(text)["Paid"][0] == "3"
    assert "<script>" not in text.replace("<script src", "").replace('<script id="django-admin', "")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_read(watcher: Client, method: str) -> None:
    assert getattr(watcher, method)(DASHBOARD).status_code == 405


def test_settings_that_are_wrong_do_not_hide_what_happened(watcher: Client, settings: Any) -> None:
    payments(3, "succeeded", ago(hours=1), livemode=True)
    settings.FLOWLIX = {"default": {}}

    assert headlines(text_of(watcher, DASHBOARD))["Paid"][0] == "3"


# --- The present ---


def test_open_alerts_of_what_is_shown(watcher: Client) -> None:
    alert = an_alert("decline_rate")
    later = alert.opened_at + timedelta(minutes=1)
    an_alert("stuck", value=3, worst_value=3, summary="3 payments are stuck", account="eu", opened_at=later)
    an_alert("latency", livemode=True)
    an_alert("no_answers", state="pending", opened_at=None)
    a_resolved_alert("rate_limited")
    words = words_of(text := text_of(watcher, DASHBOARD))

    assert re.findall(r'<h3><a href="[^"]*">([^<]*)</a></h3>', text) == ["Decline rate", "Stuck payments or refunds"]
    assert (
        "61.9 % worst 70.0 % Decline rate Open since Sat 14 Mar, 11:30 (50 minutes), account default. "
        "39 of 63 decided payments were declined What to do: Look at the decline reasons on the dashboard."
    ) in words
    assert "3 Stuck payments or refunds" in words
    assert f'href="/admin/django_flowlix/alert/{alert.pk}/change/"' in text
    assert "1 alert is open in another mode or account" in words
    assert "1 rule is broken, but not long enough yet for an alert." in words
    assert "No open alerts" not in words
    assert "Slow answers" not in words


def test_a_headline_says_that_there_is_an_alert_about_it(watcher: Client) -> None:
    an_alert("decline_rate")
    an_alert("latency", livemode=True)
    some_hours()
    found = headlines(text_of(watcher, DASHBOARD))

    assert [name for name, cells in found.items() if "open alert" in cells] == ["Decline rate"]


def test_who_could_not_be_told_is_said_in_every_mode(watcher: Client) -> None:
    alert = an_alert("latency", livemode=True)
    a_delivery(alert)
    a_delivery(alert, "log", deliver_at=None, delivered_at=NOON, attempts=1)
    words = words_of(text_of(watcher, DASHBOARD))

    assert "Somebody could not be told of an alert mail : Slow answers , 3 failed attempts." in words
    assert "SMTPServerDisconnected: <b>closed</b>" in words
    assert "log :" not in words


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "No open alerts"),
        (59, "No open alerts"),
        (60, "It has not judged all that is shown here since Sat 14 Mar 2026, 11:20."),
        (3 * 24 * 60, "It has not judged all that is shown here since Wed 11 Mar 2026, 12:20."),
        (None, "It has never judged all that is shown here."),
    ],
)
def test_without_a_monitor_that_judges_there_is_no_reason_to_be_calm(
    watcher: Client, minutes: int | None, said: str
) -> None:
    """Whether hours are counted says nothing of it: `flowlix_prune` does so too, and a run that fails."""
    calls(1, ago(hours=9))
    close_hours(ago(minutes=-20))
    if minutes is not None:
        a_complete_run(ago(minutes=minutes - 20))
    words = words_of(text_of(watcher, DASHBOARD))

    is_watched = said == "No open alerts"
    assert said in words
    assert ("No open alerts" in words) is is_watched
    assert ("Nobody watches: flowlix_monitor does not seem to run" in words) is not is_watched


@pytest.mark.parametrize(
    ("query", "is_watched"),
    [
        ({}, False),
        ({"account": "default"}, True),
        ({"account": "eu"}, False),
        ({"account": "new"}, False),
        ({"mode": "live"}, False),
    ],
)
def test_the_account_that_was_judged_longest_ago_counts(
    watcher: Client, settings: Any, query: dict[str, str], is_watched: bool
) -> None:
    accounts_with(settings, default=TEST_KEY, eu=TEST_KEY + "2", new=TEST_KEY + "3")
    a_complete_run()
    a_complete_run(ago(hours=2), account="eu")

    assert ("No open alerts" in words_of(text_of(watcher, DASHBOARD, query))) is is_watched


def test_one_account_that_was_never_judged_is_enough_to_worry(watcher: Client, settings: Any) -> None:
    accounts_with(settings, default=TEST_KEY, new=TEST_KEY + "2")
    a_complete_run()
    assert "It has never judged all that is shown here." in words_of(text_of(watcher, DASHBOARD))
    a_complete_run(account="new")
    assert "No open alerts" in words_of(text_of(watcher, DASHBOARD))


def test_every_queue_is_there_with_its_age(watcher: Client) -> None:
    a_complete_run(ago(hours=7))
    a_payment("waits", review_reason="mismatch", review_since=ago(hours=3))
    a_payment("live", review_reason="mismatch", review_since=ago(hours=9), livemode=True)
    a_payment("unconfirmed", status="created", first_sent_at=NOON, gateway_id=None, created_at=ago(minutes=10))
    a_payment("overdue", status="pending", next_sync_at=ago(hours=1), created_at=ago(hours=2))
    rows = rows_of(text_of(watcher, DASHBOARD), "Waiting now")

    assert len(rows) == len(ALL_QUEUES) == 8
    assert [row for row in rows if row[1] != "0"] == [
        ["Payments: needs review", "1", "3 hours"],
        ["Payments: unconfirmed", "1", "30 minutes"],
        ["Payments: overdue for flowlix_sync", "1", "1 hour"],
    ]
    assert ["Shop's code: not told", "0", DASH] in rows
    assert not [row for row in rows if "judged" in row[0]]


@pytest.mark.parametrize(
    ("codenames", "expected"),
    [
        (["view_alert"], []),
        (
            ["view_alert", "view_payment"],
            ["payment/?queue=review", "payment/?queue=unconfirmed", "payment/?queue=stuck"],
        ),
        (["view_alert", "view_refund"], ["refund/?queue=unconfirmed", "refund/?queue=stuck"]),
    ],
)
def test_queues_lead_to_the_lists_one_may_see(codenames: list[str], expected: list[str]) -> None:
    text = text_of(someone("staff", *codenames), DASHBOARD)

    assert re.findall(r'href="/admin/django_flowlix/(\w+/\?queue=\w+)"', text) == expected
    assert ("payment/first/" in text) is ("view_payment" in codenames)


def test_webhooks_are_not_applicable(watcher: Client, settings: Any) -> None:
    accounts_with(settings, default=TEST_KEY)
    assert "Silence of webhooks not applicable: contract eu has no webhooks, the gateway is asked instead" in words_of(
        text_of(watcher, DASHBOARD)
    )


# --- How it is made ---


@pytest.mark.parametrize("mode", ["live", "test"])
def test_nothing_has_happened_yet(watcher: Client, mode: str) -> None:
    words = words_of(text := text_of(watcher, DASHBOARD, {"mode": mode}))

    assert f"Nothing happened in {mode} mode in this period" in words
    assert "<figure" not in text
    other = "test" if mode == "live" else "live"
    assert f'href="?window=30d&amp;mode={mode}"' in text
    assert f'href="?window=24h&amp;mode={other}"' in text
    assert len(rows_of(text, "Waiting now")) == 8


def test_a_picture_of_nothing_says_so(watcher: Client) -> None:
    calls(30, ago(hours=1))
    words = words_of(text_of(watcher, DASHBOARD))

    assert "No call failed" in words
    assert "No payment was decided" in words
    assert "No payment came to an end" in words
    assert "No payment was declined in this period." in words


def test_every_picture_has_a_name_a_description_and_its_table(watcher: Client) -> None:
    some_hours()
    text = text_of(watcher, DASHBOARD)

    figures = re.findall(r"<figure .*?</figure>", text, re.DOTALL)
    assert len(figures) == 4
    for figure in figures:
        assert re.search(
            r'<svg[^>]*role="img" aria-labelledby="([\w-]+) ([\w-]+)".*<title id="\1">.*<desc id="\2">',
            figure,
            re.DOTALL,
        )
        assert "<details" in figure
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_nothing_is_inline_and_coordinates_are_the_same_in_every_language(watcher: Client, settings: Any) -> None:
    some_hours()
    english = text_of(watcher, DASHBOARD)
    settings.LANGUAGES = [("de", "German")]
    settings.LANGUAGE_CODE = "de"
    german = text_of(watcher, DASHBOARD)

    for text in (english, german):
        assert "style=" not in text
        assert "<style" not in text
        assert not re.search(r"<script(?![^>]* (src|type)=)", text)
    drawn = r'(?:x|y|width|height|cx|cy|d|points)="[^"]*"'
    assert re.findall(drawn, english) == re.findall(drawn, german)
    assert "25,6" in german


def test_every_table_is_unfolded_when_asked(watcher: Client) -> None:
    some_hours()
    folded, unfolded = text_of(watcher, DASHBOARD), text_of(watcher, DASHBOARD, {"tables": "open"})

    assert folded.count('<details class="flowlix-numbers">') == 4
    assert unfolded.count('<details class="flowlix-numbers" open>') == 4
    assert "?window=24h&amp;mode=test&amp;tables=open" in folded


def test_other_time_zones_do_not_move_the_hours(watcher: Client, settings: Any) -> None:
    some_hours()
    settings.TIME_ZONE = "Asia/Kathmandu"
    text = text_of(watcher, DASHBOARD)

    assert table_of(text, "volume")[f"Sat 14 Mar 10:00{DASH}11:00"] == ["27", "9", "0"]
    assert "Fri 13 Mar 2026, 13:00 – Sat 14 Mar 2026, 12:20 All times on this page are UTC." in words_of(text)  # noqa: RUF001


@pytest.mark.parametrize("window", ["24h", "7d", "30d"])
@pytest.mark.parametrize("closed", [False, True])
def test_it_costs_six_queries(watcher: Client, window: str, closed: bool) -> None:
    some_hours()
    a_complete_run()
    a_delivery(an_alert())
    if closed:
        close_hours(NOON)
    with CaptureQueriesContext(connection) as queries:
        text_of(watcher, DASHBOARD, {"window": window})

    assert len(own_queries(queries)) == 6
