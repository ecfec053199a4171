"""The command in front of the checklist: options, bad input, where the report goes, what is kept, how it ends."""

from __future__ import annotations

import getpass
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.core.management.color import make_style
from django.db import InterfaceError, OperationalError

from django_flowlix.checklist import (
    Context,
    Finding,
    Item,
    Section,
    Stage,
    attesting,
    failed,
    items,
    needs_person,
    passed,
    register,
    skipped,
    warned,
)
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.management.commands import flowlix_check
from django_flowlix.models import ChecklistRun
from tests.conftest import BASE_URL, TEST_KEY

ROOT = Path(__file__).parents[2]
LIVE_KEY = "_".join(["fl", "live", "sk", "x" * 24])
TRIAL, ENTRY = Section("trial", "Trial"), Section("entry", "Entry")
FINDINGS = {
    "goes-well": passed("It was looked at."),
    "left-out": skipped("There was nothing to look at."),
    "by-a-person": needs_person("A program cannot tell.", "It was seen to."),
    "goes-on": warned("It limps.", "Mend it."),
    "goes-wrong": failed("It is broken.", "Mend it now."),
}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Checklist:
    """A small checklist in place of the large one: a line for every outcome. It remembers what was looked at."""

    contexts: list[Context] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)

    def add(self, item_id: str, section: Section, *findings: Finding) -> Item:
        item = register(Item(item_id, section, f"The line {item_id}"))

        @item.probe(Stage.STATIC)
        def look(context: Context) -> Iterable[Finding]:
            self.contexts.append(context)
            self.looked_at.append(item_id)
            return findings

        return item


@pytest.fixture
def checklist(monkeypatch: pytest.MonkeyPatch, settings: Any, db: None) -> Checklist:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    monkeypatch.setattr(items, "_registered", {})
    checklist = Checklist()
    for item_id, finding in FINDINGS.items():
        checklist.add(item_id, ENTRY if item_id == "goes-well" else TRIAL, finding)
    return checklist


@pytest.fixture
def live(checklist: Checklist, settings: Any) -> Checklist:
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example.com"}}
    return checklist


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str = "y\n") -> Screen:
    """Let a person sit there who types; returns what is to be standard error."""
    monkeypatch.setattr(sys, "stdin", Screen(typed))
    monkeypatch.setenv("COLUMNS", "80")
    return Screen()


def run(*arguments: str, **options: Any) -> str:
    """Run the command to its end and return what it printed; exit code 1 is no error here."""
    stdout = io.StringIO()
    with suppress(SystemExit):
        call_command("flowlix_check", *arguments, stdout=stdout, **options)
    return stdout.getvalue()


