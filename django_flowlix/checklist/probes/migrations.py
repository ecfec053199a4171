"""migrations: on every database that holds our tables, is every migration applied?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor

from ...models import Payment
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, passed, warned
from ..items import Stage

_OURS = "django_flowlix"


@catalogue.MIGRATIONS.probe(Stage.STATIC)
def applied_migrations(context: Context) -> Iterator[Finding]:
    for alias in connections:
        if not router.allow_migrate_model(alias, Payment):
            continue
        unapplied = _unapplied(alias)
        for app, names in sorted(unapplied.items(), key=lambda found: (found[0] != _OURS, found[0])):
            judge = failed if app == _OURS else warned
            yield judge(
                f"On database {alias}, {len(names)} migrations of {app} are not applied: {', '.join(names[:5])}.",
                f"Run manage.py migrate --database {alias}.",
            )
        if not unapplied:
            yield passed(f"On database {alias}, all migrations are applied.")


def _unapplied(alias: str) -> Mapping[str, Sequence[str]]:
    executor = MigrationExecutor(connections[alias])
    found: defaultdict[str, list[str]] = defaultdict(list)
    for migration, _is_backwards in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        found[migration.app_label].append(migration.name)
    return found
