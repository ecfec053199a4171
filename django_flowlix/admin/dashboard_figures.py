"""The figures of a dashboard: what each is a share of, and how it is written; none is judged on few events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..api.declines import decline_for
from ..services.monitoring.call_result import CallResult
from ..services.monitoring.counts import DECIDED
from ..services.monitoring.latency import percentile_seconds
from ..services.monitoring.statistics import MINIMUM_SAMPLE, Rate, Statistics
from ..statuses import PaymentStatus, RefundStatus
from .card_brands import brand_name
from .dashboard_texts import NOTHING, count_text, money_text, seconds_text, share_text

ENDED_OTHERWISE = (PaymentStatus.CANCELED, PaymentStatus.EXPIRED, PaymentStatus.REJECTED)
"""Canceled, expired or never started: no bank has decided anything."""
NO_ANSWER = (CallResult.NO_ANSWER, CallResult.NOT_SENT)
MOST_LINES = 10
TAIL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One headline: `value` is large, `details` stand below it; `rule` is that of the alerts about it."""

    name: str
    value: str
    details: list[str]
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One line of a table of shares; `bar` is the length of its bar of 100, `is_few` when it is not judged."""

    name: str
    part: str
    whole: str
    share: str
    bar: str
    text: str = ""
    is_few: bool = False


@dataclass(frozen=True, slots=True)
class LatencyLine:
    """How long the calls of one operation took."""

    operation: str
    calls: str
    durations: list[str]
    is_few: bool


def decline_rate_of(outcomes: Counter[str]) -> Rate:
    """Return the decline rate of counted outcomes: counting a period's rows once is enough."""
    return Rate(outcomes[PaymentStatus.FAILED], sum(outcomes[status] for status in DECIDED))


def durations_of(statistics: Statistics) -> Counter[int]:
    """Return the calls that were sent by class of duration."""
    durations: Counter[int] = Counter()
    for call in statistics.calls:
        if call.result != CallResult.NOT_SENT:
            durations[call.duration_class] += call.number
    return durations


def headlines(statistics: Statistics) -> list[Figure]:
    """Return the figures of the whole period, the money first."""
    return [*_of_payments(statistics), *_of_calls(statistics)]


def _of_payments(statistics: Statistics) -> Iterable[Figure]:
    outcomes, refunds = statistics.outcomes, statistics.refund_outcomes
    paid = outcomes[PaymentStatus.SUCCEEDED]
    yield Figure(name=_("Paid"), value=count_text(paid), details=[*map(money_text, statistics.paid)])
    yield _decline_rate(decline_rate_of(outcomes))
    given_up = [(status, outcomes[status]) for status in ENDED_OTHERWISE if outcomes[status]]
    details = [f"{count_text(number)} {status.label}" for status, number in given_up]
    yield Figure(name=_("Ended otherwise"), value=count_text(sum(number for _s, number in given_up)), details=details)
    given_back = refunds[RefundStatus.SUCCEEDED]
    failed = refunds[RefundStatus.FAILED]
    details = [*map(money_text, statistics.refunded)]
    details += [_("%(count)s failed") % {"count": count_text(failed)}] if failed else []
    yield Figure(name=_("Refunds"), value=count_text(given_back), details=details)


def _decline_rate(rate: Rate) -> Figure:
    name, rule = _("Decline rate"), "decline_rate"
    if not rate.whole:
        return Figure(name=name, value=NOTHING, details=[_("no payment was decided")], rule=rule)
    of = _("%(part)s of %(whole)s decided") % {"part": count_text(rate.part), "whole": count_text(rate.whole)}
    if rate.is_judged:
        return Figure(name=name, value=share_text(rate), details=[of], rule=rule)
    return Figure(name=name, value=NOTHING, details=[of, _("too few to judge")], rule=rule)


