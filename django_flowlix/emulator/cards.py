"""Cards as the emulator knows them: the number's own checks, and the outcome scripted for each test card."""

from __future__ import annotations

from dataclasses import dataclass

_BRANDS = (
    ("visa", ("4",), (13, 16, 19)),
    ("mastercard", tuple(str(n) for n in (*range(51, 56), *range(2221, 2721))), (16,)),
    ("amex", ("34", "37"), (15,)),
    ("discover", ("6011", "65"), (16,)),
)


@dataclass(frozen=True)
class ScriptedCard:
    """A test card: `decline_code` is None for success; `published` says whether the gateway documents it."""

    number: str
    label: str
    decline_code: str | None = None
    published: bool = True

    @property
    def spaced_number(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


@dataclass(frozen=True)
class StoredCard:
    """What may be kept of a card: never the number, never the cvc."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int
    country: str | None = None


def brand_of(number: str) -> str:
    for brand, prefixes, lengths in _BRANDS:
        if number.startswith(prefixes) and len(number) in lengths:
            return brand
    return "unknown"


def passes_luhn(number: str) -> bool:
    """Tell whether the check digit is right. Source: ISO/IEC 7812-1, annex B"""
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    others = (int(digit) for digit in number[-1::-2])
    return (sum(d - 9 if d > 9 else d for d in doubled) + sum(others)) % 10 == 0


def cvc_length(number: str) -> int:
    return 4 if brand_of(number) == "amex" else 3


def scripted_decline(cards: tuple[ScriptedCard, ...], number: str) -> str | None:
    """Return the decline code of a card, None for success; a card nobody scripted is declined like any unknown one."""
    for card in cards:
        if card.number == number:
            return card.decline_code
    return "generic_decline"
