"""What is the case now, in both modes and for all accounts: what waits, which alerts are open, what is left to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import CharField, QuerySet, Value

from ...conf import Account
from ...models import Alert, AlertDelivery, ApiCall, MonitorRun
from ...models.unions import first
from .counts import Scope, tallied_until
from .queues import ALL_QUEUES, Queue, Waiting, waiting

LIMIT_WINDOW = timedelta(minutes=1)
"""The gateway counts requests by the minute: what it said earlier says nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What is the case at `at`.

    `waiting` by queue and whether live; `open_alerts` are (rule, account, whether live); `remaining_requests` by
    account, without those that the gateway has told nothing in the last minute. `judged_at` by account and whether
    live: when flowlix_monitor last judged every rule, without those it never has. `tallied_until` is the end of the
    last closed hour, None when none is.
    """

    at: datetime
    waiting: Mapping[tuple[Queue, bool], Waiting]
    open_alerts: frozenset[tuple[str, str, bool]]
    failing_deliveries: int
    remaining_requests: Mapping[str, int]
    judged_at: Mapping[tuple[str, bool], datetime]
    tallied_until: datetime | None


def read_present(accounts: Mapping[str, Account], now: datetime) -> Present:
    """Read it. Seven statements."""
    return Present(
        at=now,
        waiting={
            (queue, livemode): waits
            for livemode in (False, True)
            for queue, waits in waiting(ALL_QUEUES, Scope(livemode=livemode)).items()
        },
        open_alerts=frozenset(Alert.objects.open().values_list("rule", "account", "livemode")),
        failing_deliveries=AlertDelivery.objects.failing().count(),
        remaining_requests=_remaining_requests(accounts, now),
        judged_at={
            (account, livemode): at
            for account, livemode, at in MonitorRun.objects.values_list("account", "livemode", "completed_at")
        },
        tallied_until=tallied_until(),
    )


def _remaining_requests(accounts: Mapping[str, Account], now: datetime) -> dict[str, int]:
    parts = [_last_told(account, now) for account in accounts.values()]
    return dict(parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])


def _last_told(account: Account, now: datetime) -> QuerySet[Any, Any]:
    calls = ApiCall.objects.filter(
        api_key_fingerprint=account.api_key_fingerprint,
        created_at__gt=now - LIMIT_WINDOW,
        rate_limit_remaining__isnull=False,
    )
    last = first(calls.order_by("-created_at", "-pk"), 1)
    named: QuerySet[Any, Any] = last.annotate(alias=Value(account.alias, output_field=CharField()))
    return named.values_list("alias", "rate_limit_remaining")
