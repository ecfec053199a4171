"""What a look at one thing says: pass, warn, fail, skip or "needs a person", with what was seen and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """From the best to the worst, as `worst_of` weighs them; NOTE is said and weighs nothing."""

    NOTE = "note"
    PASS = "pass"  # noqa: S105  not a password
    SKIP = "skip"
    PERSON = "person"
    WARN = "warn"
    FAIL = "fail"

    @property
    def weight(self) -> int:
        return list(Outcome).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: `looked_at` says what was looked at and what was seen, `to_do` what to do about it.

    Both are plain sentences without a secret; they are stored and shown. `stage` is filled in by the run. Of a finding
    that needs a person, `to_do` is the statement that person puts a name to: it must stay the same from run to run,
    because the name stands for no other statement.
    """

    outcome: Outcome
    looked_at: str
    to_do: str = ""
    stage: str = ""


def passed(looked_at: str) -> Finding:
    """It is as it should be, and this is what was looked at."""
    return Finding(Outcome.PASS, looked_at)


def noted(looked_at: str) -> Finding:
    """Worth saying, and neither good nor bad: it does not count."""
    return Finding(Outcome.NOTE, looked_at)


def skipped(why: str, to_do: str = "") -> Finding:
    """It was not looked at, or there was nothing to look at; `why` says which."""
    return Finding(Outcome.SKIP, why, to_do)


def needs_person(looked_at: str, to_do: str) -> Finding:
    """A program cannot tell; `to_do` is the statement for a person to attest. Raises: ValueError without one"""
    if not to_do.strip():
        raise ValueError("write the statement that a person is to attest")
    return Finding(Outcome.PERSON, looked_at, to_do)


def warned(looked_at: str, to_do: str) -> Finding:
    """It works, and should be mended before real customers come."""
    return Finding(Outcome.WARN, looked_at, to_do)


def failed(looked_at: str, to_do: str) -> Finding:
    """It breaks a line of the go-live checklist."""
    return Finding(Outcome.FAIL, looked_at, to_do)


def judge_of(livemode: bool) -> Callable[[str, str], Finding]:
    """Return how a fault is judged that only matters once real money moves: it fails with a live key, else it warns."""
    return failed if livemode else warned


def worst_of(findings: Iterable[Finding]) -> Outcome:
    """Return the outcome of an item with these findings: the worst that counts, SKIP when none does."""
    outcomes = [finding.outcome for finding in findings if finding.outcome is not Outcome.NOTE]
    return max(outcomes, key=lambda outcome: outcome.weight, default=Outcome.SKIP)


def counts_of(outcomes: Iterable[Outcome | None]) -> dict[Outcome, int]:
    """Return how many lines came to each outcome, the worst first; all five are there, and no line that has none."""
    counted = Counter(outcomes)
    return {outcome: counted[outcome] for outcome in reversed(Outcome) if outcome is not Outcome.NOTE}


def statement_of(findings: Iterable[Finding]) -> str:
    """Return what a person would attest: the statements of the findings that need one, one per line."""
    return "\n".join(dict.fromkeys(finding.to_do for finding in findings if finding.outcome is Outcome.PERSON))
