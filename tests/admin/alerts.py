"""Alerts as the monitor would have left them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django_flowlix.models import Alert, AlertDelivery, MonitorRun
from tests.admin.rows import NOON


def an_alert(rule: str = "decline_rate", **changes: Any) -> Alert:
    """An open alert in test mode: began at 11:20, opened at 11:30."""
    values: dict[str, Any] = {
        "rule": rule,
        "account": "default",
        "livemode": False,
        "state": "open",
        "value": 0.619,
        "worst_value": 0.7,
        "threshold": 0.5,
        "summary": "39 of 63 decided payments were declined",
        "request_ids": "req_a\nreq_b",
        "began_at": NOON - timedelta(minutes=40),
        "opened_at": NOON - timedelta(minutes=30),
        "judged_at": NOON,
    }
    return Alert.objects.create(**values | changes)


def a_resolved_alert(rule: str = "latency", **changes: Any) -> Alert:
    """An alert that was over after ten minutes."""
    over = {
        "state": "resolved",
        "active": None,
        "resolved_at": NOON - timedelta(minutes=20),
        "resolution": "good again for 10 minutes",
    }
    return an_alert(rule, **{"value": 1.5, "worst_value": 6.25, "threshold": 5.0} | over | changes)


def a_delivery(alert: Alert, target: str = "mail", **changes: Any) -> AlertDelivery:
    """A delivery that failed three times."""
    values: dict[str, Any] = {
        "alert": alert,
        "event": "opened",
        "target": target,
        "deliver_at": NOON + timedelta(minutes=5),
        "attempts": 3,
        "last_error": "SMTPServerDisconnected: <b>closed</b>",
    }
    return AlertDelivery.objects.create(**values | changes)


def a_complete_run(at: datetime = NOON, account: str = "default", livemode: bool = False) -> MonitorRun:
    """The monitor has judged every rule of an account."""
    return MonitorRun.objects.create(account=account, livemode=livemode, completed_at=at)
