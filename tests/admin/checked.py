"""Runs of the checklist with made-up findings, names under its lines, and how the pages are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from django.contrib.auth import get_user_model

from django_flowlix.checklist import Finding, Item, Outcome, Section, register
from django_flowlix.checklist.attesting import configuration_of
from django_flowlix.checklist.items import _registered, registered
from django_flowlix.checklist.keeping import keep
from django_flowlix.checklist.report import Line, Report
from django_flowlix.conf import account
from django_flowlix.models import ChecklistRun, ChecklistSignoff
from tests.admin.rows import NOON

RUNS = "/admin/django_flowlix/checklistrun/"
CHECKLIST = f"{RUNS}checklist/"
STATEMENT = "Cards are entered on the hosted page only."


def attest_page(item: str, step: str = "attest", alias: str = "default") -> str:
    return f"{CHECKLIST}{item}/{step}/?account={alias}"


def finding(outcome: str, looked_at: str = "", to_do: str = "", stage: str = "static") -> Finding:
    default = STATEMENT if outcome == "person" else ""
    return Finding(Outcome(outcome), looked_at or f"Seen: {outcome}.", to_do or default, stage)


def a_line(item: str, *findings: Finding, **changes: Any) -> Line:
    """A line of the catalogue with what was found; it comes to the worst of it."""
    known = {each.id: each for each in registered()}.get(item)
    worst = max((each.outcome for each in findings), key=["note", "pass", "skip", "person", "warn", "fail"].index)
    line = Line(
        item=item,
        title=known.title if known else f"The line {item}",
        section=known.section.id if known else "elsewhere",
        section_title=known.section.title if known else "Elsewhere",
        docs_url=known.docs_url if known else "",
        outcome=worst,
        findings=findings,
    )
    return replace(line, **changes)


def a_run(*lines: Line, alias: str = "default", hours_ago: float = 0, **changes: Any) -> ChecklistRun:
    """A run of everything there is, without the network, by anna at noon, for the configuration of the settings."""
    at = NOON - timedelta(hours=hours_ago)
    report = Report(
        **configuration_of(account(alias)),
        version="1.4.0",
        stages=("static",),
        is_whole=True,
        ran_by="anna",
        started_at=at,
        finished_at=at + timedelta(seconds=3),
        lines=lines,
    )
    return keep(replace(report, **changes))


def a_name(item: str, *, alias: str = "default", at: datetime = NOON, **changes: Any) -> ChecklistSignoff:
    """Berta's name under a line, given at noon for the configuration of the settings."""
    values: dict[str, Any] = {
        **configuration_of(account(alias)),
        "item": item,
        "statement": STATEMENT,
        "note": "Looked at every template.",
        "signed_by": get_user_model().objects.get_or_create(username="berta")[0],
        "signed_by_name": "berta",
        "signed_at": at,
    }
    return ChecklistSignoff.objects.create(**values | changes)


@contextmanager
def a_foreign_line(title: str = "Stock is reserved") -> Iterator[Item]:
    """A line that another app has registered, for as long as the test lasts."""
    item = register(Item("stock-reserved", Section("shop", "The shop"), title, docs_url="https://shop.example/stock"))
    try:
        yield item
    finally:
        del _registered[item.id]


def words(html: str) -> str:
    """What is read, without drawings and signs."""
    text = re.sub(r'<svg.*?</svg>|<span class="flowlix-mark.*?</span>|<[^>]*>', " ", html, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def line_in(text: str, item: str) -> str:
    """The words of one line of a page."""
    found = re.search(rf'<article class="[^"]*" id="line-{item}".*?</article>', text, re.DOTALL)
    assert found, f"there is no line {item}"
    return words(found.group())


def lines_in(text: str) -> list[str]:
    return re.findall(r'id="line-([^"]*)"', text)


def tally_in(text: str) -> dict[str, str]:
    """How many lines of a page came to what."""
    block = re.search(r'<dl class="[^"]*flowlix-tally.*?</dl>', text, re.DOTALL)
    assert block
    pairs = re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", block.group(), re.DOTALL)
    return {words(badge): number for badge, number in pairs}


def outcomes_in(text: str) -> Mapping[str, str]:
    """What each line of a page came to, by its badge."""
    found = re.findall(r'id="line-([^"]*)".*?<p class="flowlix-came-to">(.*?)</p>', text, re.DOTALL)
    return {item: words(badge) for item, badge in found}
