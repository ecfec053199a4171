"""Contract `dev` (api.flowlix.dev, `fl_` keys): asynchronous, polled; declines come later, refunds may be partial.

Source: docs.flowlix.dev/api-reference/*, docs.flowlix.dev/guides/{direct-api, hosted-payment-page, refunds}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import schema
from ..answers import Answer
from ..cards import UNPUBLISHED_CARDS, ScriptedCard
from ..charging import judged
from ..ids import uuid_id
from ..payments import Payment, Plan
from ..rate_limit import FixedLimiter
from ..refunds import Refund
from .base import Call, Contract, Operation, RefundOrder
from .operations import new_hosted_payment, new_payment, payment_answer, payment_operations, refunded
from .parameters import AMOUNT, CARD, CUSTOMER, DESCRIPTION, MAX_AMOUNT_MINOR, entered_card
from .partial_refunds import open_refund
from .payment_object import payment_object

_COMMON = {"amount": AMOUNT, "currency": schema.one_of("eur", "usd", "gbp")}
# The customer is optional as a whole; a customer that is there must be complete.
_OPTIONAL = {"customer": CUSTOMER, "description": DESCRIPTION, "metadata": schema.text_map(50, max_length=500)}
_DIRECT = schema.mapping({**_COMMON, "card": CARD}, {**_OPTIONAL, "return_url": schema.absolute_url})
_HOSTED = schema.mapping({**_COMMON, "redirect_url": schema.absolute_url}, _OPTIONAL)
# An amount outside of what is left breaks a refund rule (422), not the form of the request: any integer is read.
_REFUND = schema.mapping(
    {"reason": schema.text(max_length=50)}, {"amount": schema.integer(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR)}
)


class DevContract(Contract):
    name = "dev"
    key_prefixes = {"fl_test_sk_": False, "fl_live_sk_": True}
    request_id_header = "Flowlix-Request-Id"
    requests_per_minute = 500
    rate_limiter = FixedLimiter
    errors_url = "https://docs.flowlix.dev/api-reference/errors"
    statuses = ("pending", "succeeded", "failed", "requires_action", "expired", "canceled")
    page_url_fields = ("redirect_url",)
    test_cards = (
        ScriptedCard("4111111111111111", "Visa, succeeds"),
        ScriptedCard("4000000000000002", "Refused by the bank", "do_not_honor"),
        ScriptedCard("4000000000009995", "Insufficient funds", "insufficient_funds"),
        ScriptedCard("4635440000002223", "Visa, asks for 3-D Secure", challenge=True),
        *UNPUBLISHED_CARDS,
    )

    @property
    def operations(self) -> tuple[Operation, ...]:
        return payment_operations(create_direct=create_direct, create_hosted=create_hosted, refund=refund)

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Accept all: no page of this contract has a header of its own."""

    def stores(self, answer: Answer) -> bool:
        """Keep successes only. Source: docs.flowlix.dev/api-reference/idempotency"""
        return 200 <= answer.status < 300

    def render(self, payment: Payment, page_url_field: str) -> dict[str, Any]:
        challenged = payment.status == "requires_action"
        return {
            **payment_object(payment, payment.hosted_page_url),
            "card": _card(payment),
            "refunded_amount": payment.refunded_amount_minor,
            "refunds": [_refund_entry(refund) for refund in payment.refunds],
            "next_action": {"redirect_url": payment.action_url} if challenged else None,
        }

    def cancel(self, payment: Payment, now: float) -> None:
        payment.end("canceled")

    def expire(self, payment: Payment) -> None:
        payment.end("expired")

    def refund(self, payment: Payment, order: RefundOrder) -> None:
        open_refund(payment, order)

    def new_payment_id(self) -> str:
        return uuid_id("pay_")


def create_hosted(call: Call) -> Answer:
    return payment_answer(call, new_hosted_payment(call, _HOSTED(call.parameters, "")), 201)


def create_direct(call: Call) -> Answer:
    """Accept the payment; what the card comes to shows itself when the payment is looked at later."""
    values = _DIRECT(call.parameters, "")
    card = entered_card(values["card"])
    payment = new_payment(call, values, values.get("return_url"))
    payment.card = card.stored()
    delay_seconds = call.state.payment_delay_seconds
    due_at = None if delay_seconds is None else call.now + delay_seconds
    payment.plan = Plan(due_at, judged(card, call.state.contract.test_cards, call.now))
    return payment_answer(call, payment, 201)


def refund(call: Call) -> Answer:
    values = _REFUND(call.parameters, "")
    return refunded(call, values.get("amount"), values["reason"], 201)


def _card(payment: Payment) -> dict[str, Any] | None:
    """Return the card; while the payment is pending only its last digits are known, as the pages warn."""
    if payment.card is None:
        return None
    known = payment.card
    pending = payment.status == "pending"
    return {
        "brand": None if pending else known.brand,
        "last4": known.last4,
        "exp_month": None if pending else known.exp_month,
        "exp_year": None if pending else known.exp_year,
        "country": known.country,
    }


def _refund_entry(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason,
        "status": refund.status,
        "decline_code": refund.decline_code,
        "decline_message": refund.decline_message,
        "created_at": refund.created,
        "updated_at": refund.created if refund.updated is None else refund.updated,
        "completed_at": refund.completed,
        "provider_refund_id": refund.provider_refund_id,
    }