def exit_code(*arguments: str) -> int:
    try:
        call_command("flowlix_check", *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    except SystemExit as end:
        return int(str(end.code))
    return 0


def lines_of(text: str) -> list[str]:
    """The ids of the lines in a JSON report."""
    return [item["id"] for section in json.loads(text)["sections"] for item in section["items"]]


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
        (["--only", "trial"], r"--only: there is no 'trial'"),
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

    assert "  SKIP    Afar\n          Not looked at: it is looked at over the network" in text


# --- Where the report goes -----------------------------------------------------------------------------------


def test_the_report_is_text_unless_another_format_is_asked_for(checklist: Checklist) -> None:
    assert run().startswith("Flowlix go-live checklist\n  Account   default\n")
    assert lines_of(run("--format", "json")) == list(FINDINGS)
    assert len(list(ET.fromstring(run("--format", "junit")).iter("testcase"))) == len(FINDINGS)
    assert run("--format", "html").startswith("<!doctype html>")


@pytest.mark.parametrize("form", ["text", "json", "junit", "html"])
def test_a_report_in_a_file_is_the_one_that_would_be_printed(checklist: Checklist, tmp_path: Path, form: str) -> None:
    path = tmp_path / "report"
    printed = run("--format", form, "--output", str(path))
    without_times = re.compile(r"\d\d:\d\d:\d\d(\.\d+Z)?|time=\"[\d.]+\"")

    assert printed == f"default: 1 FAIL, 1 WARN, 1 PERSON, 1 SKIP, 1 PASS. The report is in {path}.\n"
    written = path.read_text(encoding="utf-8")
    assert without_times.sub("", written) == without_times.sub("", run("--format", form))


def test_an_earlier_report_stays_until_all_has_been_looked_at(checklist: Checklist, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("old")
    seen: list[str] = []

    @register(Item("reads", ENTRY, "Reads")).probe()
    def read(_: Context) -> list[Finding]:
        seen.append(path.read_text())
        return [passed("It was read.")]

    run("--output", str(path), "--only", "reads")

    assert seen == ["old"]
    assert path.read_text().startswith("Flowlix go-live checklist\n")


def test_the_operator_is_spoken_to_on_standard_error(checklist: Checklist, capsys: pytest.CaptureFixture[str]) -> None:
    item = register(Item("speaks", ENTRY, "Speaks"))

    @item.probe()
    def speak(context: Context) -> list[Finding]:
        context.operator.say("Pay at https://pay.example.com/")
        return [passed(f"Confirmed: {context.operator.confirms('Refund it?')}.")]

    call_command("flowlix_check", "--only", "speaks", "--format", "json")

    printed = capsys.readouterr()
    assert json.loads(printed.out)["sections"][0]["items"][0]["findings"][0]["looked_at"] == "Confirmed: False."
    assert printed.err == "Pay at https://pay.example.com/\n"


def test_a_bar_shows_the_progress_on_a_terminal_only(checklist: Checklist) -> None:
    terminal, file = Screen(), io.StringIO()
    run(stderr=terminal)
    run(stderr=file)

    assert " 0/5\r" in terminal.getvalue()
    assert terminal.getvalue().endswith(" 5/5\n")
    assert file.getvalue() == ""


@pytest.mark.parametrize(
    ("arguments", "environment", "is_terminal", "is_coloured"),
    [
        ([], {}, True, True),
        ([], {}, False, False),
        (["--no-color"], {}, True, False),
        ([], {"NO_COLOR": "1"}, True, False),
        ([], {"NO_COLOR": ""}, True, True),
        ([], {"DJANGO_COLORS": "nocolor"}, True, False),
        (["--force-color"], {}, False, True),
        (["--force-color"], {"NO_COLOR": "1"}, False, True),
        (["--format", "json"], {}, True, False),
    ],
)
def test_colours_are_for_terminals_and_as_the_operator_wants_them(
    checklist: Checklist,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    is_terminal: bool,
    is_coloured: bool,
) -> None:
    for name in ("NO_COLOR", "DJANGO_COLORS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stdout = Screen() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)

    with pytest.raises(SystemExit):
        call_command("flowlix_check", *arguments)

    red = make_style("dark").ERROR("x").partition("x")[0]
    assert (red in stdout.getvalue()) is is_coloured


def test_a_narrow_terminal_gets_narrow_text(checklist: Checklist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    checklist.add("long", ENTRY, passed("word " * 60))

    call_command("flowlix_check", "--only", "long", "--no-color")

    assert 50 < max(len(line) for line in screen.getvalue().splitlines() if "://" not in line) <= 60


def test_what_a_stream_cannot_encode_is_escaped(checklist: Checklist) -> None:
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(raw, encoding="ascii")

    with pytest.raises(SystemExit):
        call_command("flowlix_check", stdout=stdout)

    stdout.flush()
    assert b"\\u2192 Mend it now." in raw.getvalue()


# --- How it ends ---------------------------------------------------------------------------------------------

LEVELS = {"fail": 1, "warn": 2, "person": 3, "skip": 4}
"""How many of the five lines are that bad or worse."""


@pytest.mark.parametrize("level", LEVELS)
def test_the_exit_code_is_one_when_a_line_is_at_the_level_or_worse(checklist: Checklist, level: str) -> None:
    from_bad_to_good = list(reversed(FINDINGS))

    for place, item_id in enumerate(from_bad_to_good):
        expected = 1 if place < LEVELS[level] else 0
        assert exit_code("--only", item_id, "--fail-level", level) == expected


def test_by_default_only_a_failure_is_an_error(checklist: Checklist) -> None:
    assert exit_code() == 1
    assert exit_code("--only", "goes-well,left-out,by-a-person,goes-on") == 0


def test_a_report_with_failures_is_followed_by_no_error(
    checklist: Checklist, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        call_command("flowlix_check", "--output", str(tmp_path / "report"))
    assert capsys.readouterr().err == ""


def test_ctrl_c_is_one_sentence(checklist: Checklist) -> None:
    def interrupt(_: Context) -> list[Finding]:
        raise KeyboardInterrupt

    register(Item("slow", ENTRY, "Slow")).probe()(interrupt)

    with pytest.raises(CommandError, match=r"^interrupted: the run was not kept") as raised:
        run()

    assert raised.value.returncode == 130
    assert not ChecklistRun.objects.exists()


# --- What is kept --------------------------------------------------------------------------------------------


def test_a_run_is_kept_with_who_ran_it(checklist: Checklist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "build-7")

    run("--network")

    kept = ChecklistRun.objects.get()
    assert (kept.ran_by, kept.account, kept.stages, kept.is_whole) == ("ada@build-7", "default", "static network", True)
    assert list(kept.results.order_by("position").values_list("item", "outcome")) == [
        ("goes-well", "pass"),
        ("left-out", "skip"),
        ("by-a-person", "person"),
        ("goes-on", "warn"),
        ("goes-wrong", "fail"),
    ]


@pytest.mark.parametrize("error", [OSError("No username set in the environment"), KeyError("getpwuid"), ImportError()])
def test_a_user_that_the_system_does_not_know_is_nobody(
    checklist: Checklist, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def getuser() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)

    assert json.loads(run("--format", "json"))["ran_by"] == ""
    assert ChecklistRun.objects.get().ran_by == ""


def test_a_user_name_that_is_no_text_is_kept_all_the_same(
    checklist: Checklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ada\udcff\n" + "x" * 300)

    run()

    ran_by = ChecklistRun.objects.get().ran_by
    assert ran_by.startswith(r"ada\udcff\nxxx")
    assert len(ran_by) == 150


def test_a_run_that_the_database_does_not_take_is_reported_all_the_same(
    checklist: Checklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OperationalError("no such table: django_flowlix_checklistrun")

    monkeypatch.setattr(flowlix_check, "keep", refuse)
    stderr = io.StringIO()

    report = run("--only", "goes-well", "--format", "json", stderr=stderr)

    assert lines_of(report) == ["goes-well"]
    sentence = "The run could not be kept: database: OperationalError. Is it reachable, and has migrate been run?\n"
    assert stderr.getvalue() == sentence


def test_a_database_that_fails_the_command_itself_is_one_sentence(
    checklist: Checklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(attesting, "signoffs", fail)

    with pytest.raises(CommandError, match=r"^database: InterfaceError\. Is it reachable"):
        run()


# --- As it is called -----------------------------------------------------------------------------------------


def from_the_shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "example_project" / "manage.py"), "flowlix_check", *arguments],
        env=os.environ | {"DEBUG": "off", "SECRET_KEY": "tests-only"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_database_the_report_is_printed_and_nothing_else_but_a_sentence(tmp_path: Path) -> None:
    done = from_the_shell(
        "--only", "pci-scope,clock", "--fail-level", "skip", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    )

    assert done.returncode == 1
    assert done.stdout.startswith("Flowlix go-live checklist\n")
    assert done.stderr == (
        "The run could not be kept: database: OperationalError. Is it reachable, and has migrate been run?\n"
    )


def test_a_wrong_option_ends_with_two_and_bad_input_with_one(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    assert from_the_shell("--format", "yaml", DATABASE_URL=database).returncode == 2
    refused = from_the_shell("--only", "clok", DATABASE_URL=database)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("CommandError: --only: there is no 'clok'; did you mean clock? There are: ")


def test_no_request_is_made_unless_it_is_asked_for(db: None, emulator: EmulatorServer) -> None:
    run("--section", "installation")
    assert emulator.log() == []
