"""`manage.py flowlix_prune`: delete what is older than RETENTION says, and erase personal data of that age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...conf import Account, accounts
from ...services.retention import Count, Prune, PruneReport
from ..database_faults import database_faults_in_a_sentence
from ..progress import ProgressBar

_KINDS = (
    ("calls", "gateway calls", "calls_days"),
    ("changes", "status changes", "changes_days"),
    ("alerts", "alerts", "alerts_days"),
    ("personal_data", "payments with personal data", "personal_data_days"),
)


class Command(BaseCommand):
    help = (
        "Deletes gateway calls, status changes and alerts that are older than RETENTION says, and erases personal data "
        "of that age. Payments and refunds stay. Run it every night from cron; any number may run at the same time."
    )

    # One of Django's own asks the database, and fails with a traceback where there is none.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done; no change")
        parser.add_argument("--account", metavar="NAME", help="only this account of FLOWLIX (default: all)")

    @database_faults_in_a_sentence()
    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options["account"])
        run = Prune(accounts=chosen, dry_run=options["dry_run"])
        bar = ProgressBar(self.stderr, run.count() if self.stderr.isatty() else 0)
        run.on_progress = bar.advance
        try:
            report = run.execute()
        finally:
            bar.close()
        self.stdout.write("\n".join(_lines(report, chosen, dry_run=options["dry_run"])))


def _chosen(alias: str | None) -> Sequence[Account]:
    try:
        configured = accounts()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    if alias is None:
        return list(configured.values())
    if alias not in configured:
        raise CommandError(f"FLOWLIX has no account {alias!r}: write one of {', '.join(map(repr, configured))}")
    return [configured[alias]]


def _lines(report: PruneReport, chosen: Sequence[Account], *, dry_run: bool) -> Iterator[str]:
    for kind, name, age in _KINDS:
        if all(getattr(account.retention, age) is None for account in chosen):
            yield f"{name}: kept for ever"
        else:
            yield f"{name}: {_told(getattr(report, kind), erased=kind == 'personal_data', dry_run=dry_run)}"
    if dry_run:
        yield "Nothing was done (--dry-run)."


def _told(count: Count, *, erased: bool, dry_run: bool) -> str:
    done = f"{'would be ' if dry_run else ''}{'erased' if erased else 'deleted'}"
    stay = [f"{count.held} stay on legal hold"] if count.held else []
    stay += [f"{count.unsettled} stay until they are settled"] if count.unsettled else []
    return ", ".join([f"{count.gone} {done}", *stay])
