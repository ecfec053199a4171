"""sync-running: does flowlix_sync run every minute, and does it keep up with what is due?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ...models import CommandRun
from ...services.monitoring.counts import Scope
from ...services.monitoring.queues import MOST_COUNTED, OVERDUE, OVERDUE_REFUNDS, waiting
from .. import catalogue
from ..context import Context
from ..findings import Finding, judge_of, passed, warned
from ..items import Stage

_FRESH, _STALE = timedelta(minutes=5), timedelta(minutes=30)
_TO_RUN = "Run manage.py flowlix_sync every minute from cron, or with --loop as a service."


@catalogue.SYNC_RUNNING.probe(Stage.STATIC)
def sync_runs(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    runs = CommandRun.objects.filter(command="flowlix_sync")
    completed_at = runs.values_list("completed_at", flat=True).first()
    if completed_at is None:
        yield judge("flowlix_sync has never run to its end on this database.", _TO_RUN)
        return
    said, age = f"flowlix_sync ended last at {completed_at:%Y-%m-%d %H:%M} UTC", context.now - completed_at
    if age <= _FRESH:
        yield passed(f"{said}.")
    elif age <= _STALE:
        yield warned(f"{said}, {age.total_seconds() // 60:.0f} minutes ago.", _TO_RUN)
    else:
        yield judge(f"{said}, more than half an hour ago.", _TO_RUN)


@catalogue.SYNC_RUNNING.probe(Stage.STATIC)
def overdue_work(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    counted = waiting((OVERDUE, OVERDUE_REFUNDS), Scope(context.account.livemode, context.account.alias))
    for queue, name in ((OVERDUE, "payments"), (OVERDUE_REFUNDS, "refunds")):
        number = counted[queue].number
        if number:
            yield judge(
                f"{_number(number)} {name} are overdue: flowlix_sync should have looked at them half an hour ago.",
                "Run manage.py flowlix_sync by hand and read its errors; the guide 'Run flowlix_sync' tells more.",
            )


def _number(counted: int) -> str:
    return str(counted) if counted <= MOST_COUNTED else f"More than {MOST_COUNTED:,}"
