"""The report for programs; its schema is published as docs/reference/flowlix-check.schema.json."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ..report import Line, Report
from .wording import legible

SCHEMA_URL = "https://django-flowlix.readthedocs.io/en/stable/flowlix-check.schema.json"
VERSION = 1
"""Grows when a reader of the report would have to be changed."""


def render(report: Report) -> str:
    """Write a report as one JSON object with a line break at its end. Times are ISO 8601 in UTC."""
    return legible(json.dumps(_report(report), indent=2, ensure_ascii=False)) + "\n"


def _report(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA_URL,
        "version": VERSION,
        "account": report.account,
        "contract": report.contract,
        "mode": "live" if report.livemode else "test",
        "api_url": report.api_url,
        "base_url": report.base_url,
        "api_key_fingerprint": report.api_key_fingerprint,
        "django_flowlix": report.version,
        "stages": list(report.stages),
        "started_at": _time(report.started_at),
        "finished_at": _time(report.finished_at),
        "ran_by": report.ran_by,
        "whole": report.is_whole,
        "counts": {outcome.value: count for outcome, count in report.counts.items()},
        "sections": [
            {"id": section, "title": title, "items": [_item(line) for line in lines]}
            for section, title, lines in report.sections()
        ],
    }


def _item(line: Line) -> dict[str, Any]:
    return {
        "id": line.item,
        "title": line.title,
        "outcome": line.outcome.value,
        "docs_url": line.docs_url,
        "attestation": line.attestation,
        "findings": [
            {
                "outcome": finding.outcome.value,
                "stage": finding.stage,
                "looked_at": finding.looked_at,
                "to_do": finding.to_do,
            }
            for finding in line.findings
        ],
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
