"""Rows, constraints and named filters. Nothing here changes money state; `django_flowlix.services` does."""

from __future__ import annotations

from .alert import Alert, AlertDelivery, MonitorRun
from .api_call import ApiCall
from .background_work import CommandRun
from .checklist import ChecklistResult, ChecklistRun, ChecklistSignoff
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
    "ChecklistResult",
    "ChecklistRun",
    "ChecklistSignoff",
    "CommandRun",
    "MonitorRun",
    "Payment",
    "Refund",
    "StatusChange",
    "TalliedHour",
]
