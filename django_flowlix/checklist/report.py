"""A run as it is shown and kept: what each line came to, with the words it was found in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Protocol, TypeVar

from .findings import Finding, Outcome, counts_of


class InSection(Protocol):
    """Whatever stands under a heading of the checklist."""

    @property
    def section(self) -> str: ...

    @property
    def section_title(self) -> str: ...


_Shown = TypeVar("_Shown", bound=InSection)


def by_section(lines: Iterable[_Shown]) -> Iterator[tuple[str, str, list[_Shown]]]:
    """Yield id, title and lines of each section, in order."""
    for (section, title), under in groupby(lines, lambda line: (line.section, line.section_title)):
        yield section, title, list(under)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item of the checklist with its outcome; `attestation` says who made it pass that needs a person."""

    item: str
    title: str
    section: str
    section_title: str
    docs_url: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    attestation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run: of which configuration, by whom and when, how far it went, and its lines in order."""

    account: str
    contract: str
    livemode: bool
    api_key_fingerprint: str
    api_url: str
    base_url: str
    version: str
    stages: tuple[str, ...]
    is_whole: bool
    ran_by: str
    started_at: datetime
    finished_at: datetime
    lines: tuple[Line, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many lines came to each outcome, the worst first; all five are there."""
        return counts_of(line.outcome for line in self.lines)

    def sections(self) -> Iterator[tuple[str, str, list[Line]]]:
        """Yield id, title and lines of each section, in order."""
        return by_section(self.lines)

    def lines_at_least(self, level: Outcome) -> list[Line]:
        """Return the lines whose outcome is as bad as `level` or worse."""
        return [line for line in self.lines if line.outcome.weight >= level.weight]
