"""A morning of calls and payments, and the samples that a collector makes of what has happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django_flowlix.prometheus import FlowlixCollector
from tests.services.monitoring.happened import calls, payments, refund

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(collector: FlowlixCollector) -> Samples:
    """Return the samples by name and the values of their labels, in the order in which labels are documented."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }


def of(found: Samples, name: str) -> dict[tuple[str, ...], float]:
    """Return one metric's samples that are not 0."""
    return {labels: value for (of_name, labels), value in found.items() if of_name == name and value}


def a_morning() -> None:
    at = NOON - timedelta(minutes=30)
    calls(3, at, duration_ms=50)
    calls(2, at, duration_ms=51)
    calls(1, at, duration_ms=40_000, http_status=None, outcome="unknown")
    calls(1, at, duration_ms=3, http_status=None, outcome="not_sent")
    calls(4, at, duration_ms=700, operation="create_hosted", http_status=429, outcome="error", livemode=True)
    payments(2, "succeeded", at, amount_minor=1050)
    payments(1, "succeeded", at, currency="JPY", exponent=0, amount_minor=500)
    payments(3, "failed", at, decline_code="expired_card", card_brand="visa")
    payments(1, "failed", at, account="second", livemode=True)
    (paid,) = payments(1, "succeeded", at)
    refund(paid, "succeeded", at, amount_minor=300)
