"""The command in front of the checklist: bad input, a real payment's amount, and what is looked at."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from django_flowlix.checklist import Item, Section, Stage, passed, register
from django_flowlix.models import ChecklistRun
from tests.conftest import BASE_URL, TEST_KEY
from tests.management.small_checklist import ENTRY, FINDINGS, Checklist, at_a_terminal, checklist, lines_of, live, run

__all__ = ["checklist", "live"]

# --- Bad input: nothing is looked at -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--account", "defautl"], r"--account: there is no 'defautl'; did you mean default\? Accounts: default$"),
        (["--account", "xyz"], r"--account: there is no 'xyz'\. Accounts: default$"),
        (["--section", "trail"], r"--section: there is no 'trail'; did you mean trial\? There are: entry, trial$"),
        (["--section", "trial,nonsense"], r"--section: there is no 'nonsense'\. There are: entry, trial$"),
        (
            ["--only", "goes-wel"],
            r"'goes-wel'; did you mean goes-well\? There are: goes-well, left-out, by-a-person, goes-on, goes-wrong$",
        ),
        (["--only", "trial"], r"--only: there is no 'trial'; did you mean --section trial\?"),
        (["--section", "GOES-ON"], r"--section: there is no 'GOES-ON'; did you mean --only goes-on\? There are: entry"),
        (["--only", "Goes-Wel"], r"--only: there is no 'Goes-Wel'; did you mean goes-well\?"),
        (["--only", "the line goes wel"], r"did you mean goes-well\? There are: goes-well, left-out"),
        (["--only", ""], r"--only: write one of goes-well, left-out, by-a-person, goes-on, goes-wrong$"),
        (["--section", " , "], r"--section: write one of entry, trial$"),
        (["--section", "entry", "--only", "goes-on"], r"--section and --only together leave nothing"),
        (["--format", "yaml"], r"argument --format: invalid choice: 'yaml' \(choose from '?text'?, '?json'?"),
        (["--fail-level", "pass"], r"argument --fail-level: invalid choice: 'pass'"),
        (["--nonsense"], r"unrecognized arguments: --nonsense"),
        (["extra"], r"unrecognized arguments: extra"),
        (["--output", "missing/report.txt"], r"the report cannot be written to 'missing/report.txt': No such file"),
        (
            ["--live-payment", "1.00 EUR"],
            r"--live-payment takes real money: account 'default' has a test key\. Nothing was looked at",
        ),
    ],
)
def test_bad_input_is_an_error_that_lists_what_is_valid(checklist: Checklist, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)

    assert checklist.looked_at == []
    assert not ChecklistRun.objects.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fail_level": "bogus"}, r"^--fail-level: there is no 'bogus'\. There are: fail, warn, person, skip$"),
        ({"format": "xml"}, r"^--format: there is no 'xml'\. There are: text, json, junit, html$"),
        ({"only": "nonsense"}, r"^--only: there is no 'nonsense'\."),
    ],
)
def test_bad_input_from_python_is_found_out_as_early(checklist: Checklist, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(**options)

    assert checklist.looked_at == []
    assert not ChecklistRun.objects.exists()


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"only": "goes-on"}, ["goes-on"]),
        ({"only": ["goes-on", "goes-well"]}, ["goes-well", "goes-on"]),
        ({"section": "entry"}, ["goes-well"]),
        ({"section": None, "only": None}, list(FINDINGS)),
    ],
)
def test_from_python_one_line_needs_no_list(checklist: Checklist, options: dict[str, Any], ids: list[str]) -> None:
    run(**options)
    assert checklist.looked_at == ids


def test_a_fault_of_the_settings_is_an_error_that_lists_them(checklist: Checklist, settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "TIMEOUTS": 3, "CONTRACT": "x"}}

    with pytest.raises(CommandError, match=r"unknown setting 'TIMEOUTS'. Did you mean TIMEOUT\?") as raised:
        run()

    assert "FLOWLIX['default']['CONTRACT']" in str(raised.value)
    assert TEST_KEY not in str(raised.value)
    assert checklist.looked_at == []


def test_scenarios_with_a_live_key_are_refused_before_anything_is_looked_at(live: Checklist, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--scenarios is for test keys: account 'default' has a live key"):
        run("--scenarios", "--network", "--output", str(tmp_path / "report.txt"))

    assert live.looked_at == []
    assert not ChecklistRun.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_of_several_accounts_one_has_to_be_named(checklist: Checklist, settings: Any) -> None:
    account = {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}
    settings.FLOWLIX = {name: account | {"IDEMPOTENCY_NAMESPACE": name} for name in ("de", "fr")}

    with pytest.raises(CommandError, match="write which account: --account with one of de, fr"):
        run()
    assert json.loads(run("--account", "fr", "--format", "json"))["account"] == "fr"


def test_default_is_the_default_of_several(checklist: Checklist, settings: Any) -> None:
    account = {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}
    settings.FLOWLIX = {name: account | {"IDEMPOTENCY_NAMESPACE": name} for name in ("fr", "default")}

    assert json.loads(run("--format", "json"))["account"] == "default"


def test_the_only_account_need_not_be_named(checklist: Checklist, settings: Any) -> None:
    settings.FLOWLIX = {"shop": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}

    assert json.loads(run("--format", "json"))["account"] == "shop"


# --- A real payment ------------------------------------------------------------------------------------------


def test_a_real_payment_without_a_terminal_is_refused(live: Checklist) -> None:
    with pytest.raises(CommandError, match="--live-payment is interactive: run it in a terminal"):
        run("--live-payment", "1.00 EUR", stderr=io.StringIO())
    assert live.looked_at == []


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1.00", "write an amount and a currency, such as \"1.00 EUR\", not '1.00'"),
        ("EUR 1.00", "A currency is three ASCII letters, such as EUR"),
        ("", "write an amount and a currency"),
        ("1.00 EUR now", "write an amount and a currency"),
        ("1,00 EUR", "The amount must be digits with at most one dot"),
        ("-1 EUR", "negative"),
        ("1.001 EUR", "decimal"),
        ("1.5 JPY", "decimal"),
        ("1.00 EUX", "EUX is not in ISO 4217"),
        ("1 XAU", "XAU is no currency one can pay with"),
        ("0.00 EUR", "write an amount above zero"),
    ],
)
def test_an_amount_that_is_none_is_refused(
    live: Checklist, monkeypatch: pytest.MonkeyPatch, amount: str, said: str
) -> None:
    with pytest.raises(CommandError, match=f"--live-payment: .*({said})"):
        run("--live-payment", amount, stderr=at_a_terminal(monkeypatch))
    assert live.looked_at == []


@pytest.mark.parametrize(
    ("amount", "minor", "exponent", "is_asked"),
    [
        ("1.00 EUR", 100, 2, False),
        ("1 eur", 100, 2, False),
        ("10.00 EUR", 1000, 2, False),
        ("10.01 EUR", 1001, 2, True),
        ("1000 JPY", 1000, 0, False),
        ("1001 JPY", 1001, 0, True),
        ("1 HUF", 1, 0, False),  # as the account's CURRENCY_EXPONENTS say; ISO 4217 gives it two decimals
    ],
)
def test_the_amount_reaches_the_probes_and_much_is_asked_about(
    live: Checklist,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    amount: str,
    minor: int,
    exponent: int,
    is_asked: bool,
) -> None:
    stderr = at_a_terminal(monkeypatch)
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"CURRENCY_EXPONENTS": {"HUF": 0}}}

    run("--live-payment", amount, "--only", "goes-well", stderr=stderr)

    (context,) = live.contexts
    assert context.live_amount is not None
    assert (context.live_amount.amount_minor, context.live_amount.exponent) == (minor, exponent)
    assert context.live_amount.currency == amount.split()[1].upper()
    assert context.stages == {"static", "live-payment"}
    assert ("Really take" in stderr.getvalue()) is is_asked


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_no_to_much_money_ends_it(live: Checklist, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    stderr = at_a_terminal(monkeypatch, answer)

    with pytest.raises(CommandError, match="nothing was done"):
        run("--live-payment", "100.00 EUR", stderr=stderr)

    assert "Really take 100.00 EUR? [y/N]" in stderr.getvalue()
    assert live.looked_at == []


# --- What is looked at ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "stages"),
    [
        ([], {"static"}),
        (["--network"], {"static", "network"}),
        (["--scenarios"], {"static", "scenarios"}),
        (["--network", "--scenarios"], {"static", "network", "scenarios"}),
    ],
)
def test_the_stages_are_those_that_are_asked_for(checklist: Checklist, arguments: list[str], stages: set[str]) -> None:
    report = json.loads(run(*arguments, "--format", "json"))

    assert set(report["stages"]) == stages
    assert {context.stages for context in checklist.contexts} == {frozenset(stages)}
    assert {context.live_amount for context in checklist.contexts} == {None}


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--only", "goes-on"], ["goes-on"]),
        (["--only", "Goes-On"], ["goes-on"]),
        (["--only", "the line goes-on"], ["goes-on"]),
        (["--section", "ENTRY"], ["goes-well"]),
        (["--section", "With a comma, at least"], ["titled"]),
        (["--only", "goes-wrong,goes-well"], ["goes-well", "goes-wrong"]),
        (["--only", "goes-on", "--only", " goes-well , goes-on"], ["goes-well", "goes-on"]),
        (["--section", "entry"], ["goes-well"]),
        (["--section", "entry,trial"], list(FINDINGS)),
        (["--section", "trial", "--only", "goes-on,goes-well"], ["goes-on"]),
    ],
)
def test_a_part_is_looked_at_in_the_order_of_the_checklist(
    checklist: Checklist, arguments: list[str], ids: list[str]
) -> None:
    checklist.add("titled", Section("odd", "With a comma, at least"), passed("Seen."))

    report = run(*arguments, "--format", "json")

    assert lines_of(report) == checklist.looked_at == ids
    assert json.loads(report)["whole"] is False
    assert ChecklistRun.objects.get().is_whole is False


def test_without_a_choice_all_is_looked_at(checklist: Checklist) -> None:
    report = run("--format", "json")

    assert lines_of(report) == list(FINDINGS)
    assert json.loads(report)["whole"] is True


def test_a_line_of_a_later_stage_says_so(checklist: Checklist) -> None:
    register(Item("afar", ENTRY, "Afar")).probe(Stage.NETWORK)(lambda _: [passed("Seen.")])

    text = run("--only", "afar")

    assert "  SKIP    Afar [afar]\n          - Not looked at: it is looked at over the network" in text
