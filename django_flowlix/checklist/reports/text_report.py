"""The report for a terminal or a log: readable at 80 columns, with and without colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.management.color import Style, no_style

from ...api.redaction import one_line
from ..findings import Finding, Outcome
from ..report import Line, Report
from .wording import count_of_lines, facts, next_steps, remedy_of, word_of, worst_first

_MARGIN = 2
_INDENT = 10
"""Behind the margin stands the word of the outcome, the longest of which is PERSON."""
_LONGEST_TEXT = 4000
_LINES_OF_A_PASS = 4
_REQUEST_ID = re.compile(r"\breq_\w")
_BULLET = "- "
_ROLES = {
    Outcome.FAIL: "ERROR",
    Outcome.WARN: "WARNING",
    Outcome.PERSON: "MIGRATE_HEADING",
    Outcome.PASS: "SUCCESS",
}


def render(report: Report, *, width: int = 80, style: Style | None = None, is_whole: bool = False) -> str:
    """Write a report in lines of at most `width` characters, but for addresses and paths; `style` is Django's.

    What passes is cut after a few lines unless the report is to be whole.
    """
    paper = _Paper(width, style or no_style(), None if is_whole else _LINES_OF_A_PASS)
    parts = [list(_head(report, paper))]
    parts += [list(_section(title, section, paper)) for _, title, section in report.sections()]
    parts += [list(_foot(report, paper))]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Paper:
    """How wide the lines are, what they are coloured with, and how many of them a pass gets (None: all)."""

    width: int
    style: Style
    lines_of_a_pass: int | None

    def outcome(self, outcome: Outcome, text: str) -> str:
        colour: Callable[[str], str] = getattr(self.style, _ROLES[outcome]) if outcome in _ROLES else self.dim
        return colour(text)

    def heading(self, text: str) -> str:
        return str(self.style.MIGRATE_LABEL(text))

    def dim(self, text: str) -> str:
        # Django's palettes have nothing fainter than plain; a style without colours leaves even "" as it is.
        return f"\x1b[2m{text}\x1b[0m" if self.style.SUCCESS("") else text

    def wrap(self, text: str, indent: int, *, sign: str = "", most: int | None = None) -> list[str]:
        """Return a text in lines, after the first `sign`, the others hanging below; at most `most` of them."""
        room = max(20, self.width - indent - len(sign))
        words = " ".join(_breakable(one_line(text, _LONGEST_TEXT), room))
        return textwrap.wrap(
            words,
            indent + len(sign) + room,
            initial_indent=" " * indent + sign,
            subsequent_indent=" " * (indent + len(sign)),
            break_long_words=False,
            break_on_hyphens=False,
            max_lines=most,
            placeholder=" …",
        )


def _breakable(text: str, room: int) -> Iterator[str]:
    """Yield the words of a text, one that fits no line in pieces, unless it is an address or a path."""
    for word in text.split():
        if "/" in word or "\\" in word:
            yield word
        else:
            yield from textwrap.wrap(word, room)


def _head(report: Report, paper: _Paper) -> Iterator[str]:
    yield paper.heading("Flowlix go-live checklist")
    for name, value in facts(report):
        shown = paper.wrap(value, _MARGIN + 10)
        first, *rest = shown or [""]
        label = f"{' ' * _MARGIN}{name:<10}{first.strip()}"
        yield paper.outcome(Outcome.FAIL, label) if name == "Mode" and report.livemode else label
        yield from rest


def _section(title: str, section: list[Line], paper: _Paper) -> Iterator[str]:
    yield from map(paper.heading, paper.wrap(title, 0))
    for line in section:
        yield from _line(line, paper)


def _line(line: Line, paper: _Paper) -> Iterator[str]:
    word = f"{' ' * _MARGIN}{word_of(line.outcome):<{_INDENT - _MARGIN}}"
    first, *rest = paper.wrap(f"{line.title} [{line.item}]", _INDENT)
    yield paper.outcome(line.outcome, word) + first.strip()
    yield from rest
    for finding in worst_first(line.findings):
        yield from _finding(finding, line, paper)
    if line.attestation:
        yield from paper.wrap(line.attestation, _INDENT)
    if line.outcome is not Outcome.PASS and line.docs_url:
        yield from map(paper.dim, paper.wrap(line.docs_url, _INDENT))


def _finding(finding: Finding, line: Line, paper: _Paper) -> Iterator[str]:
    """Yield what was seen, after its own word where the line has another, and what to do; a pass is short and faint."""
    word = "" if finding.outcome is line.outcome else f"{word_of(finding.outcome).capitalize()}: "
    if finding.outcome is Outcome.PASS:
        # What names a request is what support is asked about: it is shown to its end.
        most = None if _REQUEST_ID.search(finding.looked_at) else paper.lines_of_a_pass
        seen = paper.wrap(word + finding.looked_at, _INDENT, sign=_BULLET, most=most)
        yield from map(paper.dim, seen)
        return
    yield from paper.wrap(word + finding.looked_at, _INDENT, sign=_BULLET)
    if remedy := remedy_of(finding, line):
        yield from paper.wrap(remedy, _INDENT + len(_BULLET), sign="→ ")


def _foot(report: Report, paper: _Paper) -> Iterator[str]:
    counted = [
        paper.outcome(outcome, f"{count} {word_of(outcome)}") if count else f"{count} {word_of(outcome)}"
        for outcome, count in report.counts.items()
    ]
    yield f"{paper.heading(count_of_lines(len(report.lines)))}: {', '.join(counted)}"
    for step in next_steps(report):
        yield from paper.wrap(step, 0)
