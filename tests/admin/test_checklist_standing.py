"""The checklist as it stands: every line with what was found, what has changed, whose name is there, what to type."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.checklist.items import registered
from tests.admin.checked import (
    CHECKLIST,
    RUNS,
    STATEMENT,
    a_foreign_line,
    a_line,
    a_name,
    a_run,
    attest_page,
    finding,
    line_in,
    lines_in,
    outcomes_in,
    tally_in,
    words,
)
from tests.admin.people import messages_of, someone
from tests.admin.reading import own_queries, text_of
from tests.admin.rows import NOON
from tests.conftest import TEST_KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("emulator")]
COMMAND = "python manage.py flowlix_check"


@pytest.fixture
def reader() -> Client:
    return someone("reader", "view_checklistrun")


@pytest.fixture
def attester() -> Client:
    return someone("attester", "view_checklistrun", "attest_checklist")


@pytest.fixture
def two_accounts(settings: Any) -> None:
    default = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": default, "the second": default | {"SECRET_KEY": f"{TEST_KEY}Too", "CONTRACT": "dev"}}


def content(text: str) -> str:
    return words(text[text.index('id="content"') :])


def changes_in(text: str) -> list[str]:
    block = re.search(r'<section class="[^"]*flowlix-changes".*?</section>', text, re.DOTALL)
    return [words(line) for line in re.findall(r"<li>(.*?)</li>", block.group(), re.DOTALL)] if block else []


def test_before_the_first_run_it_says_what_to_type(reader: Client) -> None:
    text = text_of(reader, CHECKLIST)

    assert "Never run with these settings" in content(text)
    assert (
        "No run has looked yet Nothing is known of this account with its present key, contract and addresses. "
        in content(text)
    )
    assert f"The command looks, and what it finds appears here: {COMMAND}" in content(text)
    assert set(outcomes_in(text).values()) == {"not looked at"}
    assert lines_in(text) == [item.id for item in registered()]
    assert line_in(text, "retry-5xx") == (
        "not looked at A 5xx is retried after 1 s, 2 s and 4 s under the same key "
        f"No run has looked. To have it looked at: {COMMAND} --only retry-5xx "
        "retry-5xx About this line : A 5xx is retried after 1 s, 2 s and 4 s under the same key"
    )
    assert f"{COMMAND} --only gateway-reachable --network gateway-reachable" in line_in(text, "gateway-reachable")


def test_every_line_says_what_was_found_when_and_by_whom(reader: Client) -> None:
    earlier = a_run(
        a_line("clock", finding("pass", "The clock agrees.", stage="network")),
        hours_ago=5,
        stages=("static", "network"),
        ran_by="deploy",
    )
    run = a_run(
        a_line("retry-5xx", finding("fail", "RETRY_BUDGET is 1 s.", "Set RETRY_BUDGET to 20."), finding("note", "So.")),
        a_line("https", finding("warn", "HSTS is off.", "Set SECURE_HSTS_SECONDS.")),
        a_line("pci-scope", finding("person")),
        a_line("minor-units", finding("pass", "Integers.")),
        a_line("errors-exercised", finding("skip", "Nothing is on record.", "Make one fail.")),
        a_line("clock", finding("skip", "Not looked at.", stage="")),
    )
    text = text_of(reader, CHECKLIST)

    here = f'href="{RUNS}{run.pk}/change/"'
    assert line_in(text, "retry-5xx") == (
        "fail A 5xx is retried after 1 s, 2 s and 4 s under the same key "
        "RETRY_BUDGET is 1 s. What to do: Set RETRY_BUDGET to 20. So. "
        "retry-5xx looked at 2026-03-14 12:00 by anna (static) "
        "About this line : A 5xx is retried after 1 s, 2 s and 4 s under the same key"
    )
    assert "To attest: Cards are entered on the hosted page only." in line_in(text, "pci-scope")
    assert (
        "skip Error handling has been exercised Nothing is on record. To have it looked at: Make one fail."
        in line_in(text, "errors-exercised")
    )
    assert "The clock agrees. clock looked at 2026-03-14 07:00 by deploy (network)" in line_in(text, "clock")
    assert f'href="{RUNS}{earlier.pk}/change/"' in text
    assert text.count(here) == 6, "the last run, and five lines that stand on it"
    others = str(len(registered()) - 6)
    assert tally_in(text) == {
        "fail": "1",
        "warn": "1",
        "needs a person": "1",
        "skip": "1",
        "pass": "2",
        "not looked at": others,
    }
    assert "1 line fails" in content(text)
    assert "Account default Mode test Contract eu Gateway's address http://127.0.0.1:" in content(text)
    assert "Shop's address http://127.0.0.1:8000 Last run" in content(text)
    assert "Last run 2026-03-14 12:00 UTC Run by anna How far static Version 1.4.0" in content(text)


def test_signs_are_told_apart_by_shape_and_by_word_and_are_those_of_the_file(reader: Client) -> None:
    items = ["retry-5xx", "https", "pci-scope", "clock", "minor-units"]
    kinds = ["fail", "warn", "person", "skip", "pass"]
    run = a_run(*(a_line(item, finding(kind), finding("note")) for item, kind in zip(items, kinds, strict=True)))
    text = text_of(reader, CHECKLIST)
    seen = re.findall(r'role="img" aria-label="([^"]*)">([^<]*)</span>', text)

    in_file = {"fail": "✕", "warn": "!", "needs a person": "?", "skip": "\N{EN DASH}", "pass": "✓", "note": "i"}
    assert dict(seen) == in_file | {"not looked at": "○"}
    assert len(set(seen)) == 7
    file = reader.get(f"{RUNS}{run.pk}/report/").content.decode()
    assert set(re.findall(r'<span class="sign" aria-hidden="true">([^<]*)</span>', file)) == {*in_file.values()}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["fail", "fail", "warn"], "2 lines fail"),
        (["warn", "person", "pass"], "1 line warns"),
        (["person", "person", "skip"], "2 lines need a person"),
        (["skip", "pass"], "{more} lines were not looked at"),
    ],
)
def test_in_one_word_it_comes_to_the_worst(reader: Client, kinds: list[str], expected: str) -> None:
    items = ["clock", "https", "minor-units"]
    a_run(*(a_line(item, finding(kind)) for item, kind in zip(items, kinds, strict=False)))

    assert f"{expected.format(more=len(registered()) - 2)} Account" in content(text_of(reader, CHECKLIST))


@pytest.mark.parametrize(("number", "expected"), [(1, "1 line was skipped"), (2, "2 lines were skipped")])
def test_what_was_looked_at_and_does_not_apply_is_skipped(reader: Client, number: int, expected: str) -> None:
    items = [item.id for item in registered()]
    a_run(*(a_line(item, finding("skip" if place < number else "pass")) for place, item in enumerate(items)))

    page = content(text_of(reader, CHECKLIST))
    assert page.count(f"{expected[0].upper()}{expected[1:]} Account") == 1
    assert "not looked at 0" in page


def test_when_all_is_well_it_says_so(reader: Client) -> None:
    a_run(*(a_line(item.id, finding("pass")) for item in registered()))
    text = text_of(reader, CHECKLIST)

    assert "Every line passes Account" in content(text)
    assert changes_in(text) == []


def test_live_is_unmistakable(reader: Client, settings: Any) -> None:
    settings.FLOWLIX = {
        "default": {
            "SECRET_KEY": "_".join(["fl", "live", "sk", "x" * 24]),
            "API_URL": "https://pay.flowlix.eu",
            "BASE_URL": "https://shop.example",
        }
    }
    a_run(a_line("https", finding("fail")))
    page = content(text_of(reader, CHECKLIST))

    assert "LIVE With the live key: real cards, real money" in page
    assert "Account default Mode LIVE Contract eu Gateway's address https://pay.flowlix.eu" in page
    assert "Shop's address https://shop.example" in page
    assert "TEST" not in page


def test_what_the_last_run_has_changed_is_on_top_and_at_its_line(reader: Client) -> None:
    items = ["minor-units", "retry-5xx", "https", "pci-scope"]
    a_run(*(a_line(item, finding("pass")) for item in items), hours_ago=1)
    kinds = ["pass", "fail", "warn", "person"]
    a_run(
        *(a_line(item, finding(kind)) for item, kind in zip(items, kinds, strict=True)),
        a_line("clock", finding("pass")),
    )
    a_name("pci-scope")
    text = text_of(reader, CHECKLIST)

    assert changes_in(text) == [
        "A 5xx is retried after 1 s, 2 s and 4 s under the same key retry-5xx pass → is now fail",
        "HTTPS everywhere: the API, the shop, its cookies and its proxy https pass → is now warn",
        "Cards are entered on the hosted page only pci-scope pass → is now needs a person",
    ]
    assert 'href="#line-retry-5xx"' in text
    assert "Changed by the last run: pass → is now fail" in line_in(text, "retry-5xx")
    assert "Changed" not in line_in(text, "minor-units") + line_in(text, "clock")
    assert outcomes_in(text)["pci-scope"] == "pass", "what the run found has changed, and berta's name is under it"


def test_a_name_is_shown_with_time_and_note(reader: Client) -> None:
    a_run(a_line("pci-scope", finding("person")))
    a_name("pci-scope", note="Looked at <every> template.")
    text = line_in(text_of(reader, CHECKLIST), "pci-scope")

    assert text.startswith("pass Cards are entered on the hosted page only")
    assert f"Attested: {STATEMENT} Attested by berta on 2026-03-14 12:00 UTC: Looked at <every> template." in text
    assert "1 attestation, with note and statement" in text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"api_key_fingerprint": "0" * 16}, "the key has changed"),
        ({"contract": "dev"}, "the contract was dev and is eu"),
        ({"livemode": True}, "the mode has changed"),
        (
            {"base_url": "https://old.example"},
            "the shop's address was https://old.example and is http://127.0.0.1:8000",
        ),
        (
            {"api_url": "https://old.example"},
            "the gateway's address was https://old.example and is https://pay.example",
        ),
        ({"statement": "Something else."}, "what is to be attested has changed"),
    ],
    ids=["key", "contract", "mode", "address", "gateway", "statement"],
)
def test_a_name_that_counts_no_more_says_why(reader: Client, settings: Any, changes: dict[str, Any], why: str) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"API_URL": "https://pay.example"}}
    a_run(a_line("pci-scope", finding("person")))
    a_name("pci-scope", **changes)
    text = line_in(text_of(reader, CHECKLIST), "pci-scope")

    assert text.startswith("needs a person ")
    given = "Given by berta on 2026-03-14 12:00 UTC: Looked at every template."
    assert f"The attestation is over: {why} {given}" in text
    assert f"expired: {why}" in text


def test_all_names_there_ever_were_are_kept(reader: Client) -> None:
    a_run(a_line("pci-scope", finding("person")))
    withdrawn = {"withdrawn_at": NOON, "withdrawn_by_name": "carl", "withdrawal_note": "It was another branch."}
    a_name("pci-scope", at=NOON - timedelta(days=9), note="First.")
    a_name("pci-scope", at=NOON - timedelta(days=3), note="Second.", **withdrawn)
    a_name("pci-scope", note="Third.")
    text = text_of(reader, CHECKLIST)
    names = [
        words(name) for name in re.findall(r'<li class="flowlix-(?:stands|over|kept)">(.*?)</li>', text, re.DOTALL)
    ]

    by_carl = "Withdrawn by carl on 2026-03-14 12:00 UTC: It was another branch."
    assert names == [
        f"berta · 2026-03-14 12:00 UTC · test · eu · stands Third. {STATEMENT}",
        f"berta · 2026-03-11 12:00 UTC · test · eu · withdrawn Second. {STATEMENT} {by_carl}",
        f"berta · 2026-03-05 12:00 UTC · test · eu · replaced by a later one First. {STATEMENT}",
    ]


def test_a_name_is_kept_while_its_line_needs_nobody(reader: Client) -> None:
    a_run(a_line("pci-scope", finding("pass")))
    a_name("pci-scope")
    text = line_in(text_of(reader, CHECKLIST), "pci-scope")

    assert "kept: nothing of this line needs a person now" in text
    assert "Attested by" not in text


def test_who_may_attest_finds_the_way_there(attester: Client, reader: Client) -> None:
    a_run(a_line("pci-scope", finding("person")), a_line("https", finding("person")), a_line("clock", finding("fail")))
    a_name("https")
    text = text_of(attester, CHECKLIST)

    assert re.findall(r'href="([^"]*/(?:attest|withdraw)/[^"]*)"', text) == [
        attest_page("https", "withdraw"),
        attest_page("pci-scope"),
    ]
    assert "Attest : Cards are entered on the hosted page only" in line_in(text, "pci-scope")
    text = text_of(reader, CHECKLIST)
    assert not re.search(r"/attest/|/withdraw/", text)


def test_each_account_has_its_own(reader: Client, two_accounts: None) -> None:
    a_run(a_line("https", finding("fail", "of the first")))
    a_run(a_line("https", finding("pass", "of the second")), alias="the second", hours_ago=1)
    first, second = text_of(reader, CHECKLIST), text_of(reader, CHECKLIST, {"account": "the second"})

    assert "of the first" in line_in(first, "https")
    assert "of the second" in line_in(second, "https")
    assert "Account the second Mode test Contract dev" in content(second)
    tabs = re.findall(r'<a href="(\?account=[^"]*)"( aria-current="true")?>([^<]*)</a>', second)
    assert tabs == [
        ("?account=default", "", "default"),
        ("?account=the%20second", ' aria-current="true"', "the second"),
    ]
    assert f"{COMMAND} --account 'the second' --only clock --network" in line_in(second, "clock")


@pytest.mark.parametrize("asked", ["third", "' OR 1=1", "x" * 500])
def test_an_account_that_is_not_there_is_said(reader: Client, asked: str) -> None:
    response = reader.get(CHECKLIST, {"account": asked})

    assert messages_of(response) == [f"warning: There is no account “{asked[:50]}”: “default” is shown."]
    assert "Account default" in content(response.content.decode())


def test_without_an_account_called_default_the_first_is_shown(reader: Client, settings: Any) -> None:
    settings.FLOWLIX = {"eu": settings.FLOWLIX["default"]}
    text = text_of(reader, CHECKLIST)

    assert "Account eu" in content(text)
    assert f"{COMMAND} --account eu" in content(text)


def test_wrong_settings_are_told_in_a_sentence(reader: Client, settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": "nonsense<b>"}}
    page = content(text_of(reader, CHECKLIST))

    assert "The settings are wrong: nothing can be said about the checklist FLOWLIX['default']" in page
    assert "nonsense" not in page


def test_a_third_partys_line_shows_like_any_other(attester: Client) -> None:
    with a_foreign_line():
        a_run(a_line("stock-reserved", finding("person", "A program cannot count.", "Stock was counted.")))
        text = text_of(attester, CHECKLIST)

    assert lines_in(text)[-1] == "stock-reserved"
    assert line_in(text, "stock-reserved").startswith(
        "needs a person Stock is reserved A program cannot count. "
        "To attest: Stock was counted. Attest : Stock is reserved"
    )
    assert 'href="https://shop.example/stock"' in text
    assert attest_page("stock-reserved") in text


def test_it_costs_the_same_however_many_lines_runs_and_names_there_are(attester: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(attester, CHECKLIST)
        return len(own_queries(queries))

    a_run(a_line("https", finding("pass")))
    few = cost()
    for number in range(20):
        a_run(*(a_line(item.id, finding("person"), finding("pass")) for item in registered()), hours_ago=number)
    for item in registered():
        a_name(item.id)
        a_name(item.id, statement="An older one.", at=NOON - timedelta(days=1))

    assert (few, cost()) == (3, 3)


def test_nothing_on_it_is_written_by_the_hand_of_another(reader: Client) -> None:
    hostile = '<script>alert("1")</script>' + "\u202e" + "word" * 300
    with a_foreign_line(title=hostile[:200]):
        a_run(a_line("stock-reserved", finding("person", hostile, hostile)), ran_by="<b>anna</b>")
        a_name("stock-reserved", statement=hostile, note=hostile[:500], signed_by_name="<b>berta</b>")
        text = text_of(reader, CHECKLIST)

    assert "<script>alert" not in text
    assert "<b>anna" not in text
    assert "<b>berta" not in text


def test_findings_are_marked_as_english_whatever_the_admins_language_is(reader: Client) -> None:
    a_run(a_line("https", finding("fail")))
    text = reader.get(CHECKLIST, headers={"accept-language": "de"}).content.decode()

    (findings,) = re.findall(r'<ul class="flowlix-seen"([^>]*)>', text)
    assert findings == ' lang="en"'
