"""Runs in the database: kept, and read again as the reports they were."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction

from ..models import ChecklistResult, ChecklistRun
from .findings import Finding, Outcome
from .report import Line, Report


def keep(report: Report) -> ChecklistRun:
    """Write a run with its results. Three statements in one transaction."""
    with transaction.atomic():
        run = ChecklistRun.objects.create(
            account=report.account,
            contract=report.contract,
            livemode=report.livemode,
            api_key_fingerprint=report.api_key_fingerprint,
            api_url=report.api_url[:255],
            base_url=report.base_url[:255],
            version=report.version,
            stages=" ".join(report.stages),
            is_whole=report.is_whole,
            ran_by=report.ran_by,
            started_at=report.started_at,
            finished_at=report.finished_at,
        )
        ChecklistResult.objects.bulk_create(
            ChecklistResult(
                run=run,
                position=position,
                item=line.item,
                title=line.title[:255],
                section=line.section,
                section_title=line.section_title[:255],
                docs_url=line.docs_url,
                outcome=line.outcome.value,
                findings=[asdict(finding) for finding in line.findings],
                attestation=line.attestation,
            )
            for position, line in enumerate(report.lines)
        )
    return run


def report_of(run: ChecklistRun) -> Report:
    """Read a run as it was reported. One statement."""
    return Report(
        account=run.account,
        contract=run.contract,
        livemode=run.livemode,
        api_key_fingerprint=run.api_key_fingerprint,
        api_url=run.api_url,
        base_url=run.base_url,
        version=run.version,
        stages=tuple(run.stages.split()),
        is_whole=run.is_whole,
        ran_by=run.ran_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        lines=tuple(line_of(result) for result in run.results.order_by("position")),
    )


def line_of(result: ChecklistResult) -> Line:
    return Line(
        item=result.item,
        title=result.title,
        section=result.section,
        section_title=result.section_title,
        docs_url=result.docs_url,
        outcome=Outcome(result.outcome),
        findings=findings_of(result),
        attestation=result.attestation,
    )


def findings_of(result: ChecklistResult) -> tuple[Finding, ...]:
    return tuple(Finding(**(stored | {"outcome": Outcome(stored["outcome"])})) for stored in result.findings)
