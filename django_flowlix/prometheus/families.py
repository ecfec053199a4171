"""The metrics: names, what they mean, labels. Names and units follow Prometheus' own practice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from ..services.monitoring.queues import MOST_COUNTED

Labels = tuple[str, ...]
Kind = type[CounterMetricFamily] | type[GaugeMetricFamily]
_WHOSE = ("account", "mode")
_AMOUNT = (*_WHOSE, "currency", "exponent")


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with one number per set of labels."""

    kind: Kind
    name: str
    help: str
    labels: Labels = ()

    def of(self, numbers: Iterable[tuple[Labels, float]] = ()) -> CounterMetricFamily | GaugeMetricFamily:
        """Return the metric with a sample per (labels, number), in the order of the labels."""
        metric = self.kind(self.name, self.help, labels=self.labels)
        for labels, number in sorted(numbers):
            metric.add_metric(labels, number)
        return metric


@dataclass(frozen=True, slots=True)
class HistogramFamily:
    """A metric with a number per bucket. Without `_sum`, and thus without `_count`: classes are kept, not durations."""

    name: str
    help: str
    labels: Labels

    def of(self, buckets: Iterable[tuple[Labels, Sequence[tuple[str, float]]]] = ()) -> HistogramMetricFamily:
        """Return the metric with buckets, cumulative, per labels."""
        metric = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, up_to in sorted(buckets):
            metric.add_metric(labels, up_to, sum_value=None)
        return metric


def _counter(name: str, explained: str, *labels: str) -> Family:
    return Family(CounterMetricFamily, f"flowlix_{name}", explained, labels)


def _gauge(name: str, explained: str, *labels: str) -> Family:
    return Family(GaugeMetricFamily, f"flowlix_{name}", explained, labels)


CALLS = _counter(
    "calls_total", "HTTP tries of calls to the gateway, by what became of them.", *_WHOSE, "operation", "result"
)
DURATIONS = HistogramFamily(
    "flowlix_call_duration_seconds",
    "Duration of the HTTP tries that were sent to the gateway.",
    (*_WHOSE, "operation"),
)
PAYMENTS = _counter("payments_total", "Payments that came to a status.", *_WHOSE, "status")
REFUNDS = _counter("refunds_total", "Refunds that came to a status.", *_WHOSE, "status")
DECLINES = _counter(
    "declines_total", "Declined payments by decline code and card brand.", *_WHOSE, "decline_code", "card_brand"
)
PAID = _counter("paid_minor_total", "What was paid, in minor units of the currency.", *_AMOUNT)
REFUNDED = _counter("refunded_minor_total", "What was given back, in minor units of the currency.", *_AMOUNT)

QUEUE_SIZE = _gauge(
    "queue_size",
    f"Payments, refunds or notifications that wait in a work queue; {MOST_COUNTED + 1} for more than {MOST_COUNTED}.",
    "queue",
    "mode",
)
QUEUE_AGE = _gauge(
    "queue_oldest_age_seconds",
    "For how long the oldest in a work queue has waited, 0 in an empty one.",
    "queue",
    "mode",
)
OPEN_ALERTS = _gauge("alerts_open", "1 while flowlix_monitor has an alert open.", "rule", *_WHOSE)
FAILING_DELIVERIES = _gauge("alert_deliveries_failing", "Messages about alerts that could not be delivered yet.")
REMAINING = _gauge(
    "rate_limit_remaining", "Requests that the gateway last said are left, within the last minute.", "account"
)
TALLIED_UNTIL = _gauge("tallied_until_timestamp_seconds", "End of the last hour that flowlix_monitor has closed.")
MONITOR_COMPLETED = _gauge(
    "monitor_completed_timestamp_seconds", "When flowlix_monitor last judged every rule, 0 if it never has.", *_WHOSE
)
SCRAPE_SECONDS = _gauge("scrape_duration_seconds", "How long reading the database for this scrape took.")
SCRAPE_SUCCESS = _gauge("scrape_success", "0 if metrics are missing: the shop's log says why.")

FAMILIES: tuple[Family | HistogramFamily, ...] = (
    CALLS,
    DURATIONS,
    PAYMENTS,
    REFUNDS,
    DECLINES,
    PAID,
    REFUNDED,
    QUEUE_SIZE,
    QUEUE_AGE,
    OPEN_ALERTS,
    FAILING_DELIVERIES,
    REMAINING,
    MONITOR_COMPLETED,
    TALLIED_UNTIL,
    SCRAPE_SECONDS,
    SCRAPE_SUCCESS,
)
