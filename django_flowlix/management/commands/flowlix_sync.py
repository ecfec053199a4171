"""`manage.py flowlix_sync`: finish what crashes, timeouts and absent customers left open."""

from __future__ import annotations

import re
import signal
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ...conf import accounts
from ...models import CommandRun
from ...services.reconciliation import Run, SyncReport
from ..progress import ProgressBar

_AGES = {"m": "minutes", "h": "hours", "d": "days"}


class Command(BaseCommand):
    help = (
        "Sends unknown creates again, asks the gateway about open payments and calls receivers that have not run. "
        "Run it every minute from cron, or once with --loop; any number may run at the same time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=_positive, help="take up at most this many payments")
        parser.add_argument("--since", type=_moment, help="payments created since: 90m, 24h, 7d or an ISO time")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done; no request, no change")
        parser.add_argument(
            "--loop", type=_positive, nargs="?", const=30, metavar="SECONDS", help="go on for ever (default pause 30)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            accounts()  # a fault of the settings is said once, before anything is taken up
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        if options["dry_run"]:
            self._say_plan(options)
        elif options["loop"] is not None:
            self._run_for_ever(options, _stop_on_signals())
        elif errors := self._run_once(options, Event()).errors:
            raise CommandError("; ".join(errors))

    def _say_plan(self, options: dict[str, Any]) -> None:
        lines = list(Run(limit=options["limit"], since=options["since"]).plan())
        self.stdout.write("\n".join([*lines, f"{len(lines)} to do; nothing was done (--dry-run)."]))

    def _run_for_ever(self, options: dict[str, Any], stop: Event) -> None:
        while not stop.is_set():
            try:
                errors = self._run_once(options, stop).errors
            except (OperationalError, InterfaceError) as error:  # the database restarts: so does the next run
                errors = [f"database: {type(error).__name__}"]
            for line in errors:
                self.stderr.write(line)
            close_old_connections()
            stop.wait(options["loop"])

    def _run_once(self, options: dict[str, Any], stop: Event) -> SyncReport:
        run = Run(limit=options["limit"], since=options["since"], should_stop=stop.is_set)
        bar = ProgressBar(self.stderr, run.count())
        run.on_progress = bar.advance
        try:
            report = run.execute()
        finally:
            bar.close()
        CommandRun.objects.update_or_create(command="flowlix_sync", defaults={"completed_at": timezone.now()})
        self.stdout.write(
            f"{report.changed} changed, {report.unchanged} unchanged, {report.failed} not settled, "
            f"{report.delivered} notifications delivered, {report.undelivered} to be repeated"
        )
        return report


def _stop_on_signals() -> Event:
    """Return an event that SIGINT and SIGTERM set, so that the payment at hand is finished first."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _positive(text: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", text, re.ASCII):
        raise ArgumentTypeError("write a whole number from 1 to 999999")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = _time_ago(text) or parse_datetime(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ArgumentTypeError("write an age such as 90m, 24h or 7d, or a time such as 2026-01-31T08:00Z")
    moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    if moment > timezone.now():
        raise ArgumentTypeError("lies in the future: write when the oldest payment of interest was made")
    return moment


def _time_ago(text: str) -> datetime | None:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    return timezone.now() - timedelta(**{_AGES[match[2]]: int(match[1])}) if match else None
