"""What a run of the monitor is called: its exit code, the line for a supervisor, the text and the JSON."""

from __future__ import annotations

import re
from datetime import datetime
from enum import IntEnum
from typing import Any

from ..models import Alert
from ..services.monitoring.rules import RULES, figure_of, remedy_of, title_of
from ..services.monitoring.run import Judgement, Report


class ExitCode(IntEnum):
    """What Nagios, Icinga and their like understand. Source: Monitoring Plugins Development Guidelines"""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def exit_code(report: Report) -> ExitCode:
    if report.open_alerts:
        return ExitCode.CRITICAL
    if report.faults:
        return ExitCode.UNKNOWN
    return ExitCode.WARNING if report.pending_alerts or report.failing_deliveries else ExitCode.OK


def as_text(report: Report, *, verbose: bool) -> str:
    """Return the supervisor's line and a line per open alert; `verbose` adds what every rule says."""
    lines = [f"FLOWLIX {exit_code(report).name} - {_standing(report)} | {_performance_data(report)}"]
    for alert in report.open_alerts:
        lines.append(f"OPEN since {_time(alert.opened_at)}: {title_of(alert.rule)} ({_where(alert)}): {alert.summary}")
        lines.append(f"  {remedy_of(alert.rule)}")
        if alert.request_ids:
            lines.append(f"  Request ids: {', '.join(alert.request_ids.splitlines())}")
    lines += report.faults
    if report.failing_deliveries:
        lines.append(
            f"Deliveries of alerts that keep failing: {report.failing_deliveries}. The alerts in the admin say why."
        )
    if verbose:
        lines += [_line(judgement) for judgement in report.judgements]
    return "\n".join(lines)


def as_json(report: Report, now: datetime) -> dict[str, Any]:
    return {
        "time": now.isoformat(),
        "state": exit_code(report).name.lower(),
        "open": [_alert(alert) for alert in report.open_alerts],
        "pending": report.pending_alerts,
        "failing_deliveries": report.failing_deliveries,
        "faults": report.faults,
        "told": {"delivered": report.told.delivered, "failed": report.told.failed},
        "rules": [_judgement(judgement) for judgement in report.judgements],
    }


def _standing(report: Report) -> str:
    if report.open_alerts:
        names = [f"{title_of(alert.rule)} {figure_of(alert.rule, alert.value)}" for alert in report.open_alerts]
        return _one_line(f"{len(names)} open: {', '.join(names)}")
    if report.faults:
        return f"{report.faults[0]}{', and more' if len(report.faults) > 1 else ''}"
    parts = [f"{len(report.judgements)} rules judged"]
    parts += [f"{report.pending_alerts} pending"] if report.pending_alerts else []
    parts += [f"{report.failing_deliveries} undelivered"] if report.failing_deliveries else []
    return ", ".join(parts)


def _performance_data(report: Report) -> str:
    """Return `'account.mode.rule'=value[unit];warning;critical` for every figure there is."""
    parts = []
    for judgement in report.judgements:
        if judgement.verdict.value is not None:
            unit = "s" if RULES[judgement.rule].unit == "seconds" else ""
            name = re.sub(r"['=|]", "_", f"{judgement.account}.{_mode(judgement.livemode)}.{judgement.rule}")
            parts.append(f"'{name}'={judgement.verdict.value:.4g}{unit};;{judgement.verdict.threshold:.4g}")
    return " ".join(parts)


def _line(judgement: Judgement) -> str:
    words = {True: "bad", False: "ok", None: "not judged"}
    state = f" [{judgement.state}]" if judgement.state else ""
    whose = f"{judgement.account} {_mode(judgement.livemode)} {judgement.rule}"
    return f"{whose}: {words[judgement.verdict.is_bad]}{state}: {judgement.verdict.words}"


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "account": alert.account,
        "mode": _mode(alert.livemode),
        "since": alert.began_at.isoformat(),
        "value": alert.value,
        "worst_value": alert.worst_value,
        "threshold": alert.threshold,
        "summary": alert.summary,
        "request_ids": alert.request_ids.splitlines(),
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "rule": judgement.rule,
        "account": judgement.account,
        "mode": _mode(judgement.livemode),
        "unit": RULES[judgement.rule].unit,
        "value": judgement.verdict.value,
        "threshold": judgement.verdict.threshold,
        "is_bad": judgement.verdict.is_bad,
        "state": judgement.state,
        "words": judgement.verdict.words,
    }


def _where(alert: Alert) -> str:
    return f"{alert.account}, {_mode(alert.livemode)}"


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "-"


def _one_line(text: str) -> str:
    # What follows a bar is performance data to the supervisor.
    return text.replace("|", "/").replace("\n", " ")
