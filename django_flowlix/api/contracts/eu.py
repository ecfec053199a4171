"""Contract `eu`: api.flowlix.eu, synchronous, refunds in full and once.

Source: docs.flowlix.eu/api-reference/*, docs.flowlix.eu/guides/{direct-api, hosted-payment-page, refunds, go-live}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..objects import GatewayRefund, GatewayRefundStatus, GatewayStatus, RefundRequest
from . import reading
from .fl import FlContract


class EuContract(FlContract):
    name = "eu"
    api_url = "https://api.flowlix.eu"
    requests_per_minute = 100
    ends_unpaid_payments = False
    partial_refunds = False
    keeps_failed_answers = True
    refund_window_days = None
    max_refund_reason_length = None
    max_metadata_value_length = None
    customer_required = True
    # `refunded` is a status of its own here; to us the payment did succeed, and has been returned in full.
    statuses = {
        "pending": GatewayStatus.PENDING,
        "succeeded": GatewayStatus.SUCCEEDED,
        "failed": GatewayStatus.FAILED,
        "refunded": GatewayStatus.SUCCEEDED,
    }
    # docs.flowlix.eu/api-reference/test-mode; no card is published that has expired
    test_cards = {
        "": "4242424242424242",
        "generic_decline": "4000000000000002",
        "insufficient_funds": "4000000000009995",
    }
    # The guide says `hpp_url`, the reference `redirect_url`.
    hosted_page_names = ("hpp_url", "redirect_url")

    def refund_body(self, request: RefundRequest) -> dict[str, Any] | None:
        return None

    def read_refunds(
        self, payment: Mapping[str, Any], *, amount_minor: int, currency: str, word: str
    ) -> tuple[GatewayRefund, ...]:
        """Return the one refund that a payment may have: here it is no object, but a word and a time."""
        if word != "refunded":
            return ()
        refund = GatewayRefund(
            id="",
            amount_minor=amount_minor,
            currency=currency,
            status=GatewayRefundStatus.SUCCEEDED,
            gateway_status=word,
            created_at=reading.optional_int(payment, "refunded_at"),
        )
        return (refund,)
