"""Reading what a run of the checklist says about one line."""

from __future__ import annotations

from django_flowlix.checklist import Finding, Outcome
from django_flowlix.checklist.items import Item, registered
from django_flowlix.checklist.report import Line


def item(item_id: str) -> Item:
    """The line with this id."""
    (found,) = [each for each in registered() if each.id == item_id]
    return found


def worst(line: Line) -> Finding:
    """The finding that decided a line's outcome."""
    return max(line.findings, key=lambda finding: finding.outcome.weight)


def told(line: Line, outcome: Outcome) -> str:
    """Everything that the findings of one outcome say."""
    chosen = [finding for finding in line.findings if finding.outcome is outcome]
    return "\n".join(f"{finding.looked_at} → {finding.to_do}" for finding in chosen)
