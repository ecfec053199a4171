"""What a test may do to the emulator behind the gateway's back; the control API and EmulatorServer both call this."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from .charging import EnteredCard, answer_challenge, charge, declined
from .contracts.base import RefundOrder
from .faults import Fault
from .payments import NotAllowedInThisStateError, Payment
from .refunds import Refund, RefundNotAllowedError
from .state import State

OUTCOMES = ("success", "decline", "cancel", "expire", "refund")
REFUND_OUTCOMES = ("succeed", "fail")
DASHBOARD_REASON = "refunded in the dashboard"
_EXPIRY = (12, 2099)


class Controls:
    """Every method raises ValueError, with the remedy, for input that makes no sense."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_fault(self, operation: Any, kind: Any, options: Mapping[str, Any]) -> Fault:
        with self._state.lock:
            return self._state.faults.add(operation, kind, options)

    def finish(self, payment_id: str, outcome: Any, *, card: Any = None, decline_code: Any = None) -> Payment:
        """End a payment as if the customer had been on the page, or as if the merchant had refunded it by hand.

        `success` charges `card`, so that a declining test card declines; without one, the payment's own card or one
        that succeeds. `decline` uses `decline_code` instead.
        """
        _require_one_of("outcome", outcome, OUTCOMES)
        if card is not None and not (isinstance(card, str) and re.fullmatch(r"[0-9]{12,19}", card)):
            raise ValueError("card must be 12 to 19 digits without spaces")
        if outcome == "refund":
            return self.refund(payment_id)
        with self._state.lock:
            payment = self._existing(payment_id)
            try:
                self._finish(payment, outcome, card, decline_code)
            except NotAllowedInThisStateError as error:
                raise ValueError(f"{outcome} is not possible: {error}") from error
        return payment

    def _finish(self, payment: Payment, outcome: str, number: str | None, decline_code: Any) -> None:
        now, contract = self._state.clock.now(), self._state.contract
        entered = EnteredCard(number or contract.test_cards[0].number, *_EXPIRY)
        if outcome == "success" and payment.is_open and payment.card is not None:
            _go_on_with_its_card(payment, number, now)
        elif outcome == "success":
            charge(payment, entered, contract.test_cards, now)
        elif outcome == "decline":
            verdict = declined(payment.card or entered.stored(), str(decline_code or "generic_decline"))
            payment.conclude(verdict, now)
        elif outcome == "cancel":
            contract.cancel(payment, now)
        else:
            contract.expire(payment)

    def refund(self, payment_id: str, amount_minor: Any = None) -> Payment:
        """Refund a payment as if by hand in the merchant's dashboard; without an amount, all that is left."""
        if amount_minor is not None and (type(amount_minor) is not int or amount_minor < 1):
            raise ValueError("amount_minor must be a whole number of at least 1, or left out for all that is left")
        with self._state.lock:
            payment = self._existing(payment_id)
            now, delay_seconds = self._state.clock.now(), self._state.refund_delay_seconds
            try:
                order = RefundOrder(amount_minor, DASHBOARD_REASON, now, delay_seconds)
                self._state.contract.refund(payment, order)
            except RefundNotAllowedError as error:
                raise ValueError(f"refund is not possible: {error}") from error
        return payment

    def finish_refund(self, refund_id: str, outcome: Any) -> Refund:
        _require_one_of("outcome", outcome, REFUND_OUTCOMES)
        with self._state.lock:
            found = self._state.payments.find_refund(refund_id)
            if found is None:
                raise ValueError(f"there is no refund {refund_id[:100]!r}")
            payment, refund = found
            try:
                payment.finish_refund(refund, outcome == "succeed", self._state.clock.now())
            except RefundNotAllowedError as error:
                raise ValueError(f"{outcome} is not possible: {error}") from error
        return refund

    def refunds(self, payment_id: str) -> list[Refund]:
        with self._state.lock:
            return list(self._existing(payment_id).refunds)

    def set_refund_delay(self, seconds: Any) -> None:
        self._state.refund_delay_seconds = _delay(seconds)

    def set_payment_delay(self, seconds: Any) -> None:
        self._state.payment_delay_seconds = _delay(seconds)

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


def _go_on_with_its_card(payment: Payment, number: str | None, now: float) -> None:
    """Pass the challenge of a payment that waits for one; or reach the verdict that a direct payment waits for."""
    if number is not None:
        raise ValueError("success is not possible with another card: the payment has its card already, leave card out")
    if payment.plan is not None:
        payment.conclude(payment.plan.verdict, now)
    else:
        answer_challenge(payment, True, now)


def _require_one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: choose one of {', '.join(known)}")


def _delay(seconds: Any) -> float | None:
    if seconds is None:
        return None
    if type(seconds) not in (int, float) or not (seconds >= 0 and math.isfinite(seconds)):
        raise ValueError("the delay must be a number of seconds of at least 0, or null (None) for only when told")
    return float(seconds)


def _key_text(key: Any) -> str:
    if not isinstance(key, str) or not key:
        raise ValueError("key must be the API key as text")
    return key
