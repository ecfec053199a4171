"""Monitoring with millions of calls: a shop with a payment every three seconds, 1.7 million calls in 30 days.

Run it with `DATABASE_URL=postgres://user@127.0.0.1/bench python tests/benchmarks/monitoring.py [rows]`, or mysql://. It
measures before any hour is counted, counts them, and measures again (`--counted`: that alone). `--plans` prints the
plans of what is over budget, `--all-plans` those of every figure.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from django_flowlix.conf import accounts  # noqa: E402
from django_flowlix.models import CallTally, ChangeTally, TalliedHour  # noqa: E402
from django_flowlix.services.monitoring.counts import Scope  # noqa: E402
from django_flowlix.services.monitoring.grains import Grain  # noqa: E402
from django_flowlix.services.monitoring.queues import ALL_QUEUES, waiting  # noqa: E402
from django_flowlix.services.monitoring.run import monitor  # noqa: E402
from django_flowlix.services.monitoring.statistics import read_statistics  # noqa: E402
from django_flowlix.services.monitoring.tallies import close_hours  # noqa: E402
from tests.benchmarks.many_payments import ON_POSTGRESQL  # noqa: E402
from tests.benchmarks.measuring import Seen, filled_database, measure, measure_work, staff  # noqa: E402

SECONDS_APART = 3
LIVE = Scope(livemode=True)
PAGE_QUERIES = 10  # six of ours, and session, user and permissions
DASHBOARD = "/admin/django_flowlix/alert/dashboard/"


WINDOWS: dict[str, tuple[timedelta, Grain]] = {
    "15 minutes": (timedelta(minutes=15), "hour"),
    "24 hours": (timedelta(hours=24), "hour"),
    "7 days": (timedelta(days=7), "quarter"),
    "30 days": (timedelta(days=30), "day"),
}


def measure_figures(when: str) -> None:
    now = timezone.now()
    for name, (length, grain) in WINDOWS.items():
        measure_work(f"{when}: figures of {name}", partial(read_statistics, now - length, now, LIVE, grain=grain))
    measure_work(f"{when}: queues", lambda: waiting(ALL_QUEUES, LIVE))
    measure_work(f"{when}: flowlix_monitor, 3 accounts", lambda: monitor(now, [*accounts().values()], dry_run=True), 36)
    client = staff()
    for window in ("24h", "7d", "30d"):
        measure(client, f"{when}: dashboard {window}", DASHBOARD, PAGE_QUERIES, window=window, mode="live")


def print_plans() -> None:
    now = timezone.now()
    seen = Seen()
    with connection.execute_wrapper(seen):
        read_statistics(now - timedelta(days=30), now, LIVE, grain="day")
        waiting(ALL_QUEUES, LIVE)
    for sql, params in seen.statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}" if ON_POSTGRESQL else f"EXPLAIN {sql}", params)
            print(sql[:160], *(" ".join(map(str, row)) for row in cursor.fetchall()), sep="\n    ", end="\n\n")


def main() -> None:
    with filled_database(SECONDS_APART):
        if "--counted" not in sys.argv:
            for model in (TalliedHour, CallTally, ChangeTally):
                model.objects.all().delete()
            measure_figures("not counted")
            began = time.perf_counter()
            hours = close_hours(timezone.now())
            spent = time.perf_counter() - began
            print(f"  {hours} hours counted in {spent:.0f} s, {1000 * spent / hours:.0f} ms each")
            with connection.cursor() as cursor:
                tables = ", ".join(model._meta.db_table for model in (CallTally, ChangeTally))
                cursor.execute("VACUUM ANALYZE" if ON_POSTGRESQL else f"ANALYZE TABLE {tables} PERSISTENT FOR ALL")
                if not ON_POSTGRESQL:
                    cursor.fetchall()
        print(f"  {CallTally.objects.count():,} counts of calls, {ChangeTally.objects.count():,} of changes")
        measure_figures("counted")
        if "--all-plans" in sys.argv:
            print_plans()


if __name__ == "__main__":
    main()
