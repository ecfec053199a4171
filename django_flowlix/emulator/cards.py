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
    """A test card: `decline_code` is None for success, `challenge` asks for 3-D Secure before it.

    `published` says whether the gateway documents the card for the contract.
    """

    number: str
    label: str
    decline_code: str | None = None
    published: bool = True
    challenge: bool = False

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


@dataclass(frozen=True)
class Verdict:
    """What charging a card comes to: success, a decline, or a challenge that the customer has to pass first."""

    card: StoredCard
    decline_code: str | None = None
    decline_message: str | None = None
    challenge: bool = False


# So that every decline code there is can be seen in a shop; the real gateway does not know these numbers.
UNPUBLISHED_CARDS = tuple(
    ScriptedCard(number, label, decline_code, published=False)
    for number, label, decline_code in (
        ("378282246310005", "American Express, succeeds", None),
        ("4000000000000069", "Expired card", "expired_card"),
        ("4000000000009987", "Lost card", "lost_card"),
        ("4000000000009979", "Stolen card", "stolen_card"),
        ("4000000000006975", "Used too often", "card_velocity_exceeded"),
        ("4000000000001000", "Refused by the bank", "do_not_honor"),
        ("4000000000002008", "Refused by the issuer", "issuer_declined"),
        ("4000000000003006", "Card limit reached", "cardholder_limit"),
        ("4000000000004004", "Purchase not permitted", "not_permitted"),
        ("4000000000005001", "Suspected fraud", "suspect_fraud"),
        ("4000000000006009", "Stopped by a fraud filter", "fraud_filter"),
    )
)


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


def scripted(cards: tuple[ScriptedCard, ...], number: str) -> ScriptedCard:
    """Return the script of a card; one that nobody scripted is declined, because no page says what it does."""
    unknown = ScriptedCard(number, "", "generic_decline", published=False)
    return next((card for card in cards if card.number == number), unknown)
