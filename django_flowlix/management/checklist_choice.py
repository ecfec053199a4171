"""What a call of `flowlix_check` asks for, and what is refused before anything has been looked at."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from ..api.money import Money, MoneyError, exponent_of
from ..checklist.items import Item, Section, Stage, registered
from ..conf import DEFAULT_ALIAS, Account, accounts
from .terminal import Terminal

FORMATS = ("text", "json", "junit", "html")
FAIL_LEVELS = ("fail", "warn", "person", "skip")
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
    _insist("--format", options["format"], FORMATS)
    _insist("--fail-level", options["fail_level"], FAIL_LEVELS)
    account = _account(options["account"])
    items = _items(options["section"], options["only"])
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
        near = _near(alias, {name: name for name in configured})
        raise CommandError(f"--account: there is no {alias!r}{near} Accounts: {names}")
    return configured[alias]


def _items(sections: str | Iterable[str] | None, only: str | Iterable[str] | None) -> Sequence[Item] | None:
    items = registered()
    known = {"--section": _by_name(item.section for item in items), "--only": _by_name(items)}
    section_ids, item_ids = _ids("--section", sections, known), _ids("--only", only, known)
    if section_ids is None and item_ids is None:
        return None
    chosen = [
        item
        for item in items
        if (section_ids is None or item.section.id in section_ids) and (item_ids is None or item.id in item_ids)
    ]
    if not chosen:
        raise CommandError("--section and --only together leave nothing: the lines are in other sections")
    return chosen


def _by_name(parts: Iterable[Section | Item]) -> dict[str, str]:
    """Return the ids of lines or sections by what one may call them: their titles, and first of all their ids."""
    titles = {part.id: str(part.title).casefold() for part in parts}
    return {name: name for name in titles} | {
        title: part_id for part_id, title in titles.items() if title not in titles
    }


def _ids(option: str, given: str | Iterable[str] | None, known: Mapping[str, Mapping[str, str]]) -> list[str] | None:
    """Return the ids that a repeated option names, each value perhaps several; None when it was not given."""
    values = [given] if isinstance(given, str) else list(given or ())
    named = [[value] if value.strip().casefold() in known[option] else value.split(",") for value in values]
    names = [name.strip() for each in named for name in each if name.strip()]
    if values and not names:
        raise CommandError(f"{option}: write one of {_listed(known[option])}")
    return [_id(option, name, known) for name in names] or None


def _id(option: str, name: str, known: Mapping[str, Mapping[str, str]]) -> str:
    meant = name.casefold()
    if meant in known[option]:
        return known[option][meant]
    elsewhere = [f"; did you mean {other} {names[meant]}?" for other, names in known.items() if meant in names]
    near = elsewhere[0] if elsewhere else _near(meant, known[option])
    raise CommandError(f"{option}: there is no {name!r}{near} There are: {_listed(known[option])}")


def _listed(known: Mapping[str, str]) -> str:
    return ", ".join(dict.fromkeys(known.values()))


def _insist(option: str, value: object, known: Sequence[str]) -> None:
    """Check what the parser does not when the command is called from Python."""
    if value not in known:
        raise CommandError(f"{option}: there is no {value!r}. There are: {', '.join(known)}")


def _near(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {known[near[0]]}?" if near else "."


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
