"""Sample request ids for an alert: what the gateway's support asks for first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from ...conf.alert_rules import AlertRule
from ...models import ApiCall, StatusChange
from ...statuses import PaymentStatus
from .call_result import RESULT, CallResult
from .latency import DURATION_BOUNDS_MS
from .queues import Queue
from .readings import Readings

MOST_SAMPLES = 5

Evidence = Callable[[Readings, AlertRule], list[str]]


def of_calls(*results: CallResult) -> Evidence:
    """Return the latest calls with one of these results."""
    names = [result.value for result in results]
    return lambda readings, rule: _latest(_calls(readings, rule).annotate(result=RESULT).filter(result__in=names))


def of_slow_calls(readings: Readings, rule: AlertRule) -> list[str]:
    slow_ms = max(bound for bound in (0, *DURATION_BOUNDS_MS) if bound <= rule.spike_floor * 1000)
    return _latest(_calls(readings, rule).filter(duration_ms__gt=slow_ms))


def of_declines(readings: Readings, rule: AlertRule) -> list[str]:
    changes = StatusChange.objects.filter(
        readings.scope.filters("payment__"),
        created_at__gte=readings.now - timedelta(minutes=rule.window_minutes),
        to_status=PaymentStatus.FAILED,
        refund__isnull=True,
    )
    return _latest(changes)


def of_queues(*queues: Queue) -> Evidence:
    """Return the request ids of what waits longest."""

    def found(readings: Readings, rule: AlertRule) -> list[str]:
        ids: list[str] = []
        for queue in queues:
            rows = queue.rows().filter(readings.scope.filters(queue.payment)).order_by(*queue.order)
            ids += rows.values_list("request_id", flat=True)[:MOST_SAMPLES]
        return _distinct(ids)

    return found


def _calls(readings: Readings, rule: AlertRule) -> Any:
    since = readings.now - timedelta(minutes=rule.window_minutes)
    return ApiCall.objects.filter(readings.scope.filters(), created_at__gte=since)


def _latest(rows: Any) -> list[str]:
    ids = rows.exclude(request_id="").order_by("-created_at").values_list("request_id", flat=True)
    return _distinct(ids[:MOST_SAMPLES])


def _distinct(ids: Iterable[str]) -> list[str]:
    return [found for found in dict.fromkeys(ids) if found][:MOST_SAMPLES]
