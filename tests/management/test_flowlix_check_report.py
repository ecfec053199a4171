"""Where the command's report goes, what is kept of a run, and how the command ends."""

from __future__ import annotations

import getpass
import io
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.core.management.color import make_style
from django.db import InterfaceError, OperationalError

from django_flowlix.checklist import Context, Finding, Item, attesting, passed, register
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.management.commands import flowlix_check
from django_flowlix.models import ChecklistRun
from tests.management.small_checklist import ENTRY, FINDINGS, Checklist, Screen, checklist, exit_code, lines_of, run

__all__ = ["checklist"]
ROOT = Path(__file__).parents[2]

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


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
@pytest.mark.parametrize("form", ["json", "junit", "html"])
def test_what_programs_read_is_utf8_whatever_the_stream_has(checklist: Checklist, form: str, encoding: str) -> None:
    checklist.add("abroad", ENTRY, passed("Zürich → 東京"))
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(raw, encoding=encoding)

    call_command("flowlix_check", "--only", "abroad", "--format", form, stdout=stdout)

    assert "Zürich → 東京" in raw.getvalue().decode("utf-8")


def test_a_minus_is_standard_output(checklist: Checklist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert lines_of(run("--format", "json", "--output", "-")) == list(FINDINGS)
    assert list(tmp_path.iterdir()) == []


def test_the_closing_line_does_not_come_between_a_report_and_its_reader(checklist: Checklist, tmp_path: Path) -> None:
    stderr = io.StringIO()
    with (tmp_path / "report.json").open("w") as file:
        printed = run("--format", "json", "--output", f"/dev/fd/{file.fileno()}", stderr=stderr)

    assert printed == ""
    assert lines_of((tmp_path / "report.json").read_text(encoding="utf-8")) == list(FINDINGS)
    assert stderr.getvalue().startswith("default: 1 FAIL, 1 WARN, 1 PERSON, 1 SKIP, 1 PASS. The report is in /dev/fd/")


@pytest.mark.parametrize("to_a_file", [True, False])
def test_more_words_show_what_passes_to_its_end(checklist: Checklist, tmp_path: Path, to_a_file: bool) -> None:
    checklist.add("long", ENTRY, passed("word " * 100 + "end."))

    def shown(*arguments: str) -> str:
        printed = run("--only", "long", *arguments, *(["--output", str(tmp_path / "report")] if to_a_file else []))
        return (tmp_path / "report").read_text() if to_a_file else printed

    assert "word …" in shown()
    assert "word end." in shown("--verbosity", "2")


@pytest.mark.parametrize("name", ["", "django_flowlix"])
def test_no_bar_is_drawn_over_a_log_on_the_same_screen(
    checklist: Checklist, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logger = logging.getLogger(name)
    monkeypatch.setattr(logger, "handlers", [*logger.handlers, logging.StreamHandler(Screen())])
    terminal = Screen()

    run(stderr=terminal)

    assert terminal.getvalue() == ""


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

    with pytest.raises(CommandError, match=r"^interrupted: the run was not kept$") as raised:
        run("--network")

    assert raised.value.returncode == 130
    assert not ChecklistRun.objects.exists()
    with pytest.raises(CommandError, match=r"not kept; a payment at the hosted page that it has begun stands in the"):
        run("--scenarios")


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
    said = [line for line in done.stderr.splitlines(keepends=True) if " django_flowlix: " not in line]  # not the log
    assert "".join(said) == (
        "The run could not be kept: database: OperationalError. Is it reachable, and has migrate been run?\n"
    )


def shell(line: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = shlex.join([sys.executable, str(ROOT / "example_project" / "manage.py"), "flowlix_check"])
    database = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    return subprocess.run(
        ["bash", "-c", line.replace("flowlix_check", f"{command} --only secret-key-server-side")],
        env=os.environ | {"DEBUG": "off", "SECRET_KEY": "tests-only", "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_has_read_enough_is_no_fault(tmp_path: Path) -> None:
    done = shell("set -o pipefail; flowlix_check --format html | head -c 0", tmp_path)

    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert done.returncode in (0, 1)


def test_a_full_disk_behind_standard_output_is_one_sentence(tmp_path: Path) -> None:
    done = shell("flowlix_check > /dev/full", tmp_path)

    said = [line for line in done.stderr.splitlines() if " django_flowlix: " not in line]
    assert said == ["CommandError: standard output cannot be written to: No space left on device"]
    assert done.returncode == 1


def test_a_report_by_the_name_of_standard_output_is_whole(tmp_path: Path) -> None:
    shell(f"flowlix_check --format json --output /dev/stdout > {tmp_path}/report.json", tmp_path)

    assert lines_of((tmp_path / "report.json").read_text(encoding="utf-8")) == ["secret-key-server-side"]


def test_a_wrong_option_ends_with_two_and_bad_input_with_one(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    assert from_the_shell("--format", "yaml", DATABASE_URL=database).returncode == 2
    refused = from_the_shell("--only", "clok", DATABASE_URL=database)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("CommandError: --only: there is no 'clok'; did you mean clock? There are: ")


def test_no_request_is_made_unless_it_is_asked_for(db: None, emulator: EmulatorServer) -> None:
    run("--section", "installation")
    assert emulator.log() == []
