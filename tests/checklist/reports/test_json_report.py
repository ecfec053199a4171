"""The JSON for programs, and the schema that is published for it."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from django_flowlix.checklist import Context, Item, Outcome, Section, Stage
from django_flowlix.checklist.findings import Finding
from django_flowlix.checklist.report import Report
from django_flowlix.checklist.reports.json_report import render
from django_flowlix.checklist.running import run
from tests.checklist.reports.examples import A_FAILURE, STARTED_AT, a_report, every_outcome, hostile

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "flowlix-check.schema.json").read_text(encoding="utf-8")
)
schema = Draft202012Validator(SCHEMA)
SECTION = Section("trial", "Trial")


def a_real_report(context: Context, stages: set[str], *findings: Finding) -> Report:
    """What the checklist itself says of one line with these findings, and of one that no stage looks at."""
    context.stages = frozenset(stages)
    lines = [Item("tried", SECTION, "It is tried"), Item("later", SECTION, "It is tried later", "https://example.com/")]
    lines[0].probe(Stage.STATIC)(lambda _: findings)
    lines[1].probe(Stage.LIVE_PAYMENT)(lambda _: findings)
    return run(context, lines, ran_by="ada@build-7")


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_everything_in_the_schema_is_described() -> None:
    def undescribed(part: Any, path: str = "") -> list[str]:
        if isinstance(part, list):
            return [where for index, each in enumerate(part) for where in undescribed(each, f"{path}[{index}]")]
        if not isinstance(part, dict):
            return []
        named = {f"{path}.{name}": each for name, each in part.get("properties", {}).items()}
        missing = [where for where, each in named.items() if len(each.get("description", "")) < 8]
        objects = [path] if part.get("type") == "object" and part.get("additionalProperties") is not False else []
        return missing + objects + [where for key, each in part.items() for where in undescribed(each, f"{path}/{key}")]

    assert undescribed(SCHEMA) == []


@pytest.mark.django_db
@pytest.mark.parametrize("stages", [{"static"}, {"static", "network", "scenarios"}, {"static", "live-payment"}])
@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_what_the_checklist_reports_is_what_the_schema_says(
    context: Context, outcome: Outcome | None, stages: set[str]
) -> None:
    findings = [Finding(outcome, "It was looked at.", "Do this.")] if outcome else []

    report = a_real_report(context, stages, *findings)

    assert list(schema.iter_errors(json.loads(render(report)))) == []


@pytest.mark.parametrize("report", [every_outcome(), every_outcome(livemode=True, is_whole=False), hostile()])
def test_examples_are_what_the_schema_says(report: Report) -> None:
    assert list(schema.iter_errors(json.loads(render(report)))) == []


def test_a_report_reads_like_this() -> None:
    assert json.loads(render(a_report(A_FAILURE))) == {
        "schema": "https://django-flowlix.readthedocs.io/en/stable/flowlix-check.schema.json",
        "version": 1,
        "account": "default",
        "contract": "eu",
        "mode": "test",
        "api_url": "https://api.flowlix.eu",
        "base_url": "https://shop.example.com",
        "api_key_fingerprint": "0123456789abcdef",
        "django_flowlix": "1.2.3",
        "stages": ["static", "network"],
        "started_at": "2026-01-31T08:05:07.250Z",
        "finished_at": "2026-01-31T08:05:09.750Z",
        "ran_by": "ada@build-7",
        "whole": True,
        "counts": {"fail": 1, "warn": 0, "person": 0, "skip": 0, "pass": 0},
        "sections": [
            {
                "id": "security",
                "title": "Security",
                "items": [
                    {
                        "id": "https",
                        "title": A_FAILURE.title,
                        "outcome": "fail",
                        "docs_url": "https://docs.example.com/checklist.html#https",
                        "attestation": "",
                        "findings": [
                            {
                                "outcome": "pass",
                                "stage": "static",
                                "looked_at": "The API is asked over TLS.",
                                "to_do": "",
                            },
                            {
                                "outcome": "warn",
                                "stage": "static",
                                "looked_at": "SECURE_HSTS_SECONDS is 0.",
                                "to_do": "Set it to 3600, and to a year when nothing is missed.",
                            },
                            {
                                "outcome": "fail",
                                "stage": "static",
                                "looked_at": A_FAILURE.findings[2].looked_at,
                                "to_do": "Set SESSION_COOKIE_SECURE = True.",
                            },
                        ],
                    }
                ],
            }
        ],
    }


def test_times_are_in_utc_whatever_zone_they_come_in() -> None:
    elsewhere = STARTED_AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert json.loads(render(a_report(started_at=elsewhere)))["started_at"] == "2026-01-31T08:05:07.250Z"


def test_every_name_can_be_written_to_a_file() -> None:
    assert "�" in json.loads(render(hostile()).encode())["account"]


def place(report: dict[str, Any], where: str) -> dict[str, Any]:
    section = report["sections"][0]
    item = section["items"][0]
    return {
        "report": report,
        "counts": report["counts"],
        "section": section,
        "item": item,
        "finding": item["findings"][0],
    }[where]


PLACES = ("report", "counts", "section", "item", "finding")
FIELDS = [(where, field) for where in PLACES for field in place(json.loads(render(every_outcome())), where)]


@pytest.mark.parametrize(("where", "field"), FIELDS)
def test_the_schema_refuses_a_report_without_any_of_its_fields(where: str, field: str) -> None:
    report = json.loads(render(every_outcome()))
    del place(report, where)[field]

    assert [error.message for error in schema.iter_errors(report)] == [f"{field!r} is a required property"]


@pytest.mark.parametrize("where", PLACES)
def test_the_schema_refuses_what_it_does_not_know(where: str) -> None:
    report = json.loads(render(every_outcome()))
    place(report, where)["extra"] = 1

    assert ["'extra' was unexpected" in error.message for error in schema.iter_errors(report)] == [True]


@pytest.mark.parametrize(
    ("where", "field", "value"),
    [
        ("report", "schema", "https://example.com/"),
        ("report", "version", 2),
        ("report", "mode", "LIVE"),
        ("report", "stages", []),
        ("report", "stages", ["static", "static"]),
        ("report", "stages", ["dynamic"]),
        ("report", "started_at", "2026-01-31 08:05:07"),
        ("report", "finished_at", "2026-01-31T08:05:07.000+01:00"),
        ("report", "api_key_fingerprint", "fl_test_sk_x"),
        ("report", "whole", "yes"),
        ("counts", "fail", -1),
        ("counts", "pass", "3"),
        ("section", "id", "Two Words"),
        ("section", "items", []),
        ("item", "outcome", "note"),
        ("item", "outcome", "error"),
        ("item", "outcome", None),
        ("item", "findings", []),
        ("finding", "outcome", "passed"),
        ("finding", "stage", "later"),
        ("finding", "looked_at", ""),
    ],
)
def test_the_schema_refuses_a_value_that_is_none(where: str, field: str, value: object) -> None:
    report = json.loads(render(every_outcome()))
    place(report, where)[field] = value

    assert len(list(schema.iter_errors(report))) == 1
