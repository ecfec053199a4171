"""The only code that changes money state, and the public API for merchants."""

from __future__ import annotations

from .erasure import Erasure, erase_personal_data
from .payment_request import PaymentRequest
from .payments import start_payment, sync_payment
from .refunds import refund_payment

__all__ = ["Erasure", "PaymentRequest", "erase_personal_data", "refund_payment", "start_payment", "sync_payment"]
