"""One run of the checklist: every chosen item's probes, the names under what needs a person, and the report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from django_flowlix import __version__

from ..api.redaction import one_line
from ..models import ChecklistSignoff
from ..services import clock
from . import attesting, probes  # noqa: F401  the probes attach themselves to the items
from .context import Context
from .findings import Finding, Outcome, failed, skipped, statement_of, worst_of
from .items import Item, Probe, Stage, registered
from .report import Line, Report

logger = logging.getLogger("django_flowlix")

_MAX_TEXT_LENGTH = 2000
_MIGRATE = "See that it is reachable and that migrate has been run, then check again."
_BROKEN = "The log has the details; whoever wrote the line has to mend it."
_LATER = {
    Stage.NETWORK: "it is looked at over the network: run flowlix_check --network",
    Stage.SCENARIOS: "it is tried out with test payments: run flowlix_check --scenarios with a test key",
    Stage.LIVE_PAYMENT: 'it takes a real payment: run flowlix_check --live-payment "1.00 EUR" with the live key',
}


def run(
    context: Context,
    items: Sequence[Item] | None = None,
    *,
    ran_by: str = "",
    on_probe: Callable[[], None] = lambda: None,
) -> Report:
    """Look at `items` (default: all) and report; an error inside a probe is a failure of its line, in one sentence.

    `on_probe` is called after each of the `probe_count` probes.
    """
    chosen = registered() if items is None else items
    started_at = clock.now()
    found = _look(chosen, context, on_probe)
    names = _names(context)
    return Report(
        **attesting.configuration_of(context.account),
        version=__version__,
        stages=tuple(stage.value for stage in Stage if stage in context.stages),
        is_whole=items is None,
        ran_by=one_line(ran_by, 150),
        started_at=started_at,
        finished_at=clock.now(),
        lines=tuple(_line(item, tuple(found[item.id]), context, names) for item in chosen),
    )


def probe_count(context: Context, items: Sequence[Item] | None = None) -> int:
    """Return how many probes a run has."""
    chosen = registered() if items is None else items
    return sum(stage in context.stages for item in chosen for stage, _ in item.probes)


def _look(items: Sequence[Item], context: Context, on_probe: Callable[[], None]) -> dict[str, list[Finding]]:
    """Return the findings of each item: static ones first, though found last.

    What the other stages leave in the database is evidence already when that is looked at.
    """
    found: dict[str, list[Finding]] = {item.id: [] for item in items}
    for stage in reversed(Stage):
        for item in items:
            earlier, found[item.id] = found[item.id], []
            for _, probe in [each for each in item.probes if each[0] is stage and stage in context.stages]:
                found[item.id] += _findings(item, stage, probe, context)
                on_probe()
            found[item.id] += earlier
    for item in items:
        found[item.id] = list(dict.fromkeys(found[item.id]))  # several probes may meet the same fault
        if all(finding.outcome is Outcome.NOTE for finding in found[item.id]):
            found[item.id].append(_unseen(item, context))
    return found


def _cleaned(finding: Finding, stage: Stage) -> Finding:
    """Return a finding as it may be stored and shown. Raises: TypeError for what is none"""
    if not isinstance(finding, Finding):
        raise TypeError(f"a probe yields findings, not {type(finding).__name__}")
    return replace(
        finding,
        stage=stage.value,
        looked_at=one_line(finding.looked_at, _MAX_TEXT_LENGTH),
        to_do=one_line(finding.to_do, _MAX_TEXT_LENGTH),
    )


def _unseen(item: Item, context: Context) -> Finding:
    """Say at what later stage there is more to find, if all there is is there."""
    later = [stage for stage, _ in item.probes if stage in _LATER and stage not in context.stages]
    return skipped(f"Not looked at: {_LATER[later[0]]}." if later else "Nothing was found to look at.")


def _names(context: Context) -> Mapping[str, ChecklistSignoff]:
    try:
        return attesting.signoffs(context.account)
    except DatabaseError:  # `migrations` says what is wrong with it
        return {}


def _line(item: Item, findings: tuple[Finding, ...], context: Context, names: Mapping[str, ChecklistSignoff]) -> Line:
    outcome, attestation = _attested(worst_of(findings), statement_of(findings), names.get(item.id), context)
    return Line(
        item=item.id,
        title=str(item.title),
        section=item.section.id,
        section_title=str(item.section.title),
        docs_url=item.docs_url,
        outcome=outcome,
        findings=findings,
        attestation=attestation,
    )


def _attested(
    outcome: Outcome, statement: str, signoff: ChecklistSignoff | None, context: Context
) -> tuple[Outcome, str]:
    """Return what a line comes to with the name under it, and what to say of that name."""
    if outcome is not Outcome.PERSON or signoff is None:
        return outcome, ""
    words = attesting.words_of(signoff)
    if why := attesting.why_expired(signoff, context.account, statement):
        return outcome, f"{words} That is over: {why}."
    return Outcome.PASS, words


def _findings(item: Item, stage: Stage, probe: Probe, context: Context) -> Iterator[Finding]:
    """Yield what a probe finds; whatever it raises fails its own line and no other."""
    try:
        for finding in probe(context):
            yield _cleaned(finding, stage)
    except DatabaseError as error:
        logger.warning("flowlix_check: %s: %s", item.id, one_line(f"{type(error).__name__}: {error}", 300))
        words, remedy = f"The database could not be read: {type(error).__name__}.", _MIGRATE
        yield _cleaned(failed(words, remedy), stage)
    except ImproperlyConfigured as error:
        yield _cleaned(failed(str(error), "Mend the settings, then check again."), stage)
    except (Exception, SystemExit) as error:
        logger.exception("flowlix_check: %s could not be looked at", item.id)
        yield _cleaned(failed(f"It could not be looked at: {type(error).__name__}.", _BROKEN), stage)
