"""minor-units: the amounts that would be sent, and the decimals of every currency in use against ISO 4217."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from ...api import Money, MoneyError
from ...api.money import exponent_of
from ...conf import Account
from .. import catalogue, records
from ..context import Context
from ..findings import Finding, failed, needs_person, noted, passed, skipped
from ..items import Stage
from ..rehearsal import PATCHED, accepted, create, hosted_request, rehearse


class Written(NamedTuple):
    """An amount as a price tag says it, and as it has to be sent. Source: ISO 4217"""

    major: str
    currency: str
    amount_minor: int


_WRITTEN = (Written("10.99", "EUR", 1099), Written("1099", "JPY", 1099), Written("1.099", "BHD", 1099))


@catalogue.MINOR_UNITS.probe(Stage.STATIC)
def rehearsed_amounts(context: Context) -> Iterator[Finding]:
    faults = [fault for fault in (_fault_of(context.account, written) for written in _WRITTEN) if fault]
    for fault in faults:
        yield failed(f"Rehearsed without a network: {fault}.", PATCHED)
    if not faults:
        shown = ", ".join(f"{major} {currency} as {minor}" for major, currency, minor in _WRITTEN)
        yield passed(
            f"Rehearsed without a network: amounts become whole minor units, {shown}, and are read back alike."
        )


def _fault_of(account: Account, written: Written) -> str:
    money = Money.from_major(written.major, written.currency)
    if money.amount_minor != written.amount_minor or f"{money.major}" != written.major:
        return f"{written.major} {written.currency} becomes {money.amount_minor}, and {money} again"
    if not _takes(account, written.currency):
        return ""
    sent = _amount_sent(account, money)
    if type(sent) is int and sent == written.amount_minor:
        return ""
    return f"{written.major} {written.currency} is sent as {sent!r}, not as the integer {written.amount_minor}"


def _amount_sent(account: Account, money: Money) -> Any:
    body = rehearse(account, accepted(), act=partial(create, amount=money)).tries[0].body
    return json.loads(body.reveal()).get("amount") if body else None


def _takes(account: Account, currency: str) -> bool:
    faults = account.contract.faults(hosted_request(account, Money(1099, currency, 2)))
    return not any(fault.startswith("currency") for fault in faults)


@catalogue.MINOR_UNITS.probe(Stage.STATIC)
def currencies_in_use(context: Context) -> Iterator[Finding]:
    """Which currencies the shop takes, its payments tell: without any, nothing is known about them."""
    counts, words = context.once(records.payment_counts), context.once(records.payments).words
    newest = {row.currency: row for row in sorted(counts, key=lambda row: row.newest)}
    for row in counts:
        if row is newest[row.currency]:
            yield _stored(context.account, row, words)
        else:
            yield noted(
                f"Earlier, {row.payments} payments in {row.currency} among {words} were counted with {row.exponent} "
                "decimals, unlike the newest one."
            )
    if not counts:
        yield skipped(
            "No currency is in use yet: the shop has no payment in this mode.",
            "Make a payment in every currency of the shop, then check again.",
        )


def _stored(account: Account, row: records.PaymentCounts, words: str) -> Finding:
    name = f"{row.payments} payments in {row.currency} among {words}"
    try:
        exponent = exponent_of(row.currency, account.currency_exponents)
    except MoneyError as error:
        return failed(f"{name}: {error}.", "See where these payments come from, and state CURRENCY_EXPONENTS.")
    if row.exponent != exponent:
        return failed(
            f"{name} are counted with {row.exponent} decimals, {row.currency} has {exponent}.",
            "What was charged may differ from the price by powers of ten: compare with the gateway's dashboard, set "
            f"CURRENCY_EXPONENTS to what the gateway counts with, then make another payment in {row.currency}.",
        )
    return passed(f"{name} are counted with {row.exponent} decimals, as {row.currency} has.")


@catalogue.MINOR_UNITS.probe(Stage.STATIC)
def overridden_exponents(context: Context) -> Iterator[Finding]:
    account = context.account
    for currency, exponent in sorted(account.currency_exponents.items()):
        published = exponent_of(currency)
        if not _takes(account, currency):
            yield noted(f"CURRENCY_EXPONENTS names {currency}, which contract {account.contract_name} does not take.")
        elif published == exponent:
            yield noted(f"CURRENCY_EXPONENTS says of {currency} what ISO 4217 says.")
        else:
            yield needs_person(
                f"CURRENCY_EXPONENTS counts {currency} with {exponent} decimals, ISO 4217 with {published}.",
                f"The gateway counts {currency} with {exponent} decimals, as it confirmed or a payment showed.",
            )
