"""The alert rules with their parameters: what is watched, from which figure on it is bad, and how long it must last.

How a figure is computed and judged stands in `services.monitoring`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .errors import SettingError

_HINT = 'Write it like {"decline_rate": {"threshold": 0.4}, "latency": None}; None switches a rule off.'


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One rule as configured; `threshold` and `spike_floor` in the rule's own unit (a share, seconds, a number).

    It is broken from `threshold` on, or from `spike_factor` times the shop's own figure of the last seven days on, but
    never below `spike_floor`. Broken for `for_minutes` it opens an alert; below `clear_ratio` times what it opened at,
    for `clear_minutes`, it is over. With fewer than `minimum` events in `window_minutes` it is not judged.
    """

    threshold: float
    for_minutes: float = 5
    clear_ratio: float = 0.75
    clear_minutes: float = 10
    window_minutes: float = 15
    minimum: int = 0
    spike_factor: float = 0
    spike_floor: float = 0

    @property
    def may_spike(self) -> bool:
        return self.spike_factor > 0


DEFAULT_RULES: dict[str, AlertRule] = {
    # Shares, compared with the shop's own figure as well.
    "decline_rate": AlertRule(
        threshold=0.5, window_minutes=60, minimum=20, for_minutes=10, spike_factor=2, spike_floor=0.2
    ),
    "server_errors": AlertRule(threshold=0.05, minimum=20, spike_factor=5, spike_floor=0.02),
    "no_answers": AlertRule(threshold=0.05, minimum=20, spike_factor=5, spike_floor=0.02),
    # Seconds that 95 of 100 calls stay below.
    "latency": AlertRule(threshold=5, minimum=20, for_minutes=10, spike_factor=3, spike_floor=2),
    # Numbers of calls in the window.
    "rate_limited": AlertRule(threshold=5),
    "credentials_refused": AlertRule(threshold=1, for_minutes=0),
    # Numbers of rows that wait now.
    "unconfirmed": AlertRule(threshold=1, clear_minutes=0),
    "stuck": AlertRule(threshold=1, for_minutes=0, clear_minutes=0),
    "needs_review": AlertRule(threshold=1, for_minutes=0, clear_minutes=0),
    "notifications_failing": AlertRule(threshold=1, clear_minutes=0),
    "sync_overdue": AlertRule(threshold=1, clear_minutes=0),
    # Successes that should have been there by the shop's own figures, while there is none.
    "no_sales": AlertRule(threshold=10, window_minutes=60, for_minutes=10, clear_minutes=0),
}

_SPIKING = frozenset(name for name, rule in DEFAULT_RULES.items() if rule.may_spike)
_SHARES = frozenset({"decline_rate", "server_errors", "no_answers"})
_WINDOWED = _SHARES | {"latency", "rate_limited", "credentials_refused", "no_sales"}
_RANGES: dict[str, tuple[float, float]] = {
    "for_minutes": (0, 1440),
    "clear_ratio": (0, 1),
    "clear_minutes": (0, 1440),
    "window_minutes": (5, 1440),
    "minimum": (0, 1_000_000),
    "spike_factor": (0, 1000),
}
_MOST = 1_000_000.0
# Longer durations than the last bound of `services.monitoring.latency` are not told apart.
_MOST_OF = dict.fromkeys(_SHARES, 1.0) | {"latency": 30.0}


def alert_rules(value: object) -> dict[str, AlertRule]:
    """Return the rules that are on, by name. Raises: SettingError for a rule or a parameter that does not exist"""
    if not isinstance(value, Mapping):
        raise SettingError("is not a dict.", _HINT)
    for name in value:
        if name not in DEFAULT_RULES:
            raise SettingError(f"has no rule {str(name)[:40]!r}.", _suggestion(name, DEFAULT_RULES))
    rules = {name: _rule(name, default, value.get(name, {})) for name, default in DEFAULT_RULES.items()}
    return {name: rule for name, rule in rules.items() if rule is not None}


def _rule(name: str, default: AlertRule, changes: object) -> AlertRule | None:
    if changes is None:
        return None
    if not isinstance(changes, Mapping):
        raise SettingError(f"has no dict for rule {name!r}.", _HINT)
    known = parameters(name)
    for parameter, number in changes.items():
        if parameter not in known:
            shown = str(parameter)[:40]
            raise SettingError(f"has no parameter {shown!r} of rule {name!r}.", _suggestion(parameter, known))
        _check(name, parameter, number)
    return replace(default, **changes)


def parameters(name: str) -> tuple[str, ...]:
    """Return the parameters that a rule has."""
    left_out = set() if name in _SPIKING else {"spike_factor", "spike_floor", "minimum"}
    left_out |= set() if name in _WINDOWED else {"window_minutes"}
    return tuple(item.name for item in fields(AlertRule) if item.name not in left_out)


def _check(name: str, parameter: str, number: Any) -> None:
    least, most = _RANGES.get(parameter, (0.0, _MOST_OF.get(name, _MOST)))
    is_level = parameter in ("threshold", "spike_floor")
    is_number = isinstance(number, int if parameter == "minimum" else int | float) and not isinstance(number, bool)
    if not is_number or not least <= number <= most or (is_level and number == 0):
        above = "above 0, " if is_level else ""
        unit = " (0.5 is 50 %)" if is_level and name in _SHARES else ""
        raise SettingError(
            f"has a {parameter} of rule {name!r} that is out of range.",
            f"Write a number {above}from {least:g} to {most:.7g}{unit}.",
        )


def _suggestion(name: object, known: Any) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
