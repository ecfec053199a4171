"""The report as one page for a go-live ticket: it loads nothing, runs nothing and says so in its policy.

The page is rendered without the project's template settings and cannot be overridden: it must look the same in every
ticket, and its style must be the one that the policy names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Template
from django.utils.safestring import mark_safe

from ..findings import Finding, Outcome
from ..report import Line, Report
from .wording import SIGNS, count_of_lines, facts, legible, moment, next_steps, remedy_of, word_of, worst_first

_HERE = Path(__file__).parent


def render(report: Report) -> str:
    """Write a report as a page that stands for itself: style inside, no script, nothing from elsewhere."""
    return legible(_template().render(Context(_page(report))))


@cache
def _template() -> Template:
    return Engine().from_string((_HERE / "report.html").read_text(encoding="utf-8"))


@cache
def _style() -> str:
    return (_HERE / "report.css").read_text(encoding="utf-8")


def policy() -> str:
    """Return the page's Content-Security-Policy, which whoever serves the page may send as a header too."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _page(report: Report) -> dict[str, Any]:
    return {
        "style": mark_safe(_style()),  # noqa: S308  a file of this package; escaped it would be another style
        "policy": mark_safe(policy()),  # noqa: S308  a hash, and quotes that have to stay
        "report": report,
        "run_at": moment(report.started_at),
        "facts": [(name, value) for name, value in facts(report) if name != "Mode"],
        "counts": [_mark(outcome) | {"count": count} for outcome, count in report.counts.items()],
        "next_steps": list(next_steps(report)),
        "sections": [
            {"title": title, "lines": [_line(line) for line in section], "worst": _mark(_worst(section))}
            for _, title, section in report.sections()
        ],
        "line_count": count_of_lines(len(report.lines)),
    }


def _line(line: Line) -> dict[str, Any]:
    return _mark(line.outcome) | {
        "id": line.item,
        "title": line.title,
        "findings": [_finding(finding, line) for finding in worst_first(line.findings)],
        "attestation": line.attestation,
        "docs_url": line.docs_url,
    }


def _finding(finding: Finding, line: Line) -> dict[str, Any]:
    """Say the outcome of a finding only where it is not the line's."""
    return _mark(finding.outcome) | {
        "differs": finding.outcome is not line.outcome,
        "looked_at": finding.looked_at,
        "remedy": remedy_of(finding, line),
    }


def _mark(outcome: Outcome) -> dict[str, str]:
    return {"outcome": outcome.value, "word": word_of(outcome), "sign": SIGNS[outcome]}


def _worst(section: list[Line]) -> Outcome:
    return max((line.outcome for line in section), key=lambda outcome: outcome.weight)
