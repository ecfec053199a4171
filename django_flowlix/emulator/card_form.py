"""Reading the card form: what the customer typed, and a sentence at the field for what cannot be right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .cards import passes_luhn
from .charging import EnteredCard


@dataclass(frozen=True)
class CardForm:
    """`card` is None when there are faults. Number and code are never shown again, so they are not kept."""

    holder_name: str
    expiry: str
    card: EnteredCard | None
    faults: Mapping[str, str]


def read_card_form(form: Mapping[str, str], now: float) -> CardForm:
    holder_name = form.get("holder_name", "").strip()[:100]
    expiry = form.get("expiry", "").strip()[:20]
    number = re.sub(r"[\s\-]", "", form.get("number", ""))
    month, year = _month_and_year(expiry)
    card = EnteredCard(number, month, year)
    faults = {
        "number": _number_fault(number),
        "expiry": _expiry_fault(card, now),
        "cvc": _cvc_fault(card, form.get("cvc", "").strip()),
        "holder_name": "" if holder_name else "Enter the name on the card.",
    }
    faults = {name: fault for name, fault in faults.items() if fault}
    return CardForm(holder_name, expiry, None if faults else card, faults)


def _month_and_year(expiry: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,2})\s*[/.\- ]?\s*([0-9]{4}|[0-9]{2})", expiry)
    if found is None:
        return 0, 0
    year = int(found[2])
    return int(found[1]), year if year > 99 else 2000 + year


def _number_fault(number: str) -> str:
    if not number:
        return "Enter the card number."
    if not re.fullmatch(r"[0-9]{12,19}", number) or not passes_luhn(number):
        return "This card number is not valid. Check the digits."
    return ""


def _expiry_fault(card: EnteredCard, now: float) -> str:
    if not 1 <= card.exp_month <= 12:
        return "Enter the expiry date as month and year, such as 08/29."
    return "This card has expired." if card.expired(now) else ""


def _cvc_fault(card: EnteredCard, cvc: str) -> str:
    if re.fullmatch(rf"[0-9]{{{card.cvc_length}}}", cvc):
        return ""
    return f"Enter the {card.cvc_length}-digit security code of the card."
