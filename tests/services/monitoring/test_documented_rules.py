"""The documentation's table of rules is the one that is judged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_flowlix.conf.alert_rules import DEFAULT_RULES, parameters
from django_flowlix.services.monitoring.latency import DURATION_BOUNDS_MS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "monitoring.md").read_text(encoding="utf-8")
COLUMNS = ("threshold", "window_minutes", "minimum", "for_minutes", "clear_minutes")


@pytest.mark.parametrize("name", DEFAULT_RULES)
def test_every_rule_is_documented_with_its_defaults(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", PAGE, re.MULTILINE)
    _meaning, *cells, spike = (cell.strip() for cell in row.split("|"))
    rule, known = DEFAULT_RULES[name], parameters(name)
    assert cells == [f"{getattr(rule, column):g}" if column in known else "-" for column in COLUMNS]
    assert spike == (f"{rule.spike_factor:g}, {rule.spike_floor:g}" if "spike_factor" in known else "-")


@pytest.mark.parametrize("parameter", {name for rule in DEFAULT_RULES for name in parameters(rule)})
def test_every_parameter_is_documented(parameter: str) -> None:
    assert f"\n| `{parameter}` |" in PAGE


def test_the_classes_of_durations_are_documented() -> None:
    (words,) = re.findall(r"Counted in classes \((.*?)\)", PAGE)
    short, long = words.split(" ms, ")
    documented = [float(number) for number in short.split(", ")]
    documented += [float(number) * 1000 for number in long.removesuffix(" s").split(", ")]
    assert documented == list(DURATION_BOUNDS_MS)
