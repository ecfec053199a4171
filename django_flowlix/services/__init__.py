"""The only code that changes money state, and the public API for merchants."""

from __future__ import annotations

from .payment_request import PaymentRequest
from .payments import start_payment, sync_payment

__all__ = ["PaymentRequest", "start_payment", "sync_payment"]
