"""The lines of the go-live checklist as they are shown, in a run as it was and as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..checklist import Finding, Outcome
from ..checklist.report import Report, by_section
from ..checklist.reports.wording import ATTESTED, TO_ATTEST, worst_first
from .outcomes import kind_of, outcome_badge, outcome_sign

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_LEADS = {
    Outcome.PERSON: gettext_lazy(TO_ATTEST),
    Outcome.SKIP: gettext_lazy("To have it looked at:"),
}
_LEADS_OF_PASSING = {Outcome.PERSON: gettext_lazy(ATTESTED)}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """One look; `lead` are the words before `to_do`."""

    sign: SafeString
    looked_at: str
    lead: _StrPromise
    to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """What every line shows."""

    id: str
    title: str
    kind: str
    badge: SafeString
    docs_url: str
    findings: list[ShownFinding]
    section: str
    section_title: str
    outcome: Outcome | None
    attestation: str = ""


@dataclass(frozen=True, slots=True)
class ShownSection:
    id: str
    title: str
    lines: Sequence[ShownLine]

    @property
    def sign(self) -> SafeString:
        """The sign of the worst line; one that nobody looked at is as good as skipped."""
        outcomes = [line.outcome for line in self.lines]
        return outcome_sign(max(outcomes, key=lambda outcome: (outcome or Outcome.SKIP).weight))


def shown_findings(findings: Iterable[Finding], of: Outcome | None) -> list[ShownFinding]:
    """Return the findings of a line that comes to `of` as they matter, what only is noted last."""
    leads = _LEADS | (_LEADS_OF_PASSING if of is Outcome.PASS else {})
    return [
        ShownFinding(
            outcome_sign(finding.outcome),
            finding.looked_at,
            leads.get(finding.outcome, gettext_lazy("What to do:")),
            finding.to_do,
        )
        for finding in worst_first(findings)
    ]


def web_address(url: str) -> str:
    """Return an address that may be linked, "" for any other text."""
    return url if url.startswith(("https://", "http://")) else ""


def lines_of(report: Report) -> list[ShownLine]:
    return [
        ShownLine(
            id=line.item,
            title=line.title,
            kind=kind_of(line.outcome),
            badge=outcome_badge(line.outcome),
            docs_url=web_address(line.docs_url),
            findings=shown_findings(line.findings, line.outcome),
            section=line.section,
            section_title=line.section_title,
            outcome=line.outcome,
            attestation=line.attestation,
        )
        for line in report.lines
    ]


def sections_of(lines: Iterable[ShownLine]) -> list[ShownSection]:
    """Return the lines under their headings, in their order."""
    return [ShownSection(section, title, under) for section, title, under in by_section(lines)]
