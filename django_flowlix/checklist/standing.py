"""How the checklist stands today: of every line, what the latest look of each stage found, and whose name is under it.

A run that left the network out says nothing about the network: what an earlier one found there still counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..conf import Account
from ..models import ChecklistResult, ChecklistRun, ChecklistSignoff
from .attesting import configuration_of, histories, latest_of, why_expired, words_of
from .findings import Finding, Outcome, counts_of, statement_of, worst_of
from .items import Item, Stage
from .keeping import findings_of

_MOST_RUNS = 1000
"""How far back the latest look is searched for in each account."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the latest run that went so far found in one stage; `stage` is "" where no probe had anything to say."""

    stage: str
    run: ChecklistRun
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A line as it stands for the present configuration.

    `found` is what the runs have found, `outcome` what that comes to with the name under it; both are None when no run
    has looked, `before` when none but the last one has. `statement` is what a person may attest now, "" when nothing
    needs one. `signoff` is the name that stands under it, `expired` why it counts no more; `history` has all names
    there ever were, the latest first.
    """

    item: Item
    looks: tuple[Look, ...]
    found: Outcome | None
    outcome: Outcome | None
    before: Outcome | None
    looked_at: ChecklistRun | None
    statement: str
    signoff: ChecklistSignoff | None
    expired: str
    history: tuple[ChecklistSignoff, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return _findings(self.looks)

    @property
    def has_changed(self) -> bool:
        """Has the last run found something else than the runs before it?"""
        return self.before is not None and self.before is not self.found

    @property
    def is_attested(self) -> bool:
        """Does a name make this line pass?"""
        return self.signoff is not None and bool(self.statement) and not self.expired

    @property
    def attestation(self) -> str:
        return words_of(self.signoff) if self.signoff is not None else ""


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """The whole checklist of one account."""

    account: Account
    last_run: ChecklistRun | None
    lines: tuple[Standing, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many lines come to each outcome, the worst first; what no run has looked at is not among them."""
        return counts_of(line.outcome for line in self.lines)

    @property
    def unseen(self) -> int:
        """How many lines no run has looked at."""
        return sum(line.outcome is None for line in self.lines)


def standings(account: Account, items: Iterable[Item]) -> list[Standing]:
    """Return how each of `items` stands. Three statements."""
    (standing,) = account_standings([account], items)
    return list(standing.lines)


def account_standings(accounts: Iterable[Account], items: Iterable[Item]) -> list[AccountStanding]:
    """Return how each account stands. A statement for each account and two more, whatever there is of the rest."""
    accounts, items = list(accounts), list(items)
    runs = {account.alias: _latest_runs(account) for account in accounts}
    results = _results([run for of_account in runs.values() for run in _runs_that_matter(of_account)])
    names = histories(accounts)
    return [
        AccountStanding(
            account,
            next(iter(runs[account.alias]), None),
            tuple(_standing(item, account, runs[account.alias], results, names) for item in items),
        )
        for account in accounts
    ]


def _latest_runs(account: Account) -> list[ChecklistRun]:
    """Return the runs for the present configuration, the latest first."""
    runs = ChecklistRun.objects.filter(**configuration_of(account))
    return list(runs.order_by("-started_at", "-pk")[:_MOST_RUNS])


def _runs_that_matter(runs: Sequence[ChecklistRun]) -> list[ChecklistRun]:
    """Return the runs that decide how a line stands, and how it stood before the last one."""
    deciding = {*_deciding(runs), *_deciding(runs[1:])}
    return [run for run in runs if run.pk in deciding]


def _deciding(runs: Iterable[ChecklistRun]) -> Iterator[int]:
    """Yield the keys of runs until all their stages were run with every line: nothing earlier counts then."""
    covered: set[str] = set()
    for run in runs:
        stages = set(run.stages.split())
        if not stages <= covered:
            yield run.pk
        if run.is_whole:
            covered |= stages


def _results(runs: Iterable[ChecklistRun]) -> Mapping[tuple[str, int], ChecklistResult]:
    found = ChecklistResult.objects.filter(run__in=list(runs)).only("run_id", "item", "findings")
    return {(result.item, result.run_id): result for result in found}


def _standing(
    item: Item,
    account: Account,
    runs: Sequence[ChecklistRun],
    results: Mapping[tuple[str, int], ChecklistResult],
    names: Mapping[tuple[str, str], Sequence[ChecklistSignoff]],
) -> Standing:
    looked = [(run, results[item.id, run.pk]) for run in runs if (item.id, run.pk) in results]
    earlier = [(run, result) for run, result in looked if run is not runs[0]]
    looks = _latest_of_each_stage(looked)
    found = worst_of(_findings(looks)) if looked else None
    statement = statement_of(_findings(looks)) if found is Outcome.PERSON else ""
    history = names.get((account.alias, item.id), ())
    signoff = latest_of(history)
    expired = why_expired(signoff, account, statement) if signoff is not None and statement else ""
    signed = signoff is not None and bool(statement) and not expired
    return Standing(
        item=item,
        looks=looks,
        found=found,
        outcome=Outcome.PASS if signed else found,
        before=worst_of(_findings(_latest_of_each_stage(earlier))) if earlier else None,
        looked_at=looked[0][0] if looked else None,
        statement=statement,
        signoff=signoff,
        expired=expired,
        history=tuple(reversed(history)),
    )


def _latest_of_each_stage(looked: Sequence[tuple[ChecklistRun, ChecklistResult]]) -> tuple[Look, ...]:
    """Return what the latest run of each stage found there, in the order of the stages.

    A run that went through a stage and found nothing there any more ends what an earlier one found. That there was
    nothing to look at, or that it comes at a later stage, is told where no stage has found anything that counts.
    """
    found: dict[str, Look] = {}
    for run, result in looked:
        by_stage: defaultdict[str, list[Finding]] = defaultdict(list, {stage: [] for stage in run.stages.split()})
        for finding in findings_of(result):
            by_stage[finding.stage].append(finding)
        for stage, findings in by_stage.items():
            found.setdefault(stage, Look(stage, run, tuple(findings)))
    without_stage = found.pop("", None)
    looks = sorted((look for look in found.values() if look.findings), key=lambda look: _place(look.stage))
    counts = any(finding.outcome is not Outcome.NOTE for finding in _findings(looks))
    return (*looks, without_stage) if without_stage is not None and not counts else tuple(looks)


def _place(stage: str) -> int:
    stages = list(Stage)
    return stages.index(Stage(stage)) if stage in stages else len(stages)


def _findings(looks: Iterable[Look]) -> tuple[Finding, ...]:
    return tuple(finding for look in looks for finding in look.findings)
