"""Contract `dev`: api.flowlix.dev with `fl_` keys, asynchronous: a payment and a refund end some time after the answer.

An answer's `next_action` is not read: the hosted page leads its customer through 3-D Secure by itself.

Source: docs.flowlix.dev/api-reference/*, docs.flowlix.dev/guides/{direct-api, hosted-payment-page, refunds}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..objects import (
    DirectPaymentRequest,
    GatewayRefund,
    GatewayRefundStatus,
    GatewayStatus,
    HostedPaymentRequest,
    RefundRequest,
)
from . import reading, validation
from .fl import FlContract

_REFUND_STATUSES = {
    "pending": GatewayRefundStatus.PENDING,
    "processing": GatewayRefundStatus.PENDING,
    "succeeded": GatewayRefundStatus.SUCCEEDED,
    "failed": GatewayRefundStatus.FAILED,
}


class DevContract(FlContract):
    name = "dev"
    api_url = "https://api.flowlix.dev"
    requests_per_minute = 500
    ends_unpaid_payments = True
    partial_refunds = True
    keeps_failed_answers = False
    refund_window_days = 180
    max_refund_reason_length = 50
    max_metadata_value_length = 500
    customer_required = False
    # `refunded` is in the refunds guide alone, not among the published values: there it means returned in full.
    statuses = {
        "pending": GatewayStatus.PENDING,
        "requires_action": GatewayStatus.REQUIRES_ACTION,
        "succeeded": GatewayStatus.SUCCEEDED,
        "failed": GatewayStatus.FAILED,
        "canceled": GatewayStatus.CANCELED,
        "expired": GatewayStatus.EXPIRED,
        "refunded": GatewayStatus.SUCCEEDED,
    }
    hosted_page_names = ("redirect_url",)
    # docs.flowlix.dev/api-reference/test-cards; the card that had expired is in an early page alone, and withdrawn
    test_cards = {
        "": "4111111111111111",
        "do_not_honor": "4000000000000002",
        "insufficient_funds": "4000000000009995",
    }

    def faults(self, request: HostedPaymentRequest | DirectPaymentRequest) -> list[str]:
        faults = super().faults(request)
        if request.amount.currency not in ("EUR", "USD", "GBP"):
            faults.append("currency must be EUR, USD or GBP: contract dev takes no other")
        return faults

    def refund_faults(self, request: RefundRequest) -> list[str]:
        reason_faults = validation.reason_faults(request.reason, max_length=self.max_refund_reason_length)
        return [*super().refund_faults(request), *reason_faults]

    def refund_body(self, request: RefundRequest) -> dict[str, Any]:
        return {"amount": request.amount.amount_minor, "reason": request.reason}

    def read_refunds(
        self, payment: Mapping[str, Any], *, amount_minor: int, currency: str, word: str
    ) -> tuple[GatewayRefund, ...] | None:
        """Return the entries of `refunds`, never `refunded_amount`, which seems to count pending ones as well."""
        entries, returned_in_full = payment.get("refunds"), word == "refunded"
        if not isinstance(entries, list) or (returned_in_full and not entries):
            return None
        return tuple(_refund(reading.require_object(entry), currency, returned_in_full) for entry in entries)


def _refund(entry: Mapping[str, Any], currency: str, returned_in_full: bool) -> GatewayRefund:
    word = reading.optional_text(entry, "status", 64)
    status = _REFUND_STATUSES.get(word.lower(), GatewayRefundStatus.UNKNOWN)
    # The guide: a payment becomes `refunded` only when its refunds have reached the total.
    if returned_in_full and status is not GatewayRefundStatus.FAILED:
        status = GatewayRefundStatus.SUCCEEDED
    return GatewayRefund(
        id=reading.optional_id(entry),
        amount_minor=reading.require_amount(entry, "amount"),
        currency=reading.optional_text(entry, "currency", 64).upper() or currency,
        status=status,
        gateway_status=word,
        reason=reading.optional_text(entry, "reason"),
        decline_code=reading.optional_text(entry, "decline_code", 64),
        decline_message=reading.optional_text(entry, "decline_message"),
        created_at=reading.optional_int(entry, "created_at"),
    )
