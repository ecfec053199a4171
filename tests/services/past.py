"""A shop whose rows have ages: what was left behind by calls, changes and alerts, and how it is pruned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.serializers import serialize

from django_flowlix.conf import account, accounts
from django_flowlix.models import (
    Alert,
    AlertDelivery,
    ApiCall,
    CallTally,
    Payment,
    Refund,
    StatusChange,
    TalliedHour,
)
from django_flowlix.services.retention import Prune, PruneReport
from tests.admin.rows import a_payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

LONG_AGO = "2020-01-01T00:00Z"
AGES = {"calls_days": 30, "changes_days": 60, "alerts_days": 90, "personal_data_days": 120}


@pytest.fixture(autouse=True)
def ages(settings: Any) -> Callable[..., None]:
    """Set the ages of the two accounts."""

    def choose(default: dict[str, Any], second: dict[str, Any] | None = None) -> None:
        never = {"calls_days": None, "alerts_days": None}
        settings.FLOWLIX = {
            "default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "RETENTION": default},
            "second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL, "RETENTION": second or never},
        }

    choose(AGES)
    return choose


@pytest.fixture(autouse=True)
def counted(fake_clock: FakeClock) -> None:
    """All hours up to now are in the tallies, so that a run need not count years of them one by one."""
    TalliedHour.objects.create(hour=(fake_clock.now() - timedelta(hours=1)).replace(minute=0, second=0))


def time_passes(clock: FakeClock, days: int) -> None:
    """Let time pass in which the hours were counted, as monitoring does."""
    clock.advance(days=days)
    for hour in TalliedHour.objects.all():
        TalliedHour.objects.update(hour=hour.hour + timedelta(days=days))


def prune(*, dry_run: bool = False, only: str = "") -> PruneReport:
    return Prune(accounts=[account(only)] if only else list(accounts().values()), dry_run=dry_run).execute()


def ago(clock: FakeClock, days: float) -> datetime:
    return clock.now() - timedelta(days=days)


def a_call(created_at: datetime, payment: Payment | None = None, **changes: Any) -> ApiCall:
    values: dict[str, Any] = {
        "account": "default",
        "livemode": False,
        "payment": payment,
        "operation": "retrieve",
        "method": "GET",
        "path": "/v1/payments",
        "try_number": 1,
        "outcome": "ok",
        "duration_ms": 12,
        "created_at": created_at,
    }
    return ApiCall.objects.create(**values | changes)


def a_change(created_at: datetime, payment: Payment, **changes: Any) -> StatusChange:
    values = {"from_status": "pending", "to_status": "succeeded", "source": "sync"}
    return StatusChange.objects.create(payment=payment, created_at=created_at, **values | changes)


def an_alert(began_at: datetime, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "rule": "decline_rate",
        "account": "default",
        "livemode": True,
        "state": "resolved",
        "active": None,
        "value": 0.1,
        "worst_value": 0.5,
        "threshold": 0.3,
        "summary": "too many",
        "began_at": began_at,
        "resolved_at": began_at + timedelta(hours=1),
    }
    return Alert.objects.create(**values | changes)


def left(model: Any) -> set[int]:
    return set(model.objects.values_list("pk", flat=True))


def keys(*rows: Any) -> set[int]:
    return {row.pk for row in rows}


def everything() -> str:
    rows = [*Payment.objects.all(), *Refund.objects.all(), *StatusChange.objects.all(), *ApiCall.objects.all()]
    others = [*Alert.objects.all(), *AlertDelivery.objects.all(), *TalliedHour.objects.all(), *CallTally.objects.all()]
    return str(serialize("json", rows + others))


@pytest.fixture
def a_shop_with_a_past(fake_clock: FakeClock) -> Payment:
    """A row of each kind on both sides of its age."""
    payment = a_payment("old", created_at=ago(fake_clock, 121), description="for Ada")
    a_payment("new", created_at=ago(fake_clock, 119), description="for Grace")
    for days in (29, 31):
        a_call(ago(fake_clock, days), payment)
        a_call(ago(fake_clock, days), livemode=True)
    for days in (59, 61):
        a_change(ago(fake_clock, days), payment)
    for days in (89, 91):
        AlertDelivery.objects.create(
            alert=an_alert(ago(fake_clock, days)), event="opened", target="mail", deliver_at=None
        )
    return payment
