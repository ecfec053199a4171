"""Rows, constraints and named filters. Nothing here changes money state; `django_flowlix.services` does."""

from __future__ import annotations

from .api_call import ApiCall
from .payment import Payment
from .refund import Refund
from .status_change import StatusChange

__all__ = ["ApiCall", "Payment", "Refund", "StatusChange"]
