"""`manage.py flowlix_sync`: finish what crashes, timeouts and absent customers left open."""

from __future__ import annotations

import re
import signal
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ...conf import accounts
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
        accounts()  # a fault of the settings is said once, before anything is taken up
        if options["dry_run"]:
            self._say_plan(options)
            return
        stop = _stop_event(looping=options["loop"] is not None)
        report = self._run_once(options, stop)
        while options["loop"] is not None and not stop.wait(options["loop"]):
            report = self._run_once(options, stop)
        if options["loop"] is None and report.errors:
            raise CommandError("; ".join(report.errors))

    def _say_plan(self, options: dict[str, Any]) -> None:
        lines = list(Run(limit=options["limit"], since=options["since"]).plan())
        self.stdout.write("\n".join([*lines, f"{len(lines)} to do; nothing was done (--dry-run)."]))

    def _run_once(self, options: dict[str, Any], stop: Event) -> SyncReport:
        run = Run(limit=options["limit"], since=options["since"], should_stop=stop.is_set)
        bar = ProgressBar(self.stderr, run.count())
        run.on_progress = bar.advance
        report = run.execute()
        bar.close()
        self.stdout.write(
            f"{report.changed} changed, {report.unchanged} unchanged, {report.failed} not settled, "
            f"{report.delivered} notifications delivered, {report.undelivered} to be repeated"
        )
        if options["loop"] is not None:
            for line in report.errors:
                self.stderr.write(self.style.ERROR(line))
        return report


def _stop_event(*, looping: bool) -> Event:
    """Return an event that SIGINT and SIGTERM set, so that the payment at hand is finished first."""
    stop = Event()
    if looping:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    return stop


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ArgumentTypeError("write a whole number from 1")
    return int(text)


def _moment(text: str) -> datetime:
    if match := re.fullmatch(r"([0-9]{1,6})([mhd])", text):
        return timezone.now() - timedelta(**{_AGES[match[2]]: int(match[1])})
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError("write an age such as 90m, 24h or 7d, or a time such as 2026-01-31T08:00Z")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
