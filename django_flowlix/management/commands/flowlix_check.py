"""`manage.py flowlix_check`: go through the go-live checklist, report, keep the run, answer with an exit code."""

from __future__ import annotations

import getpass
import logging
import os
import shutil
import socket
import sys
from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import Style, no_style
from django.db import Error as DatabaseError

from ...checklist import Context, Outcome
from ...checklist.keeping import keep
from ...checklist.report import Report
from ...checklist.reports import html_report, json_report, junit_report, text_report
from ...checklist.reports.wording import tally
from ...checklist.running import probe_count, run
from ...services import clock
from ..checklist_choice import FAIL_LEVELS, FORMATS, Choice, chosen_by
from ..database_faults import database_faults_in_a_sentence, sentence_of
from ..progress import ProgressBar
from ..report_file import ReportFile
from ..standard_output import print_text, print_utf8
from ..terminal import Terminal

_INTERRUPTED = 130
"""What a shell makes of a program that Ctrl-C ended."""
_LEFT = "; a payment at the hosted page that it has begun stands in the admin"
_WIDTH = 80
_FORMATS = {"json": json_report.render, "junit": junit_report.render, "html": html_report.render}


class Command(BaseCommand):
    help = (
        "Goes through the gateway's go-live checklist: looks at the project and its database, and on request at the "
        "network, or at real test payments, or at one real payment. The exit code is 1 when a line fails."
    )
    # A line of the checklist runs them, and says what they say.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--network", action="store_true", help="also ask the gateway and the shop; reads only")
        parser.add_argument("--scenarios", action="store_true", help="also make test payments (test keys only)")
        parser.add_argument(
            "--live-payment",
            metavar="AMOUNT",
            help='also make one real payment in front of you, such as "1.00 EUR" (live key only)',
        )
        parser.add_argument("--format", choices=FORMATS, default="text", help="how to write the report")
        parser.add_argument("--output", metavar="FILE", help="write the report to a file, and one line here (-: here)")
        for option, what in (("--section", "section"), ("--only", "line")):
            parser.add_argument(
                option, action="append", default=[], metavar="ID", help=f"this {what} only; may be repeated, or a,b,c"
            )
        parser.add_argument(
            "--fail-level",
            choices=FAIL_LEVELS,
            default="fail",
            help="exit with 1 when a line is this bad or worse (default: fail)",
        )
        parser.add_argument("--account", metavar="ALIAS", help="which account (default: the only one, or default)")

    def handle(self, *args: Any, **options: Any) -> None:
        terminal = Terminal(self.stderr)
        try:
            with database_faults_in_a_sentence():
                report = self._check(chosen_by(options, terminal), terminal, options)
        except KeyboardInterrupt:
            left = _LEFT if options["scenarios"] or options["live_payment"] is not None else ""
            raise CommandError(f"interrupted: the run was not kept{left}", returncode=_INTERRUPTED) from None
        if report.lines_at_least(Outcome(options["fail_level"])):
            sys.exit(1)

    def _check(self, choice: Choice, terminal: Terminal, options: dict[str, Any]) -> Report:
        is_printed = options["output"] in (None, "-")
        with nullcontext() if is_printed else ReportFile(options["output"]) as file:
            report = self._run(choice, terminal)
            not_kept = _kept(report)
            if file is not None:
                self._fill(file, report, options)
            else:
                self._print(report, options)
        if not_kept:
            self.stderr.write(not_kept)
        return report

    def _run(self, choice: Choice, terminal: Terminal) -> Report:
        context = Context(
            account=choice.account,
            now=clock.now(),
            stages=choice.stages,
            operator=terminal,
            live_amount=choice.live_amount,
        )
        bar = ProgressBar(self.stderr, 0 if _log_is_on_the_screen() else probe_count(context, choice.items))
        try:
            return run(context, choice.items, ran_by=_operator(), on_probe=bar.advance)
        finally:
            bar.close()

    def _fill(self, file: ReportFile, report: Report, options: dict[str, Any]) -> None:
        is_whole = options["verbosity"] > 1
        form = _FORMATS.get(options["format"])
        file.fill(form(report) if form else text_report.render(report, is_whole=is_whole))
        sentence = f"{report.account}: {tally(report)}. The report is in {options['output']}."
        if file.is_stream:  # which may be standard output
            self.stderr.write(sentence, style_func=str)
        else:
            print_text(self.stdout, sentence)

    def _print(self, report: Report, options: dict[str, Any]) -> None:
        if form := _FORMATS.get(options["format"]):
            print_utf8(self.stdout, form(report))
            return
        width, style = self._paper(options)
        text = text_report.render(report, width=width, style=style, is_whole=options["verbosity"] > 1)
        print_text(self.stdout, text)

    def _paper(self, options: dict[str, Any]) -> tuple[int, Style]:
        """Return how wide the text may be, and its colours: for a terminal, unless the operator wants it otherwise."""
        is_terminal = self.stdout.isatty()
        width = min(_WIDTH, shutil.get_terminal_size().columns) if is_terminal else _WIDTH
        is_coloured = is_terminal and not options["no_color"] and not os.environ.get("NO_COLOR")
        return width, self.style if is_coloured or options["force_color"] else no_style()


def _log_is_on_the_screen() -> bool:
    """Does the project's log go to a terminal? Its lines and a bar would write over each other."""
    handlers = [*logging.getLogger().handlers, *logging.getLogger("django_flowlix").handlers]
    return any(isinstance(each, logging.StreamHandler) and getattr(each.stream, "isatty", bool)() for each in handlers)


def _kept(report: Report) -> str:
    """Keep a run; returns a sentence when the database does not take it, as the report is worth as much without."""
    try:
        keep(report)
    except DatabaseError as error:
        return f"The run could not be kept: {sentence_of(error)}"
    return ""


def _operator() -> str:
    """Return who runs this, as the system knows it; "" where it does not."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):  # no such user, which every version of Python says in its own way
        return ""
