"""Which columns hold what is personal, what stands there once it is erased, and that nothing is written there again.

Kept are amounts, dates, statuses, ids, keys, request ids, the merchant's own order reference, and the card's brand and
country, which alone point to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..models import Payment, Refund

OF_A_PAYMENT: Mapping[str, Any] = {
    "description": "",
    "metadata": {},
    "request_body": "",
    "decline_message": "",
    "card_last4": "",
    "card_exp_month": None,
    "card_exp_year": None,
    "hosted_page_url": "",
    "success_url": "",
    "failure_url": "",
}
NEEDED_TO_PAY = frozenset({"hosted_page_url", "success_url", "failure_url"})
"""What stays of a payment that was abandoned and may be paid after all: the way to the page and back."""
OF_A_REFUND: Mapping[str, Any] = {"reason": "", "note": "", "decline_message": "", "request_body": ""}


def kept_out(row: Payment | Refund, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may still be written to a row: of one whose personal data are erased, nothing personal.

    An erased payment is looked at for its refunds for months, and every answer of the gateway brings the card again. A
    refund that was asked for after the erasure is new, and is written in full.
    """
    if not _is_erased(row):
        return dict(values)
    personal = OF_A_PAYMENT if isinstance(row, Payment) else OF_A_REFUND
    return {name: value for name, value in values.items() if name not in personal}


def _is_erased(row: Payment | Refund) -> bool:
    payment = row if isinstance(row, Payment) else row.payment
    erased_at = payment.personal_data_erased_at
    return erased_at is not None and (row is payment or row.created_at <= erased_at)
