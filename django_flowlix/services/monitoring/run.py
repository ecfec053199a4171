"""One run of the monitor: close hours, judge every rule of every account, take the alerts further, tell people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from ...conf import Account
from ...models import Alert, AlertDelivery
from . import alerts
from .counts import Scope
from .readings import Readings
from .rules import RULES, Verdict, judge
from .tallies import close_hours
from .telling import Told, tell

_MOST_HOURS = 500
"""A run after a long silence does not count for minutes; what is left is counted by the next ones."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says about one account, and the state of its alert ("" without one)."""

    account: str
    livemode: bool
    rule: str
    verdict: Verdict
    state: str


@dataclass(slots=True)
class Report:
    """What a run has seen and done."""

    judgements: list[Judgement] = field(default_factory=list)
    open_alerts: list[Alert] = field(default_factory=list)
    pending_alerts: int = 0
    failing_deliveries: int = 0
    told: Told = field(default_factory=Told)
    hours_counted: int = 0


def monitor(now: datetime, accounts: Sequence[Account], *, only_these: bool = False, dry_run: bool = False) -> Report:
    """Judge these accounts, which are all there are unless `only_these`. With `dry_run` nothing is written or told."""
    report = Report()
    among = Alert.objects.all()
    if only_these:
        among = among.filter(account__in=[account.alias for account in accounts])
    if not dry_run:
        report.hours_counted = close_hours(now, most=_MOST_HOURS)
    for account in accounts:
        report.judgements += _judge_account(account, now, dry_run)
    if not dry_run:
        watched = [(judgement.rule, Scope(judgement.livemode, judgement.account)) for judgement in report.judgements]
        alerts.end_unwatched(watched, among, now)
        report.told = tell(now)
    report.open_alerts = list(among.open())
    report.pending_alerts = among.filter(active=True).count() - len(report.open_alerts)
    report.failing_deliveries = AlertDelivery.objects.failing().filter(alert__in=among).count()
    return report


def _judge_account(account: Account, now: datetime, dry_run: bool) -> list[Judgement]:
    readings = Readings(account=account, now=now)
    watched = alerts.watched_alerts(readings.scope)
    judgements = []
    for name, rule in account.alert_rules.items():
        alert, verdict = watched.get(name), judge(name, rule, RULES[name].measure(readings, rule))
        if not dry_run:
            evidence = partial(RULES[name].evidence, readings, rule)
            alert = alerts.follow(alert, name, rule, verdict, scope=readings.scope, now=now, evidence=evidence)
        judgements.append(Judgement(account.alias, account.livemode, name, verdict, alert.state if alert else ""))
    return judgements
