"""The payments the gateway holds, and the only ways in which they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .cards import StoredCard, Verdict
from .clock import Clock
from .refunds import Refund

_OPEN = ("pending", "requires_action")


class NotAllowedInThisStateError(Exception):
    """The payment has already come to an end, or has not come to one yet."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the payment is {status}")
        self.status = status


@dataclass(frozen=True)
class Plan:
    """A verdict that the gateway reaches by itself, and when (Unix seconds; None: only when told)."""

    at: float | None
    verdict: Verdict


@dataclass
class Payment:
    """One payment; times are Unix seconds, `merchant_url` is where the gateway's pages send the customer back to.

    `hosted_page_url` is None for direct payments; `action_url` is where a challenge is passed.
    """

    id: str
    livemode: bool
    amount_minor: int
    currency: str
    customer: Mapping[str, str] | None
    created: int
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    merchant_url: str | None = None
    hosted_page_url: str | None = None
    action_url: str | None = None
    status: str = "pending"
    card: StoredCard | None = None
    plan: Plan | None = None
    decline_code: str | None = None
    decline_message: str | None = None
    succeeded_at: int | None = None
    failed_at: int | None = None
    refunded_at: int | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def awaits_card(self) -> bool:
        return self.status == "pending" and self.hosted_page_url is not None

    @property
    def customer_name(self) -> str:
        return f"{self.customer['first_name']} {self.customer['last_name']}" if self.customer else ""

    @property
    def refunded_amount_minor(self) -> int:
        """Return the sum of pending and succeeded refunds."""
        return sum(refund.amount_minor for refund in self.refunds if refund.holds_money)

    def conclude(self, verdict: Verdict, now: float) -> None:
        """Bring the payment to the end that the verdict on its card means, or to its challenge."""
        if verdict.challenge:
            self._require(*_OPEN)
            self.status, self.card, self.plan = "requires_action", verdict.card, None
        elif verdict.decline_code is None:
            self.succeed(verdict.card, now)
        else:
            self.fail(verdict.card, verdict.decline_code, verdict.decline_message or "", now)

    def succeed(self, card: StoredCard, now: float) -> None:
        self.end("succeeded")
        self.card, self.succeeded_at = card, int(now)

    def fail(self, card: StoredCard | None, decline_code: str | None, message: str, now: float) -> None:
        self.end("failed")
        self.card, self.failed_at = card, int(now)
        self.decline_code, self.decline_message = decline_code, message

    def end(self, status: str) -> None:
        self._require(*_OPEN)
        self.status, self.plan = status, None

    def add_refund(self, refund: Refund) -> None:
        self._require("succeeded")
        self.refunds.append(refund)

    def finish_refund(self, refund: Refund, succeeded: bool, now: float) -> None:
        """End a refund; the payment is `refunded` once its whole amount has gone back."""
        refund.finish(succeeded, now)
        gone_back = sum(each.amount_minor for each in self.refunds if each.status == "succeeded")
        if gone_back == self.amount_minor:
            self.status, self.refunded_at = "refunded", int(now)

    def catch_up(self, now: float) -> None:
        """Do what has become due by itself since the last look, at the time at which it was due."""
        if self.plan is not None and self.plan.at is not None and self.plan.at <= now:
            self.conclude(self.plan.verdict, self.plan.at)
        due = [refund for refund in self.refunds if refund.is_due(now)]
        for refund in sorted(due, key=lambda refund: refund.due_at or 0.0):
            self.finish_refund(refund, True, refund.due_at or now)

    def _require(self, *statuses: str) -> None:
        if self.status not in statuses:
            raise NotAllowedInThisStateError(self.status)


class PaymentStore:
    """All payments in the order of their creation; each mode sees only its own.

    Whoever looks at a payment sees what the clock has made of it: nothing runs in the background.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._payments: dict[str, Payment] = {}

    def add(self, payment: Payment) -> Payment:
        self._payments[payment.id] = payment
        return payment

    def find(self, payment_id: str, livemode: bool | None = None) -> Payment | None:
        """Return a payment; `livemode` None looks into both modes, which only the page and the control API may."""
        payment = self._payments.get(payment_id)
        if payment is None or livemode not in (None, payment.livemode):
            return None
        payment.catch_up(self._clock.now())
        return payment

    def find_refund(self, refund_id: str) -> tuple[Payment, Refund] | None:
        found = ((payment, refund) for payment in self for refund in payment.refunds if refund.id == refund_id)
        return next(found, None) if refund_id else None

    def newest_first(self, livemode: bool) -> list[Payment]:
        return [payment for payment in reversed(list(self)) if payment.livemode is livemode]

    def __iter__(self) -> Iterator[Payment]:
        now = self._clock.now()
        for payment in list(self._payments.values()):
            payment.catch_up(now)
            yield payment
