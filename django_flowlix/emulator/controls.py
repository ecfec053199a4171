"""What a test may do to the emulator behind the gateway's back; the control API and EmulatorServer both call this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .charging import EnteredCard, charge, decline
from .faults import Fault
from .payments import NotAllowedInThisStateError, Payment
from .state import State

OUTCOMES = ("success", "decline", "cancel", "refund")
SUCCESSFUL_CARD = "4242424242424242"
_EXPIRY = (12, 2099)


class Controls:
    """Every method raises ValueError, with the remedy, for input that makes no sense."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_fault(self, operation: Any, kind: Any, options: Mapping[str, Any]) -> Fault:
        with self._state.lock:
            return self._state.faults.add(operation, kind, options)

    def finish(
        self, payment_id: str, outcome: Any, *, card: Any = SUCCESSFUL_CARD, decline_code: Any = None
    ) -> Payment:
        """End a payment as if the customer had been on the page, or as if the merchant had refunded it by hand.

        `success` charges `card`, so that a declining test card declines; `decline` uses `decline_code` instead.
        """
        if outcome not in OUTCOMES:
            raise ValueError(f"unknown outcome {outcome!r}: choose one of {', '.join(OUTCOMES)}")
        if not isinstance(card, str) or not (card.isascii() and card.isdecimal() and 12 <= len(card) <= 19):
            raise ValueError("card must be 12 to 19 digits without spaces")
        with self._state.lock:
            payment = self._existing(payment_id)
            try:
                self._finish(payment, outcome, EnteredCard(card, *_EXPIRY), decline_code)
            except NotAllowedInThisStateError as error:
                raise ValueError(f"{outcome} is not possible: {error}") from error
        return payment

    def _finish(self, payment: Payment, outcome: str, card: EnteredCard, decline_code: Any) -> None:
        now = self._state.clock.now()
        if outcome == "success":
            charge(payment, card, self._state.contract.test_cards, now)
        elif outcome == "decline":
            decline(payment, card, str(decline_code or "generic_decline"), now)
        elif outcome == "cancel":
            self._state.contract.cancel(payment, now)
        else:
            payment.refund(now)

    def _existing(self, payment_id: str) -> Payment:
        payment = self._state.payments.find(payment_id)
        if payment is None:
            raise ValueError(f"there is no payment {payment_id[:100]!r}")
        return payment

    def advance(self, seconds: Any) -> float:
        """Move the clock forward and return the new time in Unix seconds."""
        if type(seconds) not in (int, float):
            raise ValueError("advance_seconds must be a number of seconds")
        with self._state.lock:
            self._state.clock.advance(seconds)
            return self._state.clock.now()

    def set_rate_limit(self, requests_per_minute: Any) -> None:
        with self._state.lock:
            self._state.rate_limit.set_limit(requests_per_minute)

    def revoke_key(self, key: Any) -> None:
        self._state.keys.revoked.add(_key_text(key))

    def restore_key(self, key: Any) -> None:
        self._state.keys.revoked.discard(_key_text(key))


def _key_text(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise ValueError("key must be the API key as text")
    return key
