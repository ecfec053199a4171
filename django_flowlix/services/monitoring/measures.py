"""What each rule measures: a figure, how many events it stands on, and how to say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from ...conf.alert_rules import AlertRule
from .call_result import CallResult
from .queues import (
    OVERDUE,
    OVERDUE_REFUNDS,
    REVIEW,
    STUCK,
    STUCK_REFUNDS,
    UNCONFIRMED,
    UNCONFIRMED_REFUNDS,
    UNTOLD,
    UNTOLD_AFTER,
    Queue,
)
from .readings import Readings
from .statistics import Rate, Statistics

TAIL = 0.95
UNCONFIRMED_AFTER = timedelta(minutes=15)
"""A payment may be unconfirmed while a call is under way; this old, no call is."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A rule's figure, None when there is nothing to measure; `sample` is the number of events it stands on.

    `usual` is the shop's own figure of the last seven days, None where there is too little of it. `words` say the
    figure for a person.
    """

    value: float | None
    sample: int
    words: str
    usual: float | None = None


Measuring = Callable[[Readings, AlertRule], Measure]

_USUAL_SAMPLE = 100
"""From so many events on the shop's own figure is one to compare with."""


def share(of: Callable[[Statistics], Rate], words: Callable[[Rate], str]) -> Measuring:
    """Return the measuring of a share of the events in the rule's window."""

    def measure(readings: Readings, rule: AlertRule) -> Measure:
        rate = of(readings.window(rule.window_minutes))
        usual = of(readings.usual) if rule.may_spike else Rate(0, 0)
        known = usual.value if usual.whole >= _USUAL_SAMPLE else None
        return Measure(rate.value, rate.whole, words(rate), known)

    return measure


def declined(rate: Rate) -> str:
    return _("%(part)s of %(whole)s decided payments were declined") % {"part": rate.part, "whole": rate.whole}


def answered_5xx(rate: Rate) -> str:
    return _("%(part)s of %(whole)s calls were answered with 5xx") % {"part": rate.part, "whole": rate.whole}


def unanswered(rate: Rate) -> str:
    return _("%(part)s of %(whole)s calls got no usable answer") % {"part": rate.part, "whole": rate.whole}


def latency(readings: Readings, rule: AlertRule) -> Measure:
    window = readings.window(rule.window_minutes)
    usual = readings.usual if rule.may_spike else None
    value, sample = window.latency_seconds(TAIL), sum(window.operations.values())
    known = usual.latency_seconds(TAIL) if usual and sum(usual.operations.values()) >= _USUAL_SAMPLE else None
    seconds = f"{value:.1f}" if value is not None else "-"
    words = _("95 of 100 calls take up to %(seconds)s s, 5 take longer") % {"seconds": seconds}
    return Measure(value, sample, words, known)


def calls_with(result: CallResult) -> Measuring:
    """Return the measuring of a number of calls in the rule's window."""

    def measure(readings: Readings, rule: AlertRule) -> Measure:
        window = readings.window(rule.window_minutes)
        number, sample = window.calls_with(result), sum(window.results.values())
        words = _("%(number)s of %(sample)s calls: %(result)s")
        return Measure(number, sample, words % {"number": number, "sample": sample, "result": result.label})

    return measure


def unconfirmed(readings: Readings, rule: AlertRule) -> Measure:
    queues = [UNCONFIRMED, UNCONFIRMED_REFUNDS]
    return _queued(readings, queues, _("payments and refunds unconfirmed"), UNCONFIRMED_AFTER)


def stuck(readings: Readings, rule: AlertRule) -> Measure:
    # Where unpaid attempts never end, every customer who left stays for ever: that is nobody's fault.
    queues = [STUCK, STUCK_REFUNDS] if readings.account.contract.ends_unpaid_payments else [STUCK_REFUNDS]
    return _queued(readings, queues, _("payments and refunds not decided for days"))


def needs_review(readings: Readings, rule: AlertRule) -> Measure:
    return _queued(readings, [REVIEW], _("payments that need a person's review"))


def notifications_failing(readings: Readings, rule: AlertRule) -> Measure:
    return _queued(readings, [UNTOLD], _("changes that the shop's own code has not been told of"), UNTOLD_AFTER)


def sync_overdue(readings: Readings, rule: AlertRule) -> Measure:
    return _queued(readings, [OVERDUE, OVERDUE_REFUNDS], _("payments and refunds overdue for flowlix_sync"))


def no_sales(readings: Readings, rule: AlertRule) -> Measure:
    """Measure the sales that are missing: those expected while there is none.

    Where few are expected, their absence says nothing: neither that something is wrong, nor that it is good again.
    """
    sold = readings.window(rule.window_minutes).outcomes["succeeded"]
    expected = readings.expected_sales(rule.window_minutes)
    words = _("payments succeeded: %(sold)s, usual at this time of day: %(expected).0f")
    missing = 0.0 if sold else expected if expected >= rule.threshold else None
    return Measure(missing, sold, words % {"sold": sold, "expected": expected})


def _queued(readings: Readings, queues: list[Queue], of: str, least_age: timedelta = timedelta(0)) -> Measure:
    found = [readings.waiting[queue] for queue in queues]
    oldest = min((waits.since for waits in found if waits.since), default=None)
    number = sum(waits.number for waits in found)
    age = readings.now - oldest if oldest else timedelta(0)
    words = f"{of}: {number}"
    if oldest:
        words = _("%(what)s, the oldest for %(age)s") % {"what": words, "age": in_words(age)}
    return Measure(number if age >= least_age else 0, number, words)


def in_words(age: timedelta) -> str:
    """Return an age in its largest unit: `3 days`, `5 h`, `12 min`."""
    minutes = int(age.total_seconds() // 60)
    if minutes >= 2 * 24 * 60:
        return _("%(number)s days") % {"number": minutes // (24 * 60)}
    if minutes >= 2 * 60:
        return _("%(number)s h") % {"number": minutes // 60}
    return _("%(number)s min") % {"number": minutes}
