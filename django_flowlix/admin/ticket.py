"""What the gateway's support needs to find a payment: ids, keys and times, nothing about the customer.

In English whatever the staff's language is, with the gateway's own words, because it is written for the gateway.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..models import ApiCall, Payment, Refund
from .records import Records


def ticket_text(records: Records) -> str:
    """Return the text for a ticket, times in UTC. No query: everything was read before."""
    numbers = {refund.pk: refund.sequence for refund in records.refunds}
    lines = [*_of_payment(records.payment), "", "Requests (UTC):"]
    lines += [_of_call(call, numbers.get(call.refund_id or 0)) for call in records.calls] or ["none"]
    if records.refunds:
        lines += ["", "Refunds:", *map(_of_refund, records.refunds)]
    return "\n".join(lines)


def _of_payment(payment: Payment) -> Iterator[str]:
    yield f"Mode: {'live' if payment.livemode else 'test'}"
    yield f"Account: {payment.account}"
    yield f"Contract: {payment.contract}"
    yield f"Payment: {payment.gateway_id or 'unknown'}"
    yield f"Status: {payment.status} (gateway: {payment.gateway_status or 'unknown'})"
    yield f"Amount: {payment.amount}"
    yield f"Refunded: {payment.amount_refunded}"
    yield f"Created: {_utc(payment.created_at)}"
    yield f"Idempotency key: {payment.idempotency_key}"


def _of_call(call: ApiCall, refund_number: int | None) -> str:
    answer = f"HTTP {call.http_status}" if call.http_status else call.outcome
    about = f"{call.operation} {refund_number}" if refund_number else call.operation
    error = "/".join(filter(None, (call.error_type, call.error_code, call.decline_code)))
    words = [_utc(call.created_at), about, answer, error, f"request id {call.request_id or 'none'}"]
    return "  ".join(filter(None, [*words, f"try {call.try_number}"]))


def _of_refund(refund: Refund) -> str:
    words = [f"{refund.sequence}: {refund.gateway_id or 'id unknown'}", str(refund.amount), refund.status]
    words += [_utc(refund.created_at), f"idempotency key {refund.idempotency_key or 'none'}"]
    return "  ".join(words)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
