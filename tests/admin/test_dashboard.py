"""The dashboard's figures, computed by hand; few are not judged, whatever the hours are counted from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from django_flowlix.services.monitoring.tallies import close_hours
from tests.admin.monitored import DASH, DASHBOARD, SPACE, ago, headlines, rows_of, some_hours, table_of, words_of
from tests.admin.people import someone
from tests.admin.reading import text_of
from tests.admin.rows import NOON
from tests.conftest import FakeClock
from tests.services.monitoring.happened import calls, payments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def twenty_past_twelve(fake_clock: FakeClock) -> FakeClock:
    fake_clock.current = NOON + timedelta(minutes=20)
    return fake_clock


@pytest.fixture
def watcher() -> Client:
    return someone("watcher", "view_alert")


def test_the_figures_of_the_period(watcher: Client) -> None:
    """39 decided, 10 of them declined; 100 calls: 4 with 5xx, 2 with 429, 4 without an answer."""
    some_hours()

    assert headlines(text_of(watcher, DASHBOARD)) == {
        "Paid": ["29", "2,699.12 EUR", "40.00 SEK"],
        "Decline rate": ["25.6 %", "10 of 39 decided"],
        "Ended otherwise": ["3", "3 expired"],
        "Refunds": ["1", "2.50 EUR", "1 failed"],
        "Server errors (5xx)": ["4.0 %", "4 of 100 calls"],
        "No answer": ["4.0 %", "4 of 100 calls"],
        "Rate limited (429)": ["2", "of 100 calls"],
        # Of 97 calls that were sent, 92 took up to 100 ms: the 92.15th is the first part of the class of 2 to 3 s.
        "Latency p95": ["2.0 s", "half of the calls within 76 ms"],
    }


@pytest.mark.parametrize("closed", [False, True])
def test_the_same_by_the_hour(watcher: Client, closed: bool) -> None:
    some_hours()
    if closed:
        close_hours(NOON)
    text = text_of(watcher, DASHBOARD)

    volume = table_of(text, "volume")
    assert len(volume) == 24
    assert volume[f"Sat 14 Mar 10:00{DASH}11:00"] == ["27", "9", "0"]
    assert volume[f"Sat 14 Mar 11:00{DASH}12:00"] == ["2", "1", "0"]
    assert volume[f"Sat 14 Mar 07:00{DASH}08:00"] == ["0", "0", "3"]
    assert volume[f"Sat 14 Mar 12:00{DASH}13:00 (so far)"] == ["0", "0", "0"]
    rates = table_of(text, "decline-rate")
    assert rates[f"Sat 14 Mar 10:00{DASH}11:00"] == ["9", "36", f"25.0{SPACE}%"]
    assert rates[f"Sat 14 Mar 11:00{DASH}12:00"] == ["1", "3", "too few"]
    assert rates[f"Fri 13 Mar 13:00{DASH}14:00"] == ["0", "0", DASH]
    errors = table_of(text, "errors")
    assert errors[f"Sat 14 Mar 10:00{DASH}11:00"] == ["4", "0", "0"]
    assert errors[f"Sat 14 Mar 09:00{DASH}10:00"] == ["0", "2", "4"]
    latency = table_of(text, "latency")
    # The 89.3th of 90 calls that share the class of 50 to 100 ms.
    assert latency[f"Sat 14 Mar 10:00{DASH}11:00"] == ["94", "76 ms", "100 ms"]
    assert latency[f"Sat 14 Mar 09:00{DASH}10:00"] == ["3", "88 ms", "over 30 s"]
    assert latency[f"Sat 14 Mar 08:00{DASH}09:00"] == ["0", DASH, DASH]


def test_decline_reasons_are_explained_to_staff(watcher: Client) -> None:
    some_hours()
    rows = rows_of(text_of(watcher, DASHBOARD), "Why payments were declined")

    assert [row[:3] for row in rows] == [
        ["insufficient_funds", "6", "60.0 %"],
        ["stolen_card", "3", "30.0 %"],
        ["no code", "1", "10.0 %"],
    ]
    assert rows[0][3].startswith("The account does not cover the amount.")
    assert "Never tell the customer" in rows[1][3]
    assert rows[2][3].startswith("The bank declined without giving a reason.")


def test_decline_rates_by_brand_and_country_are_not_judged_on_few(watcher: Client) -> None:
    """Visa: 23 + 2 paid, 6 + 1 declined, so 7 of 32. Mastercard: 3 of 7."""
    some_hours()
    text = text_of(watcher, DASHBOARD)

    assert rows_of(text, "Decline rate by card brand") == [
        ["Visa", "32", "7", "21.9 %"],
        ["Mastercard", "7", "3", "too few"],
    ]
    assert rows_of(text, "Decline rate by card country") == [["DE", "32", "7", "21.9 %"], ["FR", "7", "3", "too few"]]


@pytest.mark.parametrize(
    ("brand", "shown"),
    [
        ("visa", "Visa"),
        ("mastercard", "Mastercard"),
        ("amex", "American Express"),
        ("american_express", "American Express"),
        ("discover", "Discover"),
        ("diners", "Diners Club"),
        ("diners_club", "Diners Club"),
        ("jcb", "JCB"),
        ("UnionPay", "UnionPay"),
        ("maestro", "Maestro"),
        ("mir", "Mir"),
        ("cartes_bancaires", "Cartes Bancaires"),
        ("eftpos_australia", "eftpos australia"),
        ("RuPay", "RuPay"),
        ("", "not known"),
    ],
)
def test_brands_have_their_proper_names(watcher: Client, brand: str, shown: str) -> None:
    payments(1, "succeeded", ago(hours=1), card_brand=brand, card_country="e_")
    text = text_of(watcher, DASHBOARD)

    assert rows_of(text, "Decline rate by card brand")[0][0] == shown
    assert rows_of(text, "Decline rate by card country")[0][0] == "e_"


def test_of_many_countries_the_largest_are_shown(watcher: Client) -> None:
    for number, country in enumerate(["AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR"]):
        payments(20 + number, "succeeded", ago(hours=1), card_country=country)
    text = text_of(watcher, DASHBOARD)

    shown = [row[0] for row in rows_of(text, "Decline rate by card country")]
    assert shown == ["FR", "FI", "ES", "EE", "DK", "DE", "CZ", "CY", "CH", "BG"]
    assert "2 more with fewer payments." in words_of(text)


def test_latencies_by_operation(watcher: Client) -> None:
    some_hours()

    assert rows_of(text_of(watcher, DASHBOARD), "Latency by operation") == [
        # p99 is the 95.04th: 3.04 of the four calls of 2 to 3 s.
        ["retrieve", "96", "76 ms", "100 ms", "2.8 s"],
        ["refund", "1 (few)", "over 30 s", "over 30 s", "over 30 s"],
    ]


def test_a_small_share_is_not_written_as_none(watcher: Client) -> None:
    calls(2999, ago(hours=1))
    calls(1, ago(hours=1), http_status=500, outcome="unknown")

    assert headlines(text_of(watcher, DASHBOARD))["Server errors (5xx)"] == ["< 0.1 %", "1 of 3,000 calls"]


@pytest.mark.parametrize(
    ("paid", "declined", "shown"),
    [
        (0, 0, [DASH, "no payment was decided"]),
        (0, 1, [DASH, "1 of 1 decided", "too few to judge"]),
        (18, 1, [DASH, "1 of 19 decided", "too few to judge"]),
        (18, 2, ["10.0 %", "2 of 20 decided"]),
        (20, 0, ["0 %", "0 of 20 decided"]),
        (0, 20, ["100 %", "20 of 20 decided"]),
    ],
)
def test_a_rate_of_few_is_not_judged(watcher: Client, paid: int, declined: int, shown: list[str]) -> None:
    calls(1, ago(hours=1))
    payments(paid, "succeeded", ago(hours=1))
    payments(declined, "failed", ago(hours=1))

    found = headlines(text_of(watcher, DASHBOARD))

    assert found["Decline rate"] == shown
    assert found["Server errors (5xx)"] == ["0", "0 of 1 calls", "too few for a share"]
    assert found["Latency p95"][2] == "only 1 call"
    assert found["Rate limited (429)"] == ["0", "of 1 calls"]


def test_payments_without_calls(watcher: Client) -> None:
    payments(1, "succeeded", ago(hours=1))
    found = headlines(text_of(watcher, DASHBOARD))

    assert {found[name][0] for name in ("Server errors (5xx)", "No answer", "Latency p95")} == {DASH}
    assert found["Rate limited (429)"] == ["0", "no calls"]


@pytest.mark.parametrize(
    ("window", "inside", "outside", "slices", "name"),
    [
        ("24h", {"hours": 23}, {"hours": 23, "seconds": 1}, 24, f"Fri 13 Mar 13:00{DASH}14:00"),
        ("7d", {"days": 6, "hours": 18}, {"days": 6, "hours": 18, "seconds": 1}, 28, f"Sat 7 Mar 18:00{DASH}00:00"),
        ("30d", {"days": 29, "hours": 12}, {"days": 29, "hours": 12, "seconds": 1}, 30, "Fri 13 Feb"),
    ],
)
@pytest.mark.parametrize("closed", [False, True])
def test_a_period_begins_with_a_whole_slice(
    watcher: Client, window: str, inside: Any, outside: Any, slices: int, name: str, closed: bool
) -> None:
    payments(3, "succeeded", ago(**inside))
    payments(5, "succeeded", ago(**outside))
    payments(7, "succeeded", NOON + timedelta(minutes=10))
    if closed:
        close_hours(NOON)
    text = text_of(watcher, DASHBOARD, {"window": window})

    volume = table_of(text, "volume")
    assert len(volume) == slices
    assert volume[name] == ["3", "0", "0"]
    assert [*volume][-1].endswith("(so far)")
    assert [*volume.values()][-1] == ["7", "0", "0"]
    assert headlines(text)["Paid"] == ["10", "100.00 EUR"]