def _of_calls(statistics: Statistics) -> Iterable[Figure]:
    results = statistics.results
    calls = sum(results.values())
    errors = Rate(results[CallResult.SERVER_ERROR], calls)
    yield _calls_figure(_("Server errors (5xx)"), errors, "server_errors")
    yield _calls_figure(_("No answer"), Rate(sum(results[result] for result in NO_ANSWER), calls), "no_answers")
    limited = results[CallResult.RATE_LIMITED]
    details = [_("of %(whole)s calls") % {"whole": count_text(calls)}] if calls else [_("no calls")]
    yield Figure(name=_("Rate limited (429)"), value=count_text(limited), details=details, rule="rate_limited")
    yield _latency(durations_of(statistics))


def _calls_figure(name: str, rate: Rate, rule: str) -> Figure:
    if not rate.whole:
        return Figure(name=name, value=NOTHING, details=[_("no calls")], rule=rule)
    facts = {"part": count_text(rate.part), "whole": count_text(rate.whole)}
    details = [_("%(part)s of %(whole)s calls") % facts]
    if not rate.is_judged:
        return Figure(name=name, value=count_text(rate.part), details=[*details, _("too few for a share")], rule=rule)
    return Figure(name=name, value=share_text(rate), details=details, rule=rule)


def _latency(durations: Counter[int]) -> Figure:
    tail, middle = percentile_seconds(durations, TAIL), percentile_seconds(durations, 0.5)
    if tail is None or middle is None:
        return Figure(name=_("Latency p95"), value=NOTHING, details=[_("no calls")], rule="latency")
    calls = durations.total()
    details = [_("half of the calls within %(duration)s") % {"duration": seconds_text(middle)}]
    if calls < MINIMUM_SAMPLE:
        words = ngettext("only %(count)s call", "only %(count)s calls", calls)
        details += [words % {"count": count_text(calls)}]
    return Figure(name=_("Latency p95"), value=seconds_text(tail), details=details, rule="latency")


def decline_reasons(statistics: Statistics) -> list[ShareLine]:
    """Return why payments were declined, the most frequent first: share of the declined ones, and advice to staff."""
    codes = statistics.decline_codes
    declined = sum(codes.values())
    return [
        _share_line(code or _("no code"), Rate(number, declined, minimum=0), _(decline_for(code).staff_text))
        for code, number in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    ]


def decline_rates(statistics: Statistics, fact: str) -> tuple[list[ShareLine], int]:
    """Return the decline rates by `card_brand` or `card_country`, and how many lines are left out."""
    rates = [*statistics.decline_rates_by(fact).items()]
    lines = [_share_line(_named(fact, name), rate) for name, rate in rates[:MOST_LINES]]
    return lines, len(rates) - len(lines)


def latencies(statistics: Statistics) -> list[LatencyLine]:
    """Return p50, p95 and p99 by operation, the most used first."""
    durations: dict[str, Counter[int]] = {}
    for call in statistics.calls:
        if call.result != CallResult.NOT_SENT:
            durations.setdefault(call.operation, Counter())[call.duration_class] += call.number
    lines = [_latency_line(operation, numbers) for operation, numbers in durations.items()]
    return [line for _calls, line in sorted(lines, key=lambda item: (-item[0], item[1].operation))]


def _latency_line(operation: str, numbers: Counter[int]) -> tuple[int, LatencyLine]:
    calls = numbers.total()
    shares = [percentile_seconds(numbers, share) for share in (0.5, TAIL, 0.99)]
    written = [seconds_text(seconds) for seconds in shares if seconds is not None]
    return calls, LatencyLine(operation, count_text(calls), written, calls < MINIMUM_SAMPLE)


def _named(fact: str, name: str) -> str:
    if not name:
        return _("not known")
    return brand_name(name) if fact == "card_brand" else name


def _share_line(name: str, rate: Rate, text: str = "") -> ShareLine:
    value = rate.value or 0.0
    return ShareLine(
        name=name,
        part=count_text(rate.part),
        whole=count_text(rate.whole),
        share=share_text(rate) if rate.is_judged else _("too few"),
        bar=f"{value * 100:.1f}",
        text=text,
        is_few=not rate.is_judged,
    )
