"""decline-rate-watched: is the rule on, and does flowlix_monitor judge it?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ...models import MonitorRun
from ...services.monitoring.counts import Scope
from .. import catalogue
from ..context import Context
from ..findings import Finding, judge_of, passed, warned
from ..items import Stage

_FRESH, _STALE = timedelta(minutes=15), timedelta(hours=1)
_TO_RUN = "Run manage.py flowlix_monitor from cron, every minute or every five."


@catalogue.DECLINE_RATE_WATCHED.probe(Stage.STATIC)
def decline_rule(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    rule = context.account.alert_rules.get("decline_rate")
    if rule is None:
        yield judge("The alert rule decline_rate is off.", "Take decline_rate: None out of the account's ALERTS.")
    else:
        yield passed(f"The alert rule decline_rate is on, from {rule.threshold:.0%} declined payments.")


@catalogue.DECLINE_RATE_WATCHED.probe(Stage.STATIC)
def monitor_runs(context: Context) -> Iterator[Finding]:
    account = context.account
    judge = judge_of(account.livemode)
    runs = MonitorRun.objects.filter(Scope(account.livemode, account.alias).filters())
    completed_at = runs.values_list("completed_at", flat=True).first()
    if completed_at is None:
        yield judge("flowlix_monitor has never judged this account in this mode.", _TO_RUN)
        return
    said = f"flowlix_monitor judged this account last at {completed_at:%Y-%m-%d %H:%M} UTC"
    age = context.now - completed_at
    if age <= _FRESH:
        yield passed(f"{said}.")
    elif age < _STALE:
        yield warned(f"{said}, {age.total_seconds() // 60:.0f} minutes ago.", _TO_RUN)
    else:
        yield judge(f"{said}, more than an hour ago.", _TO_RUN)
