"""`manage.py flowlix_monitor`: judge the alert rules, tell people, answer cron and Nagios."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from ...conf import Account, accounts
from ...models import AlertDelivery
from ...services import clock
from ...services.monitoring.alerts import make_test_alert
from ...services.monitoring.run import monitor
from ...services.monitoring.telling import tell
from ..monitor_report import ExitCode, as_json, as_text, exit_code


class Command(BaseCommand):
    help = (
        "Judges the alert rules, opens and resolves alerts and tells people. Run it every minute or every five from "
        "cron; the exit code is 0 OK, 1 warning, 2 critical, 3 unknown."
    )
    # A fault of the settings is an answer like any other, with its own exit code.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="judge this account only")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="how to write the result")
        parser.add_argument("--dry-run", action="store_true", help="judge only: open nothing, tell nobody")
        parser.add_argument("--test", action="store_true", help="send a test alert by every way, judge nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = _chosen(options["account"])
            code = self._test(chosen[0]) if options["test"] else self._run(chosen, options)
        except (ImproperlyConfigured, LookupError, DatabaseError) as error:
            code = ExitCode.UNKNOWN
            self.stdout.write(f"FLOWLIX UNKNOWN - {_said(error)}")
        if code is not ExitCode.OK:
            sys.exit(code)

    def _run(self, chosen: list[Account], options: dict[str, Any]) -> ExitCode:
        now = clock.now()
        report = monitor(now, chosen, only_these=options["account"] is not None, dry_run=options["dry_run"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(as_json(report, now), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(as_text(report, verbose=options["verbosity"] > 1 or options["dry_run"]))
        return exit_code(report)

    def _test(self, account: Account) -> ExitCode:
        """Send a test alert, and say by which ways it went and by which it did not."""
        now = clock.now()
        alert = make_test_alert(account.alias, account.livemode, now)
        tell(now, alert)
        deliveries = list(AlertDelivery.objects.filter(alert=alert).order_by("pk"))
        for delivery in deliveries:
            said = "told" if delivery.delivered_at else f"FAILED, tried again by the next runs: {delivery.last_error}"
            self.stdout.write(f"{delivery.target}: {said}")
        if all(delivery.target != "mail" for delivery in deliveries):
            self.stdout.write("mail: nobody, ADMINS is empty")
        return ExitCode.OK if all(delivery.delivered_at for delivery in deliveries) else ExitCode.CRITICAL


def _chosen(alias: str | None) -> list[Account]:
    configured = accounts()
    if alias is None:
        return list(configured.values())
    if alias not in configured:
        raise LookupError(f"there is no account {alias!r}: write one of {', '.join(configured)}")
    return [configured[alias]]


def _said(error: Exception) -> str:
    """Return a fault in one line; of a database's error its kind alone, because its words may quote values."""
    if isinstance(error, DatabaseError):
        return f"database: {type(error).__name__}. Is it reachable, and has migrate been run?"
    return " ".join(str(error).split())
