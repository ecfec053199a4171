"""How the checklist stands: what counts of which run, what has changed, and whose name still does."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_flowlix.checklist import Outcome
from django_flowlix.checklist.attesting import attest, signoffs, withdraw
from django_flowlix.checklist.items import registered
from django_flowlix.checklist.standing import Standing, account_standings, standings
from django_flowlix.conf import account, accounts
from django_flowlix.models import ChecklistResult
from tests.admin.checked import STATEMENT, a_line, a_name, a_run, finding
from tests.checklist.looking import item
from tests.conftest import TEST_KEY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("emulator")]
STATIC, BOTH = ("static",), ("static", "network")


def standing_of(item_id: str = "clock") -> Standing:
    (line,) = standings(account(), [item(item_id)])
    return line


def seen(line: Standing) -> list[str]:
    return [each.looked_at for each in line.findings]


def test_what_no_run_has_looked_at_has_no_outcome() -> None:
    line = standing_of()
    assert (line.outcome, line.found, line.before, line.looked_at, line.findings) == (None, None, None, None, ())


def test_a_run_without_the_network_leaves_what_the_network_said() -> None:
    first = a_run(
        a_line("clock", finding("pass", "s1"), finding("fail", "n1", stage="network")), stages=BOTH, hours_ago=2
    )
    last = a_run(a_line("clock", finding("pass", "s2")), stages=STATIC)
    line = standing_of()

    assert (line.outcome, line.before, line.has_changed) == (Outcome.FAIL, Outcome.FAIL, False)
    assert [(look.stage, look.run, [each.looked_at for each in look.findings]) for look in line.looks] == [
        ("static", last, ["s2"]),
        ("network", first, ["n1"]),
    ]
    assert line.looked_at == last


def test_a_stage_that_finds_nothing_any_more_ends_what_it_found() -> None:
    """A probe that fell silent says nothing good and nothing bad: its old failure must not stand for ever."""
    a_run(a_line("clock", finding("fail", "old", stage="network")), stages=BOTH, hours_ago=2)
    a_run(a_line("clock", finding("skip", "Nothing was found to look at.", stage="")), stages=BOTH)
    line = standing_of()

    assert (line.outcome, line.before, seen(line)) == (Outcome.SKIP, Outcome.FAIL, ["Nothing was found to look at."])
    assert line.has_changed


def test_that_it_comes_later_is_said_only_while_nothing_else_is_known() -> None:
    later = finding("skip", "Not looked at: over the network.", stage="")
    a_run(a_line("clock", later), hours_ago=2)
    assert seen(standing_of()) == ["Not looked at: over the network."]
    a_run(a_line("clock", finding("pass", "n", stage="network")), stages=BOTH, hours_ago=1)
    a_run(a_line("clock", finding("note", "a note"), later))

    assert (standing_of().outcome, seen(standing_of())) == (Outcome.PASS, ["a note", "n"])


def test_a_note_alone_leaves_the_reason_why_it_is_skipped() -> None:
    a_run(a_line("clock", finding("note", "a note"), finding("skip", "Not looked at.", stage="")))
    assert (standing_of().outcome, seen(standing_of())) == (Outcome.SKIP, ["a note", "Not looked at."])


def test_what_has_changed_is_what_the_last_run_found_otherwise() -> None:
    a_run(a_line("clock", finding("pass")), a_line("https", finding("warn")), hours_ago=3)
    assert standing_of().before is None
    a_run(a_line("clock", finding("fail")), a_line("https", finding("warn")), hours_ago=2)

    assert (standing_of().before, standing_of().found, standing_of().has_changed) == (Outcome.PASS, Outcome.FAIL, True)
    assert not standing_of("https").has_changed

    a_run(a_line("https", finding("warn")), is_whole=False, hours_ago=1)
    assert not standing_of().has_changed, "the last run has not looked at it"


def test_a_line_that_the_last_run_left_out_has_not_changed() -> None:
    a_run(a_line("clock", finding("warn"), finding("pass", stage="network")), stages=BOTH, hours_ago=3)
    a_run(a_line("clock", finding("pass")), hours_ago=2)
    assert standing_of().has_changed
    a_run(a_line("https", finding("warn")), is_whole=False, hours_ago=1)

    assert (standing_of().before, standing_of().has_changed) == (Outcome.PASS, False)


def test_of_runs_at_the_same_time_the_one_that_started_last_counts() -> None:
    """A long run may be kept after a short one that started later: its key tells nothing."""
    a_run(a_line("clock", finding("pass", "started last")), hours_ago=1)
    a_run(a_line("clock", finding("fail", "kept last")), hours_ago=2)
    line = standing_of()

    assert (line.outcome, seen(line), line.before) == (Outcome.PASS, ["started last"], Outcome.FAIL)
    (standing,) = account_standings([account()], [item("clock")])
    assert standing.last_run == line.looked_at


@pytest.mark.parametrize(
    "other",
    [
        {"contract": "dev"},
        {"livemode": True},
        {"api_key_fingerprint": "0" * 16},
        {"api_url": "https://old.example"},
        {"base_url": "https://old.example"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_runs_for_another_configuration_say_nothing(other: dict[str, Any]) -> None:
    a_run(a_line("clock", finding("pass")), **other)
    assert standing_of().outcome is None


def test_a_run_of_some_lines_leaves_the_others() -> None:
    a_run(a_line("clock", finding("pass", "c1")), a_line("https", finding("pass", "h1")), hours_ago=2)
    for number in (1, 0):
        a_run(a_line("https", finding("fail", f"h{number}")), is_whole=False, hours_ago=number)

    assert seen(standing_of()) == ["c1"]
    assert seen(standing_of("https")) == ["h0"]


def test_only_results_that_can_count_are_read() -> None:
    """Of many runs the last and those that went further: a table of a year costs as much as one of a day."""
    lines = [a_line(each.id, finding("pass")) for each in registered()]
    a_run(*(a_line(each.id, finding("fail", stage="network")) for each in registered()), stages=BOTH, hours_ago=90)
    for number in range(40):
        a_run(*lines, hours_ago=number)
    with CaptureQueriesContext(connection) as queries:
        found = standings(account(), registered())

    assert len(queries) == 3
    assert {line.outcome for line in found} == {Outcome.FAIL}
    read = queries.captured_queries[1]["sql"].partition(" IN (")[2].count(",") + 1
    assert read == 3
    assert ChecklistResult.objects.count() == 41 * len(lines)


def test_the_many_runs_of_one_account_hide_no_other(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_flowlix.checklist.standing._MOST_RUNS", 3)
    default = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": default, "second": default | {"SECRET_KEY": f"{TEST_KEY}Too"}}
    a_run(a_line("clock", finding("fail")), alias="second", hours_ago=9)
    for number in range(4):
        a_run(a_line("clock", finding("pass")), hours_ago=number)
    first, second = account_standings(accounts().values(), [item("clock")])

    assert [line.outcome for line in first.lines] == [Outcome.PASS]
    assert [line.outcome for line in second.lines] == [Outcome.FAIL]


def test_accounts_are_told_apart_in_a_statement_each_and_two(settings: Any) -> None:
    default = settings.FLOWLIX["default"]
    settings.FLOWLIX = {"default": default, "second": default | {"SECRET_KEY": f"{TEST_KEY}Too"}}
    a_run(a_line("pci-scope", finding("person")), a_line("clock", finding("fail")))
    a_run(a_line("pci-scope", finding("person")), alias="second", hours_ago=1)
    a_name("pci-scope", alias="second")
    with CaptureQueriesContext(connection) as queries:
        first, second = account_standings(accounts().values(), [item("pci-scope"), item("clock"), item("https")])

    assert len(queries) == 4
    assert [line.outcome for line in first.lines] == [Outcome.PERSON, Outcome.FAIL, None]
    assert [line.outcome for line in second.lines] == [Outcome.PASS, None, None]
    assert first.counts == {
        Outcome.FAIL: 1,
        Outcome.WARN: 0,
        Outcome.PERSON: 1,
        Outcome.SKIP: 0,
        Outcome.PASS: 0,
    }
    assert (first.unseen, second.unseen) == (1, 2)
    assert second.last_run is not None
    assert second.last_run.account == "second"


def test_a_name_makes_a_line_pass_and_its_runs_unchanged() -> None:
    a_run(a_line("pci-scope", finding("person")), hours_ago=1)
    a_run(a_line("pci-scope", finding("person")))
    name = a_name("pci-scope")
    line = standing_of("pci-scope")

    assert (line.found, line.outcome, line.is_attested) == (Outcome.PERSON, Outcome.PASS, True)
    assert (line.has_changed, line.statement, line.signoff) == (False, STATEMENT, name)
    assert line.attestation == "Attested by berta on 2026-03-14 12:00 UTC: Looked at every template."


@pytest.mark.parametrize("outcome", ["fail", "warn"])
def test_a_name_hides_nothing_worse(outcome: str) -> None:
    a_run(a_line("pci-scope", finding("person"), finding(outcome)))
    a_name("pci-scope")
    line = standing_of("pci-scope")

    assert (line.outcome, line.statement, line.is_attested) == (Outcome(outcome), "", False)


def test_where_the_latest_name_was_withdrawn_no_earlier_one_comes_back(django_user_model: Any) -> None:
    a_run(a_line("pci-scope", finding("person")))
    a_name("pci-scope", note="the first")
    carl = django_user_model.objects.create_user("carl")
    latest = attest(account(), "pci-scope", statement=STATEMENT, note="the second", actor=carl)
    assert signoffs(account()) == {"pci-scope": latest}

    assert withdraw(latest, note="a mistake", actor=carl)
    assert signoffs(account()) == {}
    line = standing_of("pci-scope")
    assert (line.outcome, line.signoff) == (Outcome.PERSON, None)
    assert [each.note for each in line.history] == ["the second", "the first"]
    assert not withdraw(latest, note="once more", actor=carl)


def test_a_user_name_that_is_longer_than_the_column_is_cut(django_user_model: Any) -> None:
    """A project's own users may have longer names; not every database would cut them."""
    person = django_user_model.objects.create_user("anna")
    person.username = "anna." * 40
    signoff = attest(account(), "pci-scope", statement=STATEMENT, note="I looked.", actor=person)
    assert withdraw(signoff, note="I did not.", actor=person)
    signoff.refresh_from_db()

    assert signoff.signed_by_name == signoff.withdrawn_by_name == "anna." * 30


def test_an_address_that_is_longer_than_the_column_is_the_same_address(settings: Any, django_user_model: Any) -> None:
    long = f"https://{'long.' * 60}example"
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"BASE_URL": long}}
    a_run(a_line("pci-scope", finding("person")))
    carl = django_user_model.objects.create_user("carl")
    attest(account(), "pci-scope", statement=STATEMENT, note="I looked.", actor=carl)

    assert standing_of("pci-scope").outcome is Outcome.PASS
