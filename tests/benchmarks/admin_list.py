"""The admin's lists with a million payments: queries, milliseconds, and tables that were read from end to end.

Run it with `DATABASE_URL=postgres://user@127.0.0.1/bench python tests/benchmarks/admin_list.py [rows]`, or mysql://. It
makes a database of its own (`test_bench`), fills it, and drops it at the end; `--keep` keeps it for the next run.

The budget of every page is 6 queries, 150 ms on PostgreSQL, and no table read from end to end.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.test import Client  # noqa: E402

from tests.benchmarks.admin_pages import PAYMENTS, pages  # noqa: E402
from tests.benchmarks.measuring import MOST_MS, MOST_QUERIES, filled_database, measure, staff  # noqa: E402


def export_everything(client: Client) -> None:
    began, size = time.perf_counter(), 0
    for chunk in client.get(f"{PAYMENTS}export/").streaming_content:  # type: ignore[attr-defined]
        size += len(chunk)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"export of everything: {time.perf_counter() - began:.0f} s, {size / 1e6:.0f} MB, {most:.0f} MB of memory")


def main() -> None:
    with filled_database():
        client = staff()
        results = [measure(client, name, path, **data) for name, path, data in pages()]
        export_everything(client)
    print(f"{results.count(True)} of {len(results)} pages within {MOST_QUERIES} queries and {MOST_MS} ms")


if __name__ == "__main__":
    main()
