"""Rows, constraints and named filters. Nothing here changes money state; `django_flowlix.services` does."""

from __future__ import annotations

from .alert import Alert, AlertDelivery, MonitorRun
from .api_call import ApiCall
from .payment import Payment
from .refund import Refund
from .status_change import StatusChange
from .tally import CallTally, ChangeTally, TalliedHour

__all__ = [
    "Alert",
    "AlertDelivery",
    "ApiCall",
    "CallTally",
    "ChangeTally",
    "MonitorRun",
    "Payment",
    "Refund",
    "StatusChange",
    "TalliedHour",
]
