"""What a benchmark of pages and services measures: queries, milliseconds, tables that were read from end to end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from django_flowlix.models import Payment
from tests.benchmarks.many_payments import ON_POSTGRESQL, fill_all

ROUNDS = 5
MOST_QUERIES, MOST_MS = 6, 150


@dataclass
class Seen:
    """The statements of one request, and how long the database took over them."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - began
            self.statements.append((sql, params))


def whole_tables(seen: list[tuple[str, Any]]) -> list[str]:
    """Return the big tables that the database would read from end to end."""
    found = []
    for sql, params in seen:
        if not sql.lstrip().upper().startswith(("SELECT", "(SELECT")):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = cursor.fetchall()
        if ON_POSTGRESQL:
            read = [line.split(" on ")[1].split()[0] for (line,) in plan if "Seq Scan on django_flowlix" in line]
            found += [table for table in read if _is_big(table)]
        else:
            found += [row[2] for row in plan if row[3] == "ALL" and int(row[8] or 0) > 10_000]
    return found


def _is_big(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return bool(cursor.fetchone()[0] > 100_000)


def measure(client: Client, name: str, path: str, most_queries: int = MOST_QUERIES, **data: Any) -> bool:
    """Ask for a page and print what it cost; True when it is within the budget."""

    def ask() -> None:
        response = client.get(path, data)
        assert response.status_code == 200, (path, data, response.status_code, response.headers)
        if response.streaming:  # type: ignore[attr-defined]
            content = iter(response.streaming_content)  # type: ignore[attr-defined]
            next(content), next(content, None)  # the head and the first batch

    return measure_work(name, ask, most_queries)


def measure_work(name: str, work: Callable[[], object], most_queries: int = MOST_QUERIES) -> bool:
    """Do some work and print what it cost; True when it is within a page's budget."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        began, seen = time.perf_counter(), Seen()
        with connection.execute_wrapper(seen):
            work()
        rounds.append((time.perf_counter() - began, seen.seconds))
    # The best of them: what else the machine has to do is not the page's fault.
    page_ms, database_ms = (1000 * seconds for seconds in min(rounds))
    tables, queries = whole_tables(seen.statements), len(seen.statements)
    good = queries <= most_queries and page_ms <= MOST_MS and not tables
    line = f"{name:50} {queries:2} queries {database_ms:6.1f} ms database {page_ms:5.0f} ms page"
    print(f"{' ' if good else '!'} {line}  {' '.join(sorted(set(tables)))}".rstrip(), flush=True)
    if "--plans" in sys.argv and not good:
        for sql, params in seen.statements:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN ANALYZE {sql}" if ON_POSTGRESQL else f"EXPLAIN {sql}", params)
                print("   ", sql[-400:], params, *cursor.fetchall(), sep="\n    ")
    return good


def staff() -> Client:
    """Return somebody who is no superuser, so that the permissions are read as well."""
    user, _ = User.objects.get_or_create(username="clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="django_flowlix"))
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def filled_database(seconds_apart: int = 30) -> Iterator[None]:
    """Make `test_bench` with as many payments as the command line says, and drop it unless `--keep` is given."""
    rows = next((int(word) for word in sys.argv[1:] if word.isdigit()), 1_000_000)
    key = "_".join(["fl", "test", "sk", "forTheBenchmarkOnly"])
    shared = {"SECRET_KEY": key, "BASE_URL": "http://127.0.0.1:8000"}
    accounts = {alias: shared | {"IDEMPOTENCY_NAMESPACE": alias} for alias in ("default", "second", "third")}
    keep, old_name = "--keep" in sys.argv, settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=keep, serialize=False)
    try:
        with override_settings(FLOWLIX=accounts, ALLOWED_HOSTS=["testserver"]):
            if not Payment.objects.exists():
                fill_all(rows, seconds_apart)
            yield
    finally:
        connection.creation.destroy_test_db(old_name, verbosity=0, keepdb=keep)
