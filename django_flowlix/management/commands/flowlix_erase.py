"""`manage.py flowlix_erase`: erase the personal data of one customer's payments on request."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...models import Payment
from ...services import Erasure, erase_personal_data
from ...services.keeping import WhyKept, why_kept
from ..database_faults import database_faults_in_a_sentence


class Command(BaseCommand):
    help = (
        "Erases what is personal in the payments of some orders: description, metadata, card digits, addresses, texts "
        "that staff wrote. Amounts, dates, statuses and ids stay. It cannot be undone."
    )

    # One of Django's own asks the database, and fails with a traceback where there is none.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--order", action="append", default=[], metavar="REF", help="an order reference; may be repeated"
        )
        parser.add_argument(
            "--payment", action="append", default=[], metavar="ID", help="the gateway's payment id; may be repeated"
        )
        parser.add_argument("--account", metavar="NAME", help="where they are looked for (default: all accounts)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done; no change")
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="do not ask for confirmation")

    @database_faults_in_a_sentence()
    def handle(self, *args: Any, **options: Any) -> None:
        payments = _named(options["order"], options["payment"], options["account"])
        if options["dry_run"]:
            kept = why_kept([payment.pk for payment in payments])
            self._say(f"{_name(payment)}: {_plan(kept.get(payment.pk))}" for payment in payments)
            self.stdout.write("Nothing was done (--dry-run).")
            return
        if options["interactive"]:
            self._ask(payments)
        done = erase_personal_data(payments)
        self._say(_results(done))
        self.stdout.write(
            f"{len(done.erased)} erased, {len(done.nothing_left)} had nothing left, {len(done.kept)} not erased"
        )
        if done.kept:
            raise CommandError(
                f"{len(done.kept)} of {len(payments)} payments were not erased: see above, and come back"
            )

    def _say(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.stdout.write(line)

    def _ask(self, payments: Sequence[Payment]) -> None:
        """Show the payments and go on after a yes only. Raises: CommandError"""
        if not sys.stdin.isatty():
            raise CommandError("nothing was done: there is no terminal to ask on; write --no-input")
        self._say(map(_name, payments))
        try:
            answer = input(f"Erase the personal data of these payments ({len(payments)}) for good? [yes/no] ")
        except (EOFError, KeyboardInterrupt):
            answer = ""
        if answer.strip().lower() not in ("yes", "y"):
            raise CommandError("nothing was done")


def _named(orders: Sequence[str], ids: Sequence[str], alias: str | None) -> list[Payment]:
    """Return the payments that are named, every attempt of an order. Raises: CommandError naming what is not there"""
    if not orders and not ids:
        raise CommandError("write which payments: --order REF or --payment ID")
    searched = Payment.objects.all() if alias is None else Payment.objects.filter(account=alias)
    found: dict[int, Payment] = {}
    faults: list[str] = []
    wanted = [("order", "order_reference", value) for value in orders]
    wanted += [("payment", "gateway_id", value) for value in ids]
    for kind, column, value in wanted:
        rows = list(searched.filter(**{column: value}).order_by("pk")) if "\x00" not in value else []
        if not rows:
            faults.append(f"{kind} {value!r} does not exist" + (f" in account {alias!r}" if alias else ""))
        elif len(in_accounts := sorted({row.account for row in rows})) > 1:
            faults.append(f"{kind} {value!r} exists in several accounts ({', '.join(in_accounts)}): write --account")
        found |= {row.pk: row for row in rows}
    if faults:
        raise CommandError(f"{'; '.join(faults)}. Nothing was done.")
    return list(found.values())


def _name(payment: Payment) -> str:
    mode = "" if payment.livemode else ", test"
    return f"order {payment.order_reference}, attempt {payment.attempt}, {payment.amount}, {payment.status}{mode}"


def _plan(why: WhyKept | None) -> str:
    return "would be erased" if why is None else f"would stay: {why.label}"


def _results(done: Erasure) -> Iterator[str]:
    for payment in done.erased:
        yield f"{_name(payment)}: erased"
    for payment in done.nothing_left:
        yield f"{_name(payment)}: nothing was left to erase"
    for payment, why in done.kept:
        yield f"{_name(payment)}: not erased, {why.label}"
