"""What a report says in the same words and order wherever it is shown: what was run, what a line came to, what to do.

The reports are English; who shows the same in the reader's language translates the words that are marked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from django.utils.translation import gettext_noop

from ..findings import Finding, Outcome
from ..report import Line, Report

# What XML or UTF-8 cannot hold, and what would turn the reading direction of the text around it.
# Source: XML 1.0, production 2 (Char)
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")

_TO_DO = {
    Outcome.FAIL: ("fails: mend it, then check again", "fail: mend them, then check again"),
    Outcome.WARN: ("warns: mend it before customers come", "warn: mend them before customers come"),
    Outcome.PERSON: (
        "needs a person: attest it in the admin, under Go-live checklist",
        "need a person: attest them in the admin, under Go-live checklist",
    ),
    Outcome.SKIP: ("was skipped: it says why", "were skipped: each says why"),
}

SIGNS: Mapping[Outcome, str] = {
    Outcome.FAIL: "✕",
    Outcome.WARN: "!",
    Outcome.PERSON: "?",
    Outcome.SKIP: "\N{EN DASH}",
    Outcome.PASS: "✓",
    Outcome.NOTE: "i",
}
TO_ATTEST = gettext_noop("To attest:")
ATTESTED = gettext_noop("Attested:")


def legible(text: str) -> str:
    """Return a text with a sign in place of each character that would harm the file or its reader."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


def word_of(outcome: Outcome) -> str:
    return outcome.value.upper()


def count_of_lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def seconds_of(report: Report) -> float:
    return max(0.0, (report.finished_at - report.started_at).total_seconds())


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what a run was about and how far it went, as names and values in the order of reading."""
    return [
        ("Account", report.account),
        ("Contract", report.contract),
        ("Mode", "LIVE: real money" if report.livemode else "test"),
        ("Gateway", report.api_url),
        ("Shop", report.base_url),
        ("Version", f"django-flowlix {report.version}"),
        ("Stages", ", ".join(report.stages)),
        ("Lines", f"all {len(report.lines)}" if report.is_whole else f"{len(report.lines)}, a part of the checklist"),
        ("Run by", report.ran_by or "unknown"),
        ("Run at", f"{moment(report.started_at)}, {seconds_of(report):.0f} s"),
    ]


def tally(report: Report) -> str:
    """Return how many lines came to each outcome, the worst first."""
    return ", ".join(f"{count} {word_of(outcome)}" for outcome, count in report.counts.items())


def next_steps(report: Report) -> Iterator[str]:
    """Yield a sentence for each kind of line that leaves something to do."""
    for outcome, count in report.counts.items():
        if count and outcome in _TO_DO:
            one, many = _TO_DO[outcome]
            yield f"{count_of_lines(count)} {one if count == 1 else many}."
    if not report.is_whole:
        yield "Only a part of the checklist was looked at."
    elif report.counts[Outcome.PASS] == len(report.lines):
        yield f"All {count_of_lines(len(report.lines))} pass."
    if not report.livemode:
        yield "This was test mode: check again with the live key before real customers come."


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of a line as they matter, what only is noted last."""
    return sorted(findings, key=lambda finding: finding.outcome.weight, reverse=True)


def remedy_of(finding: Finding, line: Line) -> str:
    """Say what to do about a finding; of one that needs a person, what that person puts a name to."""
    if not finding.to_do or finding.outcome is not Outcome.PERSON:
        return finding.to_do
    return f"{ATTESTED if line.outcome is Outcome.PASS else TO_ATTEST} {finding.to_do}"
