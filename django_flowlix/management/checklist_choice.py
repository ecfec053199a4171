"""What a call of `flowlix_check` asks for, and what is refused before anything has been looked at."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from ..api.money import Money, MoneyError, exponent_of
from ..checklist.items import Item, Stage, registered
from ..conf import DEFAULT_ALIAS, Account, accounts
from .terminal import Terminal

_MOST_WITHOUT_ASKING_MINOR = 1000
"""Ten euros, a thousand yen: more is hardly meant by "a small real payment"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which account, which lines (None: all), how far, and what a real payment may take."""

    account: Account
    items: Sequence[Item] | None
    stages: frozenset[str]
    live_amount: Money | None


def chosen_by(options: Mapping[str, Any], terminal: Terminal) -> Choice:
    """Read the command's options. Raises: CommandError naming what is wrong and what could be written instead"""
    account = _account(options["account"])
    items = _items(_ids(options["section"]), _ids(options["only"]))
    if options["scenarios"] and account.livemode:
        raise CommandError(
            f"--scenarios is for test keys: account {account.alias!r} has a live key, and real payments would be made. "
            "Nothing was looked at."
        )
    amount = _live_amount(options["live_payment"], account, terminal) if options["live_payment"] is not None else None
    wanted = {
        Stage.STATIC: True,
        Stage.NETWORK: options["network"],
        Stage.SCENARIOS: options["scenarios"],
        Stage.LIVE_PAYMENT: amount is not None,
    }
    stages = frozenset(stage.value for stage, is_wanted in wanted.items() if is_wanted)
    return Choice(account=account, items=items, stages=stages, live_amount=amount)


def _account(alias: str | None) -> Account:
    try:
        configured = accounts()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    names = ", ".join(configured)
    if alias is None:
        alias = next(iter(configured)) if len(configured) == 1 else DEFAULT_ALIAS
        if alias not in configured:
            raise CommandError(f"write which account: --account with one of {names}")
    if alias not in configured:
        raise CommandError(f"--account: there is no {alias!r}{_near(alias, configured)} Accounts: {names}")
    return configured[alias]


def _ids(values: Iterable[str]) -> list[str] | None:
    """Return the ids of a repeated option, each of which may be a list; None when it was not given."""
    given = list(values)
    ids = [name.strip() for value in given for name in value.split(",") if name.strip()]
    return list(dict.fromkeys(ids)) if given else None


def _items(sections: list[str] | None, only: list[str] | None) -> Sequence[Item] | None:
    if sections is None and only is None:
        return None
    items = registered()
    _insist("--section", sections, dict.fromkeys(item.section.id for item in items))
    _insist("--only", only, [item.id for item in items])
    chosen = [
        item
        for item in items
        if (sections is None or item.section.id in sections) and (only is None or item.id in only)
    ]
    if not chosen:
        raise CommandError("--section and --only together leave nothing: the lines are in other sections")
    return chosen


def _insist(option: str, ids: list[str] | None, known: Iterable[str]) -> None:
    if ids == []:
        raise CommandError(f"{option}: write one of {', '.join(known)}")
    for name in ids or ():
        if name not in known:
            raise CommandError(f"{option}: there is no {name!r}{_near(name, known)} There are: {', '.join(known)}")


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "."


def _live_amount(text: str, account: Account, terminal: Terminal) -> Money:
    if not account.livemode:
        raise CommandError(
            f"--live-payment takes real money: account {account.alias!r} has a test key. Nothing was looked at; "
            "with a test key, run --scenarios"
        )
    amount = _money(text, account)
    if not terminal.is_interactive:
        raise CommandError("--live-payment is interactive: run it in a terminal, where a person pays and answers")
    if amount.amount_minor > _MOST_WITHOUT_ASKING_MINOR and not terminal.confirms(f"Really take {amount}?"):
        raise CommandError("nothing was done")
    return amount


def _money(text: str, account: Account) -> Money:
    try:
        major, currency = text.split()
    except ValueError:
        raise CommandError(
            f'--live-payment: write an amount and a currency, such as "1.00 EUR", not {text!r}'
        ) from None
    try:
        amount = Money.from_major(major, currency, exponent_of(currency, account.currency_exponents))
    except MoneyError as error:
        raise CommandError(f"--live-payment: {error}") from None
    if not amount.amount_minor:
        raise CommandError("--live-payment: write an amount above zero")
    return amount
