"""A checklist of five lines in place of the large one, and the command run over it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import call_command

from django_flowlix.checklist import (
    Context,
    Finding,
    Item,
    Section,
    Stage,
    failed,
    items,
    needs_person,
    passed,
    register,
    skipped,
    warned,
)
from django_flowlix.management.commands import flowlix_check  # noqa: F401  the large one is registered before it is replaced
from tests.conftest import BASE_URL, TEST_KEY

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
