"""What has happened, written straight into the tables: calls, and what payments and refunds came to."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from django_flowlix.models import ApiCall, Payment, Refund, StatusChange

_numbers = count(1)


def calls(number: int, at: datetime, **changes: Any) -> None:
    """So many calls at one moment: answered with 200 after 120 ms, in test mode, unless told otherwise."""
    values: dict[str, Any] = {
        "account": "default",
        "livemode": False,
        "api_key_fingerprint": "0123456789abcdef",
        "operation": "retrieve",
        "method": "GET",
        "path": "/v1/payments",
        "try_number": 1,
        "http_status": 200,
        "request_id": "req_1",
        "outcome": "ok",
        "duration_ms": 120,
        "created_at": at,
    }
    ApiCall.objects.bulk_create(ApiCall(**values | changes) for _ in range(number))


def time_goes_on(at: datetime) -> None:
    """One call of somebody else, later: what was before it can be closed."""
    calls(1, at, account="elsewhere")


def payments(number: int, status: str, at: datetime, **changes: Any) -> list[Payment]:
    """So many payments of 10.00 EUR that came from `pending` to a status at one moment."""
    return [_payment(status, at, changes) for _ in range(number)]


def _payment(status: str, at: datetime, changes: dict[str, Any]) -> Payment:
    n = next(_numbers)
    values: dict[str, Any] = {
        "account": "default",
        "contract": "eu",
        "livemode": False,
        "order_reference": f"happened-{n}",
        "attempt": 1,
        "amount_minor": 1000,
        "currency": "EUR",
        "exponent": 2,
        "idempotency_key": f"happened-{n}",
        "return_token": f"happened-{n}",
        "gateway_id": f"pay_happened_{n}",
        "status": status,
        "first_sent_at": at,
        "created_at": at,
        "updated_at": at,
    }
    payment = Payment.objects.create(**values | changes)
    change(payment, "pending", status, at)
    return payment


def change(payment: Payment, before: str, after: str, at: datetime, refund: Refund | None = None, **more: Any) -> None:
    StatusChange.objects.create(
        payment=payment, refund=refund, from_status=before, to_status=after, source="sync", created_at=at, **more
    )


def refund(payment: Payment, status: str, at: datetime, amount_minor: int = 400) -> Refund:
    """One refund of a payment that came from `pending` to a status."""
    n = next(_numbers)
    row = Refund.objects.create(
        payment=payment,
        account=payment.account,
        sequence=n,
        amount_minor=amount_minor,
        currency=payment.currency,
        exponent=payment.exponent,
        source="admin",
        status=status,
        idempotency_key=f"happened-refund-{n}",
        gateway_id=f"re_happened_{n}",
        created_at=at,
    )
    change(payment, "pending", status, at, refund=row)
    return row
