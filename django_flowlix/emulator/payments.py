"""The payments the gateway holds, and the only ways in which they change."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cards import StoredCard

_ALPHABET = string.ascii_letters + string.digits


def random_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(24))


class NotAllowedInThisStateError(Exception):
    """The payment has already come to an end, or has not come to one yet."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the payment is {status}")
        self.status = status


@dataclass
class Payment:
    """One payment; times are Unix seconds, `merchant_url` is where the hosted page sends the customer back to."""

    livemode: bool
    amount_minor: int
    currency: str
    customer: Mapping[str, str]
    created: int
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    merchant_url: str | None = None
    hosted_page_url: str | None = None
    id: str = field(default_factory=lambda: random_id("pay_"))
    status: str = "pending"
    card: StoredCard | None = None
    decline_code: str | None = None
    decline_message: str | None = None
    succeeded_at: int | None = None
    failed_at: int | None = None
    refunded_at: int | None = None

    def succeed(self, card: StoredCard, now: float) -> None:
        self._require("pending")
        self.status, self.card, self.succeeded_at = "succeeded", card, int(now)

    def fail(self, card: StoredCard | None, decline_code: str | None, message: str, now: float) -> None:
        self._require("pending")
        self.status, self.card, self.failed_at = "failed", card, int(now)
        self.decline_code, self.decline_message = decline_code, message

    def refund(self, now: float) -> None:
        self._require("succeeded")
        self.status, self.refunded_at = "refunded", int(now)

    def _require(self, status: str) -> None:
        if self.status != status:
            raise NotAllowedInThisStateError(self.status)


class PaymentStore:
    """All payments in the order of their creation; each mode sees only its own."""

    def __init__(self) -> None:
        self._payments: dict[str, Payment] = {}

    def add(self, payment: Payment) -> Payment:
        self._payments[payment.id] = payment
        return payment

    def find(self, payment_id: str, livemode: bool | None = None) -> Payment | None:
        """Return a payment; `livemode` None looks into both modes, which only the page and the control API may."""
        payment = self._payments.get(payment_id)
        return payment if payment and livemode in (None, payment.livemode) else None

    def newest_first(self, livemode: bool) -> list[Payment]:
        return [payment for payment in reversed(self._payments.values()) if payment.livemode is livemode]

    def __iter__(self) -> Iterator[Payment]:
        return iter(list(self._payments.values()))


def customer_name(customer: Mapping[str, Any]) -> str:
    return f"{customer['first_name']} {customer['last_name']}"
