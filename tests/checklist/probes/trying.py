"""What the tests of trials share: the lines, a run of them, and what a call may come to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django_flowlix.api import GatewayStatus
from django_flowlix.api.objects import GatewayPayment
from django_flowlix.checklist import Context
from django_flowlix.checklist.report import Report
from django_flowlix.checklist.running import run
from django_flowlix.checklist.trials.calls import Came
from django_flowlix.conf import account
from tests.checklist.looking import item

LINES = ("outcomes-exercised", "idempotency-exercised", "errors-exercised", "hosted-cycle-exercised")
LIVE_KEY = "_".join(["fl", "live", "sk", "t" * 24])


def try_all(**told: Any) -> Report:
    context = Context(account=account(), now=datetime.now(UTC), stages=frozenset({"static", "scenarios"}), **told)
    return run(context, [item(line) for line in LINES])


def came(payment_id: str = "pay_1", status: str = "pending", **changes: Any) -> Came:
    values = {"id": payment_id, "amount_minor": 100, "currency": "EUR", "livemode": False, "request_id": "req_1"}
    return Came(
        GatewayPayment(**values | {"status": GatewayStatus(status), "gateway_status": status} | changes)  # type: ignore[arg-type]
    )
