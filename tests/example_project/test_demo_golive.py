"""The verdict that the smoke test reaches on the go-live checklist; `test_demo_smoke` runs it for real."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.checklist.items import registered
from example_project.shop.demo.golive import _OTHERWISE, faults


def a_report(**changes: str) -> dict[str, Any]:
    outcomes = {item.id: _OTHERWISE.get(item.id, "pass") for item in registered()} | changes
    lines = [
        {"id": name, "outcome": outcome, "findings": [{"outcome": outcome, "looked_at": f"seen of {name}"}]}
        for name, outcome in outcomes.items()
        if outcome
    ]
    return {"sections": [{"items": lines[:5]}, {"items": lines[5:]}]}


def test_a_report_in_which_all_lines_are_accounted_for_is_fine() -> None:
    assert [*faults(a_report())] == []


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("retry-5xx", "fail", "retry-5xx is fail, not pass: seen of retry-5xx"),
        ("retry-5xx", "warn", "retry-5xx is warn, not pass"),
        ("retry-5xx", "skip", "retry-5xx is skip, not pass"),
        ("live-key-set", "pass", "live-key-set is pass, not skip"),
        ("https", "fail", "https is fail, not warn"),
        ("https", "", "https is missing from the report"),
    ],
)
def test_the_verdict_names_the_line(name: str, outcome: str, words: str) -> None:
    (fault,) = faults(a_report(**{name: outcome}))
    assert words in fault


def test_what_cannot_pass_in_a_demo_is_a_line_of_the_checklist() -> None:
    assert set(_OTHERWISE) <= {item.id for item in registered()}
