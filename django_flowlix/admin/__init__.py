"""What support staff see: read-only, because only the services change money state."""

from __future__ import annotations

from .payment import PaymentAdmin

__all__ = ["PaymentAdmin"]
