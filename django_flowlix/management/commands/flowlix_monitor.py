"""`manage.py flowlix_monitor`: judge the alert rules, tell people, answer cron and Nagios."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any, NoReturn, TypedDict

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from ...conf import Account, accounts
from ...models import AlertDelivery
from ...services import clock
from ...services.monitoring.alerts import make_test_alert
from ...services.monitoring.run import monitor
from ...services.monitoring.telling import tell
from .. import monitor_report
from ..database_faults import sentence_of
from ..monitor_report import ExitCode, exit_code


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

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if getattr(parser, "called_from_command_line", False):
            setattr(parser, "error", partial(_refuse, parser))  # noqa: B010  argparse would exit with 2, critical
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chosen = _chosen(options["account"])
            code, lines = _test(chosen[0]) if options["test"] else _run(chosen, options)
        except Exception as error:  # noqa: BLE001  whatever it is, a supervisor has to be told that nothing was judged
            code, lines = ExitCode.UNKNOWN, _unknown(_said(error))
            self.stderr.write(lines["text"])  # cron mails this, and may throw the rest away
        output = (
            lines["text"] if options["format"] == "text" else json.dumps(lines["json"], indent=2, ensure_ascii=False)
        )
        self.stdout.write(output)
        if code is not ExitCode.OK:
            sys.exit(code)


class Lines(TypedDict):
    """What is printed, in either format."""

    text: str
    json: dict[str, Any]


def _refuse(parser: CommandParser, message: str) -> NoReturn:
    parser.print_usage(sys.stderr)
    parser.exit(ExitCode.UNKNOWN, f"{parser.prog}: error: {message}\n")


def _unknown(said: str) -> Lines:
    return {"text": f"FLOWLIX UNKNOWN - {said}", "json": {"state": "unknown", "error": said}}


def _run(chosen: list[Account], options: dict[str, Any]) -> tuple[ExitCode, Lines]:
    now = clock.now()
    report = monitor(now, chosen, only_these=options["account"] is not None, dry_run=options["dry_run"])
    verbose = options["verbosity"] > 1 or options["dry_run"]
    return exit_code(report), {
        "text": monitor_report.as_text(report, verbose=verbose),
        "json": monitor_report.as_json(report, now),
    }


def _test(account: Account) -> tuple[ExitCode, Lines]:
    """Send a test alert, and say by which ways it went and by which it did not."""
    now = clock.now()
    alert = make_test_alert(account.alias, account.livemode, now)
    tell(now, alert)
    deliveries = list(AlertDelivery.objects.filter(alert=alert).order_by("pk"))
    results = {delivery.target: _result(delivery) for delivery in deliveries}
    results.setdefault("mail", "nobody, ADMINS is empty")
    code = ExitCode.OK if all(delivery.delivered_at for delivery in deliveries) else ExitCode.CRITICAL
    text = "\n".join(f"{target}: {result}" for target, result in results.items())
    return code, {"text": text, "json": {"state": code.name.lower(), "test": results}}


def _result(delivery: AlertDelivery) -> str:
    if delivery.delivered_at:
        return "told"
    if not delivery.attempts:
        return "another run of the monitor is telling it"
    return f"FAILED, tried again by the next runs: {delivery.last_error}"


def _chosen(alias: str | None) -> list[Account]:
    configured = accounts()
    if alias is None:
        return list(configured.values())
    if alias not in configured:
        raise LookupError(f"there is no account {alias!r}: write one of {', '.join(configured)}")
    return [configured[alias]]


def _said(error: Exception) -> str:
    """Return a fault in one line; of an error that is not ours its kind alone, because its words may quote values."""
    if isinstance(error, DatabaseError):
        return sentence_of(error)
    if isinstance(error, ImproperlyConfigured | LookupError):
        return " ".join(str(error).split())
    return type(error).__name__
