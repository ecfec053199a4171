"""The payment object: the fields that `eu` and `dev` have in common.

Source: docs.flowlix.eu/api-reference/payments/*, docs.flowlix.dev/api-reference/payments/*
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..payments import Payment


def payment_object(payment: Payment, redirect_url: str | None) -> dict[str, Any]:
    return {
        "id": payment.id,
        "object": "payment",
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "status": payment.status,
        "description": payment.description,
        "card": asdict(payment.card) if payment.card else None,
        "customer": _customer(payment),
        "metadata": dict(payment.metadata),
        "decline_code": payment.decline_code,
        "decline_message": payment.decline_message,
        "redirect_url": redirect_url,
        "refunded_at": payment.refunded_at,
        "succeeded_at": payment.succeeded_at,
        "failed_at": payment.failed_at,
        "created": payment.created,
        "livemode": payment.livemode,
    }


def _customer(payment: Payment) -> dict[str, str] | None:
    if payment.customer is None:
        return None
    return {"email": payment.customer["email"], "name": payment.customer_name}
