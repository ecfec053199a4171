"""A run: which probes look, what a line comes to, whose name counts, and that nothing passes unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from django_flowlix.checklist import (
    Context,
    Finding,
    Item,
    Outcome,
    Section,
    Stage,
    failed,
    needs_person,
    noted,
    passed,
    skipped,
    warned,
)
from django_flowlix.checklist.attesting import attest, withdraw
from django_flowlix.checklist.findings import statement_of, worst_of
from django_flowlix.checklist.report import Line
from django_flowlix.checklist.running import run
from django_flowlix.conf import account
from tests.conftest import TEST_KEY

SECTION = Section("shop", "Shop")
Look = Callable[..., Line]


@pytest.fixture
def line_of(emulator: Any, db: Any) -> Look:
    """Run one item whose probes are the given functions, by stage."""

    def line_of(*probes: Any, stages: Iterable[str] = ("static",), **by_stage: Any) -> Line:
        item = Item("stock-reserved", SECTION, "Stock is reserved")
        for probe in probes:
            item.probe()(probe)
        for stage, probe in by_stage.items():
            item.probe(Stage(stage))(probe)
        context = Context(account=account(), now=datetime.now(UTC), stages=frozenset(stages))
        (line,) = run(context, [item]).lines
        return line

    return line_of


def finds(*findings: Finding) -> Callable[[Context], Iterable[Finding]]:
    return lambda context: findings


FINE, DOUBT, ODD, BROKEN = (
    passed("seen"),
    needs_person("nobody knows", "It is so"),
    warned("odd", "look"),
    failed("no", "do"),
)


@pytest.mark.parametrize(
    ("findings", "outcome"),
    [
        ([], Outcome.SKIP),
        ([noted("by the way")], Outcome.SKIP),
        ([FINE], Outcome.PASS),
        ([FINE, noted("by the way")], Outcome.PASS),
        ([FINE, skipped("not there")], Outcome.SKIP),
        ([FINE, skipped("not there"), DOUBT], Outcome.PERSON),
        ([DOUBT, ODD, FINE], Outcome.WARN),
        ([BROKEN, ODD, DOUBT, FINE], Outcome.FAIL),
    ],
)
def test_the_worst_that_counts_decides(findings: list[Finding], outcome: Outcome, line_of: Look) -> None:
    assert worst_of(findings) is outcome
    assert line_of(finds(*findings)).outcome is outcome


def test_several_probes_of_a_line_are_one_outcome(line_of: Look) -> None:
    line = line_of(finds(FINE), finds(ODD))
    assert line.outcome is Outcome.WARN
    assert [finding.looked_at for finding in line.findings] == ["seen", "odd"]


def test_a_line_that_nothing_was_seen_of_is_skipped_and_says_so(line_of: Look) -> None:
    line = line_of(finds())
    assert line.outcome is Outcome.SKIP
    assert line.findings[-1].looked_at == "Nothing was found to look at."


@pytest.mark.parametrize(
    ("stage", "option"),
    [("network", "--network"), ("scenarios", "--scenarios"), ("live-payment", "--live-payment")],
)
def test_a_line_of_a_later_stage_says_which_option_looks(stage: str, option: str, line_of: Look) -> None:
    line = line_of(**{stage: finds(BROKEN)})
    assert line.outcome is Outcome.SKIP
    assert option in line.findings[0].looked_at
    assert line_of(stages=("static", stage), **{stage: finds(BROKEN)}).outcome is Outcome.FAIL


def test_what_was_found_says_at_which_stage(line_of: Look) -> None:
    line = line_of(finds(FINE), stages=("static", "network"), network=finds(ODD))
    assert [finding.stage for finding in line.findings] == ["static", "network"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("no such table: secrets"), "The database could not be read: OperationalError."),
        (ImproperlyConfigured("FLOWLIX['default'] is wrong."), "FLOWLIX['default'] is wrong."),
        (ZeroDivisionError("the order of Ada Lovelace"), "It could not be looked at: ZeroDivisionError."),
    ],
)
def test_a_probe_that_raises_fails_its_line_in_one_sentence(error: Exception, words: str, line_of: Look) -> None:
    def probe(context: Context) -> Iterator[Finding]:
        yield FINE
        raise error

    line = line_of(probe)
    assert line.outcome is Outcome.FAIL
    assert [finding.looked_at for finding in line.findings] == ["seen", words]


@pytest.mark.parametrize("value", ["hello", None, passed(5), failed("x", None)])  # type: ignore[arg-type]
def test_a_probe_that_yields_something_else_fails_its_own_line(value: Any, line_of: Look) -> None:
    line = line_of(finds(FINE), finds(value))
    assert line.outcome is Outcome.FAIL
    assert [finding.outcome for finding in line.findings] == [Outcome.PASS, Outcome.FAIL]


@pytest.mark.parametrize("value", [None, 7])
def test_a_probe_that_yields_nothing_at_all_fails_its_own_line(value: Any, line_of: Look) -> None:
    assert "TypeError" in line_of(lambda context: value).findings[0].looked_at


def test_a_probe_that_ends_the_process_fails_its_own_line(line_of: Look) -> None:
    def probe(context: Context) -> Iterator[Finding]:
        raise SystemExit(3)
        yield FINE

    assert line_of(probe).outcome is Outcome.FAIL


def test_what_several_probes_meet_is_said_once(line_of: Look) -> None:
    assert [finding.looked_at for finding in line_of(finds(BROKEN, ODD), finds(BROKEN)).findings] == ["no", "odd"]


def test_what_a_database_says_is_in_the_log(line_of: Look, caplog: pytest.LogCaptureFixture) -> None:
    def probe(context: Context) -> Iterator[Finding]:
        raise OperationalError("no such column: orders.paid")
        yield FINE

    line_of(probe)
    assert "stock-reserved: OperationalError: no such column: orders.paid" in caplog.text


def test_a_statement_that_says_nothing_cannot_be_attested() -> None:
    with pytest.raises(ValueError, match="write the statement"):
        needs_person("nobody knows", " ")


def test_a_finding_is_cut_at_two_thousand_characters(line_of: Look) -> None:
    (finding,) = line_of(finds(failed("x" * 3000, "y" * 3000))).findings
    assert (len(finding.looked_at), len(finding.to_do)) == (2000, 2000)


def test_a_line_of_several_later_stages_names_the_first(line_of: Look) -> None:
    line = line_of(**{"live-payment": finds(BROKEN), "network": finds(BROKEN)})
    assert "--live-payment" in line.findings[0].looked_at
    line = line_of(network=finds(noted("so")), scenarios=finds(BROKEN), stages=("static", "network"))
    assert "--scenarios" in line.findings[-1].looked_at


def test_the_same_statement_twice_is_attested_once() -> None:
    assert statement_of([DOUBT, FINE, needs_person("nor here", "It is so")]) == "It is so"


def test_a_probe_that_raises_does_not_stop_the_others(emulator: Any, db: Any) -> None:
    bad, good = Item("bad-line", SECTION, "Bad"), Item("good-line", SECTION, "Good")
    bad.probe()(lambda context: 1 / 0)  # type: ignore[arg-type,return-value]
    good.probe()(finds(FINE))
    context = Context(account=account(), now=datetime.now(UTC))
    assert [line.outcome for line in run(context, [bad, good]).lines] == [Outcome.FAIL, Outcome.PASS]


def test_no_secret_comes_through_a_finding(line_of: Look) -> None:
    line = line_of(finds(failed(f"key {TEST_KEY} and card 4242 4242 4242 4242", f"remove {TEST_KEY}")))
    assert TEST_KEY not in repr(line)
    assert "4242 4242 4242" not in repr(line)


def test_facts_are_found_once_a_run() -> None:
    calls: list[int] = []

    def find(context: Context) -> int:
        calls.append(1)
        return len(calls)

    context = Context(account=None, now=datetime.now(UTC))  # type: ignore[arg-type]
    assert (context.once(find), context.once(find), len(calls)) == (1, 1, 1)


# names under what needs a person


@pytest.fixture
def ada(db: Any) -> Any:
    return get_user_model().objects.create_user("ada")


def sign(statement: str, actor: Any, note: str = "I looked at the report.") -> Any:
    return attest(account(), "stock-reserved", statement=statement, note=note, actor=actor)


def test_a_name_makes_a_line_pass_that_needs_a_person(line_of: Look, ada: Any) -> None:
    line = line_of(finds(FINE, DOUBT))
    assert (line.outcome, line.attestation) == (Outcome.PERSON, "")
    sign(statement_of(line.findings), ada)
    line = line_of(finds(FINE, DOUBT))
    assert line.outcome is Outcome.PASS
    assert line.attestation.startswith("Attested by ada on ")
    assert line.attestation.endswith("UTC: I looked at the report.")


@pytest.mark.parametrize("finding", [BROKEN, ODD, skipped("not there")])
def test_a_name_makes_nothing_else_pass(finding: Finding, line_of: Look, ada: Any) -> None:
    sign("It is so", ada)
    assert line_of(finds(finding)).outcome is finding.outcome


def test_a_name_does_not_cover_what_is_wrong_besides(line_of: Look, ada: Any) -> None:
    sign("It is so", ada)
    assert line_of(finds(DOUBT, ODD)).outcome is Outcome.WARN


def test_a_name_that_was_withdrawn_is_worth_nothing(line_of: Look, ada: Any) -> None:
    assert withdraw(sign("It is so", ada), note="It was another shop.", actor=ada) is True
    line = line_of(finds(DOUBT))
    assert (line.outcome, line.attestation) == (Outcome.PERSON, "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SECRET_KEY": f"{TEST_KEY}Rotated"}, "the key has changed"),
        ({"CONTRACT": "dev"}, "the contract was eu and is dev"),
        ({"API_URL": "http://127.0.0.1:9"}, "the gateway's address was http://127.0.0.1:"),
        ({"BASE_URL": "http://localhost:8000"}, "the shop's address was http://127.0.0.1:8000 and is http://localhost"),
    ],
)
def test_a_name_is_over_when_what_it_was_given_for_has_changed(
    changes: dict[str, str], words: str, line_of: Look, ada: Any, settings: Any
) -> None:
    sign("It is so", ada)
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | changes}
    line = line_of(finds(DOUBT))
    assert line.outcome is Outcome.PERSON
    assert f"That is over: {words}" in line.attestation


def test_a_name_for_one_mode_is_worth_nothing_in_the_other(line_of: Look, ada: Any, settings: Any) -> None:
    sign("It is so", ada)
    live_key = "_".join(["fl", "live", "sk", "r" * 24])
    settings.FLOWLIX = {"default": {"SECRET_KEY": live_key, "BASE_URL": "https://shop.example"}}
    assert "That is over: the mode has changed" in line_of(finds(DOUBT)).attestation


def test_a_name_stands_for_no_other_statement(line_of: Look, ada: Any) -> None:
    sign("It is so", ada)
    line = line_of(finds(DOUBT, needs_person("nor this", "That is so as well")))
    assert line.outcome is Outcome.PERSON
    assert "what is to be attested has changed" in line.attestation


def test_the_latest_name_counts(line_of: Look, ada: Any) -> None:
    sign("Something else", ada)
    sign("It is so", ada)
    assert line_of(finds(DOUBT)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("", "Write how you know"),
        ("   ", "Write how you know"),
        ("x" * 501, "at most 500"),
        ("paid with 4242424242424242", "no card number"),
        (f"the key is {TEST_KEY}", "no key"),
    ],
)
def test_a_note_that_will_not_do_is_refused(note: str, words: str, ada: Any, emulator: Any) -> None:
    with pytest.raises(ValueError, match=words):
        sign("It is so", ada, note)


def test_nothing_can_be_attested_that_needs_nobody(ada: Any, emulator: Any) -> None:
    with pytest.raises(ValueError, match="Nothing of this line needs a person"):
        sign("", ada)


def test_without_a_database_the_rest_is_still_looked_at(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `db` here: every query is refused, as when the server is down."""

    def down(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("server is down")

    monkeypatch.setattr("django_flowlix.checklist.attesting.signoffs", down)
    item = Item("stock-reserved", SECTION, "Stock is reserved")
    item.probe()(finds(FINE))
    (line,) = run(Context(account=account(), now=datetime.now(UTC)), [item]).lines
    assert line.outcome is Outcome.PASS
