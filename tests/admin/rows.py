"""Rows for the lists, as the services would have left them, without a gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django_flowlix.models import ApiCall, Payment, Refund

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def _payment(number: int, order: str, changes: dict[str, Any]) -> Payment:
    values: dict[str, Any] = {
        "account": "default",
        "contract": "eu",
        "livemode": False,
        "order_reference": order,
        "attempt": number,
        "amount_minor": 4999,
        "currency": "EUR",
        "exponent": 2,
        "idempotency_key": f"key-{number}",
        "return_token": f"token-{number}",
        "gateway_id": f"pay_{number}",
        "request_id": f"req_pay_{number}",
        "status": "succeeded",
        "card_brand": "visa",
        "card_last4": "4242",
        "created_at": NOON,
    }
    return Payment(**values | changes)


def a_payment(order: str = "1001", **changes: Any) -> Payment:
    """A paid payment of 49.99 EUR in test mode, made at noon."""
    payment = _payment(Payment.objects.count() + 1, order, changes)
    payment.save()
    return payment


def many_payments(count: int, **changes: Any) -> None:
    """So many payments, a minute apart, the first the newest: orders m0, m1 …"""
    Payment.objects.bulk_create(
        _payment(number + 1000, f"m{number}", {"created_at": NOON - timedelta(minutes=number)} | changes)
        for number in range(count)
    )


def a_refund(payment: Payment, **changes: Any) -> Refund:
    number = Refund.objects.count() + 1
    values: dict[str, Any] = {
        "payment": payment,
        "account": payment.account,
        "sequence": number,
        "amount_minor": 1250,
        "currency": "EUR",
        "exponent": 2,
        "reason": "sent back",
        "source": "admin",
        "requested_by_name": "anna",
        "status": "succeeded",
        "idempotency_key": f"refund-key-{number}",
        "submission_token": f"secret-form-{number}",
        "request_body": '{"secret": "body"}',
        "gateway_id": f"re_{number}",
        "request_id": f"req_refund_{number}",
        "created_at": NOON,
    }
    return Refund.objects.create(**values | changes)


def a_call(payment: Payment | None, request_id: str, refund: Refund | None = None) -> ApiCall:
    return ApiCall.objects.create(
        account="default",
        livemode=False,
        payment=payment,
        refund=refund,
        operation="retrieve",
        method="GET",
        path="/v1/payments",
        try_number=1,
        request_id=request_id,
        outcome="ok",
        duration_ms=12,
        created_at=NOON,
    )
