"""How the checklist stands today: of every line, what the latest look of each stage found, and whose name is under it.

A run that left the network out says nothing about the network: what an earlier one found there still counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..conf import Account
from ..models import ChecklistResult, ChecklistRun, ChecklistSignoff
from .attesting import configuration_of, signoffs, why_expired, words_of
from .findings import Finding, Outcome, statement_of, worst_of
from .items import Item
from .keeping import findings_of

_MOST_RUNS = 100
"""How far back the latest look is searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A line as it stands for the present configuration.

    `outcome` is None when no run has looked, `before` when none but the last one has. `statement` is what a person may
    attest now, "" when nothing needs one. `signoff` is the name that stands under it, `expired` why it counts no more.
    """

    item: Item
    findings: tuple[Finding, ...]
    outcome: Outcome | None
    before: Outcome | None
    looked_at: ChecklistRun | None
    statement: str
    signoff: ChecklistSignoff | None
    expired: str

    @property
    def has_changed(self) -> bool:
        """Has the last run found something else than the runs before it?"""
        return self.before is not None and self.before is not worst_of(self.findings)

    @property
    def attestation(self) -> str:
        return words_of(self.signoff) if self.signoff is not None else ""


def standings(account: Account, items: Iterable[Item]) -> list[Standing]:
    """Return how each of `items` stands. Three statements."""
    runs = latest_runs(account)
    results = _results(runs)
    names = signoffs(account)
    return [_standing(item, account, runs, results.get(item.id, {}), names.get(item.id)) for item in items]


def latest_runs(account: Account) -> list[ChecklistRun]:
    """Return the runs for the present configuration, the latest first. One statement."""
    runs = ChecklistRun.objects.filter(**configuration_of(account)).order_by("-started_at", "-pk")
    return list(runs[:_MOST_RUNS])


def _results(runs: Sequence[ChecklistRun]) -> Mapping[str, Mapping[int, ChecklistResult]]:
    found: dict[str, dict[int, ChecklistResult]] = {}
    for result in ChecklistResult.objects.filter(run__in=runs):
        found.setdefault(result.item, {})[result.run_id] = result
    return found


def _standing(
    item: Item,
    account: Account,
    runs: Sequence[ChecklistRun],
    results: Mapping[int, ChecklistResult],
    signoff: ChecklistSignoff | None,
) -> Standing:
    looks = [(run, results[run.pk]) for run in runs if run.pk in results]
    findings = _latest_of_each_stage(looks)
    found = worst_of(findings) if looks else None
    earlier = [(run, result) for run, result in looks if run is not runs[0]]
    statement = statement_of(findings) if found is Outcome.PERSON else ""
    expired = why_expired(signoff, account, statement) if signoff is not None and statement else ""
    signed = signoff is not None and bool(statement) and not expired
    return Standing(
        item=item,
        findings=findings,
        outcome=Outcome.PASS if signed else found,
        before=worst_of(_latest_of_each_stage(earlier)) if earlier else None,
        looked_at=looks[0][0] if looks else None,
        statement=statement,
        signoff=signoff,
        expired=expired,
    )


def _latest_of_each_stage(looks: Sequence[tuple[ChecklistRun, ChecklistResult]]) -> tuple[Finding, ...]:
    """Return the findings of the latest run of each stage; those of no stage only say that there were none."""
    found: dict[str, list[Finding]] = {}
    for _, result in looks:
        by_stage: dict[str, list[Finding]] = {}
        for finding in findings_of(result):
            by_stage.setdefault(finding.stage, []).append(finding)
        for stage, findings in by_stage.items():
            found.setdefault(stage, findings)
    without_stage = found.pop("", [])
    return tuple(finding for findings in found.values() for finding in findings) or tuple(without_stage)
