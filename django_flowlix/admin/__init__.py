"""What support staff see: read-only, because only the services change money state."""

from __future__ import annotations

from .alert import AlertAdmin
from .checklist import ChecklistRunAdmin
from .payment import PaymentAdmin
from .refund_list import RefundAdmin

__all__ = ["AlertAdmin", "ChecklistRunAdmin", "PaymentAdmin", "RefundAdmin"]
