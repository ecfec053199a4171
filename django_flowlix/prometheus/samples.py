"""How totals and the present become samples. Pure.

What has not happened yet is shown as 0 where it can be named: a series that begins with its first event hides that
event from `increase()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client.metrics_core import Metric

from ..conf import Account
from ..models import Payment, Refund, StatusChange
from ..services.monitoring.call_result import CallResult
from ..services.monitoring.latency import DURATION_BOUNDS_MS
from ..services.monitoring.present import Present
from ..services.monitoring.queues import Queue
from ..services.monitoring.totals import Totals
from ..statuses import PaymentStatus, RefundStatus
from . import families
from .families import Labels

_WAITING = {Payment: "payment", Refund: "refund", StatusChange: "notification"}
# Nothing ever comes to `created`: it begins there.
_OUTCOMES = [
    (of_refunds, word.value)
    for of_refunds, words in ((False, PaymentStatus), (True, RefundStatus))
    for word in words
    if word.value != PaymentStatus.CREATED
]
# Seconds; the last class has no bound.
_BUCKETS = [*(str(bound / 1000) for bound in DURATION_BOUNDS_MS), "+Inf"]


def of_totals(totals: Totals, accounts: Mapping[str, Account]) -> Iterable[Metric]:
    """Yield the counters and the histogram."""
    yield families.CALLS.of(_calls(totals).items())
    yield families.DURATIONS.of(_durations(totals))
    outcomes = _outcomes(totals, accounts)
    yield families.PAYMENTS.of((labels, number) for (of_refunds, labels), number in outcomes.items() if not of_refunds)
    yield families.REFUNDS.of((labels, number) for (of_refunds, labels), number in outcomes.items() if of_refunds)
    yield families.DECLINES.of(
        ((account, _mode(livemode), code, brand), number)
        for (account, livemode, code, brand), number in totals.declines.items()
    )
    yield families.PAID.of(_amounts(totals, of_refunds=False))
    yield families.REFUNDED.of(_amounts(totals, of_refunds=True))


def of_present(present: Present, accounts: Mapping[str, Account]) -> Iterable[Metric]:
    """Yield the gauges."""
    waiting = [((_name(queue), _mode(livemode)), waits) for (queue, livemode), waits in present.waiting.items()]
    yield families.QUEUE_SIZE.of((labels, waits.number) for labels, waits in waiting)
    yield families.QUEUE_AGE.of((labels, _age_seconds(waits.since, present.at)) for labels, waits in waiting)
    watched = {(rule, account.alias, account.livemode) for account in accounts.values() for rule in account.alert_rules}
    yield families.OPEN_ALERTS.of(
        ((rule, account, _mode(livemode)), (rule, account, livemode) in present.open_alerts)
        for rule, account, livemode in watched | present.open_alerts
    )
    yield families.FAILING_DELIVERIES.of([((), present.failing_deliveries)])
    yield families.REMAINING.of(((account,), number) for account, number in present.remaining_requests.items())
    never = dict.fromkeys(((account.alias, account.livemode) for account in accounts.values()), 0.0)
    judged = never | {whose: at.timestamp() for whose, at in present.judged_at.items()}
    yield families.MONITOR_COMPLETED.of(
        ((account, _mode(livemode)), seconds) for (account, livemode), seconds in judged.items()
    )
    closed_until = present.tallied_until
    yield families.TALLIED_UNTIL.of([] if closed_until is None else [((), closed_until.timestamp())])


def of_scrape(*, seconds: float, is_success: bool) -> Iterable[Metric]:
    yield families.SCRAPE_SECONDS.of([((), seconds)])
    yield families.SCRAPE_SUCCESS.of([((), is_success)])


def _calls(totals: Totals) -> Counter[Labels]:
    numbers: Counter[Labels] = Counter()
    for (account, livemode, operation, result, _), number in totals.calls.items():
        numbers.update({(account, _mode(livemode), operation, each.value): 0 for each in CallResult})
        numbers[account, _mode(livemode), operation, result] += number
    return numbers


def _durations(totals: Totals) -> Iterable[tuple[Labels, list[tuple[str, float]]]]:
    by_labels: dict[Labels, list[int]] = {}
    for (account, livemode, operation, result, duration_class), number in totals.calls.items():
        if result != CallResult.NOT_SENT:
            classes = by_labels.setdefault((account, _mode(livemode), operation), [0] * len(_BUCKETS))
            classes[duration_class] += number
    for labels, classes in by_labels.items():
        yield labels, [(bucket, sum(classes[: place + 1])) for place, bucket in enumerate(_BUCKETS)]


def _outcomes(totals: Totals, accounts: Mapping[str, Account]) -> Counter[tuple[bool, Labels]]:
    whose = {(account, livemode) for account, livemode, *_ in totals.outcomes}
    whose |= {(account.alias, account.livemode) for account in accounts.values()}
    numbers: Counter[tuple[bool, Labels]] = Counter()
    for account, livemode in whose:
        numbers.update({(of_refunds, (account, _mode(livemode), word)): 0 for of_refunds, word in _OUTCOMES})
    for (account, livemode, of_refunds, status), number in totals.outcomes.items():
        numbers[of_refunds, (account, _mode(livemode), status)] += number
    return numbers


def _amounts(totals: Totals, *, of_refunds: bool) -> Iterable[tuple[Labels, float]]:
    for (account, livemode, is_refund, currency, exponent), minor in totals.amounts_minor.items():
        if is_refund is of_refunds:
            yield (account, _mode(livemode), currency, str(exponent)), minor


def _mode(livemode: bool) -> str:
    return "live" if livemode else "test"


def _name(queue: Queue) -> str:
    return f"{_WAITING[queue.model]}_{queue.name}"


def _age_seconds(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
