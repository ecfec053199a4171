"""One run of the monitor: judge every rule of every account, take the alerts further, tell people, count hours."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial, reduce
from operator import or_

from django.db.models import Q

from ...conf import Account
from ...conf.alert_rules import AlertRule
from ...models import Alert, AlertDelivery, MonitorRun
from . import alerts
from .counts import Scope
from .readings import Readings
from .rules import RULES, Verdict, judge
from .tallies import close_hours
from .telling import Told, tell

logger = logging.getLogger("django_flowlix")

_NOT_MEASURED = Verdict(None, None, 0.0, "could not be measured")
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
    """What a run has seen and done; `faults` are what it could not do, in words."""

    judgements: list[Judgement] = field(default_factory=list)
    open_alerts: list[Alert] = field(default_factory=list)
    pending_alerts: int = 0
    failing_deliveries: int = 0
    told: Told = field(default_factory=Told)
    hours_counted: int = 0
    faults: list[str] = field(default_factory=list)


def monitor(now: datetime, accounts: Sequence[Account], *, only_these: bool = False, dry_run: bool = False) -> Report:
    """Judge these accounts, which are all there are unless `only_these`. With `dry_run` nothing is written or told.

    A rule that cannot be judged is a fault of the report, and stops neither the others nor the telling.
    """
    report, followed = Report(), []
    for account in accounts:
        faults = len(report.faults)
        for scope, rules in _judged(account):
            _judge(account, scope, rules, now, report, dry_run=dry_run)
            followed += [(name, scope) for name in rules]
        if not dry_run and len(report.faults) == faults:
            MonitorRun.objects.update_or_create(
                account=account.alias, livemode=account.livemode, defaults={"completed_at": now}
            )
    among = Alert.objects.all()
    if only_these:
        among = among.filter(account__in=[account.alias for account in accounts])
    if not dry_run:
        alerts.end_unwatched(followed, among, now)
        report.told = tell(now)
        with _noting(report, "hours could not be counted"):
            report.hours_counted = close_hours(now, most=_MOST_HOURS)
    if not dry_run and not only_these:
        _forget_all_but(accounts)
    report.open_alerts = list(among.open())
    report.pending_alerts = among.filter(active=True).count() - len(report.open_alerts)
    report.failing_deliveries = AlertDelivery.objects.failing().filter(alert__in=among).count()
    return report


def _judged(account: Account) -> Iterator[tuple[Scope, Mapping[str, AlertRule]]]:
    """Yield each mode with the rules that are judged in it: in the one that the key is not of, those of what waits."""
    rules = account.alert_rules
    yield Scope(account.livemode, account.alias), rules
    of_what_waits = {name: rule for name, rule in rules.items() if RULES[name].counts_what_waits}
    yield Scope(not account.livemode, account.alias), of_what_waits


def _judge(
    account: Account, scope: Scope, rules: Mapping[str, AlertRule], now: datetime, report: Report, *, dry_run: bool
) -> None:
    readings, watched = Readings(account=account, scope=scope, now=now), alerts.watched_alerts(scope)
    for name, rule in rules.items():
        alert, verdict = watched.get(name), _NOT_MEASURED
        with _noting(report, f"{account.alias} {name} could not be judged"):
            verdict = judge(name, rule, RULES[name].measure(readings, rule))
            if not dry_run:
                evidence = partial(RULES[name].evidence, readings, rule)
                alert = alerts.follow(alert, name, rule, verdict, scope=scope, now=now, evidence=evidence)
        if scope.livemode is account.livemode or verdict.is_bad or alert:
            state = alert.state if alert else ""
            report.judgements.append(Judgement(account.alias, bool(scope.livemode), name, verdict, state))


def _forget_all_but(accounts: Sequence[Account]) -> None:
    """Delete the runs of accounts and modes that are not configured any more: nobody waits for the next one."""
    configured = (Q(account=account.alias, livemode=account.livemode) for account in accounts)
    MonitorRun.objects.exclude(reduce(or_, configured)).delete()


@contextmanager
def _noting(report: Report, what: str) -> Iterator[None]:
    """Make an error a fault of the report: what else there is to judge and to tell must not wait for it."""
    try:
        yield
    except Exception as error:
        logger.exception("flowlix_monitor: %s", what)
        report.faults.append(f"{what}: {type(error).__name__}")
