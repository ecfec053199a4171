"""The `ALERTS` setting: what a rule is without it, with it, and what the message says to somebody who mistyped."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.conf.alert_rules import alert_rules
from django_flowlix.conf.errors import SettingError


def test_without_a_word_every_rule_is_on_with_figures_that_make_sense() -> None:
    rules = alert_rules({})
    assert len(rules) == 12
    decline_rate = rules["decline_rate"]
    assert (decline_rate.threshold, decline_rate.spike_factor, decline_rate.spike_floor) == (0.5, 2, 0.2)
    assert (decline_rate.window_minutes, decline_rate.minimum, decline_rate.for_minutes) == (60, 20, 10)
    assert rules["server_errors"].threshold == 0.05


def test_what_is_set_changes_and_the_rest_stays() -> None:
    rules = alert_rules({"latency": {"threshold": 2.5, "minimum": 100}, "stuck": None, "unconfirmed": {}})
    assert (rules["latency"].threshold, rules["latency"].minimum) == (2.5, 100)
    assert rules["latency"].for_minutes == 10
    assert "stuck" not in rules
    assert rules["unconfirmed"].threshold == 1


def test_the_defaults_are_not_changed_by_what_one_account_sets() -> None:
    alert_rules({"latency": {"threshold": 2.5}})
    assert alert_rules({})["latency"].threshold == 5


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ({"decline_rates": {}}, "has no rule 'decline_rates'.", "Did you mean 'decline_rate'?"),
        ({"zzz": {}}, "has no rule 'zzz'.", "Known: decline_rate, server_errors, "),
        ({"latency": {"treshold": 1}}, "has no parameter 'treshold' of rule 'latency'.", "Did you mean 'threshold'?"),
        ({"stuck": {"minimum": 1}}, "has no parameter 'minimum' of rule 'stuck'.", "Known: threshold, for_minutes, "),
        (
            {"decline_rate": {"threshold": 40}},
            "has a threshold of rule 'decline_rate' that is out of range.",
            "Write a number above 0, from 0 to 1 (0.5 is 50 %).",
        ),
        (
            {"latency": {"window_minutes": 1}},
            "has a window_minutes of rule 'latency' that is out of range.",
            "Write a number from 5 to 1440.",
        ),
        ({"latency": 3}, "has no dict for rule 'latency'.", "Write it like "),
    ],
)
def test_a_mistake_is_named_with_its_remedy(value: Any, message: str, hint: str) -> None:
    with pytest.raises(SettingError) as caught:
        alert_rules(value)
    assert str(caught.value) == message
    assert caught.value.hint.startswith(hint)
