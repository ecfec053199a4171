"""Accounts as a test wants them, and rows as the services would have left them, without a gateway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django_flowlix.models import Payment, Refund
from tests.services.monitoring import happened

LIVE_KEY = "_".join(["fl", "live", "sk", "x" * 24])
LIVE = {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}


def configured(settings: Any, **changes: Any) -> None:
    """Change the account's settings."""
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | changes}


def live(settings: Any, **changes: Any) -> None:
    """Give the account a live key; nothing is ever sent with it."""
    settings.FLOWLIX = {"default": LIVE | changes}


def ago(**age: float) -> datetime:
    return datetime.now(UTC) - timedelta(**age)


def a_payment(status: str = "succeeded", **changes: Any) -> Payment:
    """A payment over 10.00 EUR that came to its status an hour ago."""
    (payment,) = happened.payments(1, status, ago(hours=1), **{"request_id": "req_1"} | changes)
    return payment


def a_refund(payment: Payment, status: str = "succeeded") -> Refund:
    """A refund of all of it."""
    Payment.objects.filter(pk=payment.pk).update(amount_refunded_minor=payment.amount_minor)
    return happened.refund(payment, status, ago(minutes=50), amount_minor=payment.amount_minor)


def a_call(at: datetime | None = None, **changes: Any) -> None:
    """A call that was answered with 200, an hour ago unless told otherwise."""
    happened.calls(1, at or ago(hours=1), **changes)


def a_create(payment: Payment, at: datetime | None = None, **changes: Any) -> None:
    """A create of a payment under its own key."""
    facts = {"operation": "create_hosted", "method": "POST", "idempotency_key": payment.idempotency_key}
    a_call(at, payment=payment, **facts | changes)
