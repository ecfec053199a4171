"""What happens when a card is charged: the one place that decides between success, decline and challenge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from .cards import ScriptedCard, StoredCard, Verdict, brand_of, cvc_length, passes_luhn, scripted
from .payments import Payment

_MESSAGES = {
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "invalid_number": "The card number is invalid.",
    "lost_card": "The card has been reported lost.",
    "stolen_card": "The card has been reported stolen.",
    "card_velocity_exceeded": "The card has been used too often in a short time.",
    "cardholder_limit": "The card's limit has been reached.",
    "not_permitted": "The card cannot be used for this purchase.",
    "three_d_secure_failed": "The cardholder was not authenticated.",
}


@dataclass(frozen=True)
class EnteredCard:
    """A card on its way through memory; the number is never stored, printed or logged."""

    number: str = field(repr=False)
    exp_month: int
    exp_year: int

    @property
    def cvc_length(self) -> int:
        return cvc_length(self.number)

    def expired(self, now: float) -> bool:
        """Tell whether the last day of the expiry month is over, in UTC."""
        today = datetime.fromtimestamp(now, UTC)
        return (self.exp_year, self.exp_month) < (today.year, today.month)

    def stored(self) -> StoredCard:
        return StoredCard(brand_of(self.number), self.number[-4:], self.exp_month, self.exp_year)


def charge(payment: Payment, card: EnteredCard, test_cards: tuple[ScriptedCard, ...], now: float) -> None:
    """Charge `card` for an open payment, at once.

    Raises: NotAllowedInThisStateError if the payment has come to its end.
    """
    payment.conclude(judged(card, test_cards, now), now)


def answer_challenge(payment: Payment, passed: bool, now: float) -> None:
    """End a payment that waits for its challenge, with the card that it has."""
    if payment.card is None:
        raise TypeError("a payment without a card has no challenge")
    payment.conclude(Verdict(payment.card) if passed else declined(payment.card, "three_d_secure_failed"), now)


def judged(card: EnteredCard, test_cards: tuple[ScriptedCard, ...], now: float) -> Verdict:
    if not passes_luhn(card.number):
        return declined(card.stored(), "invalid_number")
    if card.expired(now):
        return declined(card.stored(), "expired_card")
    script = scripted(test_cards, card.number)
    if script.decline_code is not None:
        return declined(card.stored(), script.decline_code)
    return Verdict(card.stored(), challenge=script.challenge)


def declined(card: StoredCard, code: str) -> Verdict:
    return Verdict(card, code, _MESSAGES.get(code, "The card was declined."))
