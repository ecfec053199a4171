"""Refunds, and the only way in which one comes to its end."""

from __future__ import annotations

from dataclasses import dataclass

from .ids import random_id

DECLINE_CODE = "generic_decline"  # no page names the codes of failed refunds
DECLINE_MESSAGE = "The refund was declined."


class RefundNotAllowedError(Exception):
    """A rule of the contract forbids the refund; `code` is the wire's word for the rule."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Refund:
    """One refund; times are Unix seconds, `due_at` is when it succeeds by itself, None if only when told."""

    id: str
    amount_minor: int
    currency: str
    reason: str
    created: int
    due_at: float | None = None
    status: str = "pending"
    decline_code: str | None = None
    decline_message: str | None = None
    updated: int | None = None
    completed: int | None = None
    provider_refund_id: str | None = None

    @property
    def holds_money(self) -> bool:
        """Tell whether it counts as refunded: a pending one does, a failed one is taken out again."""
        return self.status != "failed"

    def is_due(self, now: float) -> bool:
        return self.status == "pending" and self.due_at is not None and self.due_at <= now

    def finish(self, succeeded: bool, now: float) -> None:
        """Raises: RefundNotAllowedError if it has already come to its end."""
        if self.status != "pending":
            raise RefundNotAllowedError("refund_finished", f"the refund is {self.status}")
        self.status = "succeeded" if succeeded else "failed"
        self.updated = self.completed = int(now)
        self.provider_refund_id = random_id("")
        if not succeeded:
            self.decline_code, self.decline_message = DECLINE_CODE, DECLINE_MESSAGE
