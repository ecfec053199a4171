"""The dashboard's pictures: which figures each shows, in which slices of time, and the same as a table of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..services.monitoring.call_result import CallResult
from ..services.monitoring.latency import percentile_seconds
from ..services.monitoring.statistics import MINIMUM_SAMPLE, Rate, Statistics
from ..statuses import PaymentStatus
from .chart_shapes import Chart, Curve, Label, Point, Series, Slot
from .charts import Frame, curves, stacked_bars
from .dashboard_choice import Window
from .dashboard_figures import ENDED_OTHERWISE, NO_ANSWER, TAIL, decline_rate_of, durations_of
from .dashboard_texts import NOTHING, count_text, seconds_text, share_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawing with its words; `name` makes its ids, `legend` has the kinds with their labels.

    `nothing` stands in the drawing when there is nothing to draw. The rows of the table are texts.
    """

    name: str
    title: str
    description: str
    legend: list[tuple[str, str]]
    chart: Chart
    nothing: str
    columns: list[str]
    rows: list[list[str]]

    @property
    def is_empty(self) -> bool:
        return self.chart.is_empty

    @property
    def goes_beyond(self) -> bool:
        """Are there figures of few events above the scale, which those of many set?"""
        return self.chart.goes_beyond


@dataclass(frozen=True, slots=True)
class Slices:
    """A period cut into slices, each with its name."""

    window: Window
    parts: list[Statistics]
    now: datetime

    @property
    def names(self) -> list[str]:
        return [self._name(part) for part in self.parts]

    def _name(self, part: Statistics) -> str:
        if self.window.grain == "day":
            name = date_format(part.since, "D j M")
        else:
            name = f"{date_format(part.since, 'D j M H:i')}{NOTHING}{date_format(part.until, 'H:i')}"
        return name if part.until <= self.now else _("%(slice)s (so far)") % {"slice": name}

    def labels(self) -> list[Label]:
        return [label for index, part in enumerate(self.parts) if (label := self._label(index, part.since))]

    def _label(self, index: int, at: datetime) -> Label | None:
        if self.window.name == "24h" and at.hour:
            return Label(index, date_format(at, "H:i"), is_minor=at.hour % 6 != 0) if at.hour % 3 == 0 else None
        if self.window.name == "30d":
            # From the running day back, a week apart.
            return Label(index, date_format(at, "j M")) if (len(self.parts) - 1 - index) % 7 == 0 else None
        return Label(index, date_format(at, "D j")) if at.hour == 0 else None

    def frame(self, titles: Sequence[str], written: Callable[[float], str]) -> Frame:
        slots = [
            Slot(f"{name}: {title}", part.until > self.now)
            for name, title, part in zip(self.names, titles, self.parts, strict=True)
        ]
        return Frame(slots, self.labels(), written)


def pictures(statistics: Statistics, window: Window, now: datetime) -> list[Picture]:
    """Return all pictures of a period. Times in UTC, as the hours are counted."""
    parts = statistics.slices(window.starts(now))
    slices = Slices(window, parts, now.astimezone(UTC))
    outcomes = [part.outcomes for part in parts]
    return [_volume(slices, outcomes), _decline_rate(slices, outcomes), _errors(slices), _latency(slices)]


def _volume(slices: Slices, outcomes: list[Counter[str]]) -> Picture:
    paid = [found[PaymentStatus.SUCCEEDED] for found in outcomes]
    declined = [found[PaymentStatus.FAILED] for found in outcomes]
    otherwise = [sum(found[status] for status in ENDED_OTHERWISE) for found in outcomes]
    series = [
        Series("paid", _("paid"), paid),
        Series("declined", _("declined"), declined),
        Series("otherwise", _("canceled, expired or not started"), otherwise),
    ]
    return _of_numbers(
        slices,
        series,
        name="volume",
        title=_("Payments by outcome"),
        description=_("Payments that came to an end, by how they ended."),
        nothing=_("No payment came to an end"),
    )


def _errors(slices: Slices) -> Picture:
    results = [part.results for part in slices.parts]
    series = [
        Series("server-error", _("server error (5xx)"), [found[CallResult.SERVER_ERROR] for found in results]),
        Series("rate-limited", _("rate limited (429)"), [found[CallResult.RATE_LIMITED] for found in results]),
        Series("no-answer", _("no answer"), [sum(found[result] for result in NO_ANSWER) for found in results]),
    ]
    return _of_numbers(
        slices,
        series,
        name="errors",
        title=_("Calls that failed at the gateway"),
        description=_("Calls that were answered with 5xx or 429, or got no usable answer."),
        nothing=_("No call failed") if any(map(any, (found.values() for found in results))) else _("No calls"),
    )


def _of_numbers(
    slices: Slices, series: list[Series], *, name: str, title: str, description: str, nothing: str
) -> Picture:
    labels = [one.label for one in series]
    rows = [[count_text(number) for number in numbers] for numbers in zip(*(s.numbers for s in series), strict=True)]
    titles = [" · ".join(f"{number} {label}" for number, label in zip(row, labels, strict=True)) for row in rows]
    return Picture(
        name=name,
        title=title,
        description=description,
        legend=[(one.kind, one.label) for one in series],
        chart=stacked_bars(slices.frame(titles, lambda number: count_text(round(number))), series),
        nothing=nothing,
        columns=[_("Period"), *labels],
        rows=[[slice_name, *row] for slice_name, row in zip(slices.names, rows, strict=True)],
    )


def _decline_rate(slices: Slices, outcomes: list[Counter[str]]) -> Picture:
    rates = [*map(decline_rate_of, outcomes)]
    points = [Point(rate.value, not rate.is_judged) if rate.value is not None else None for rate in rates]
    titles = [_rate_title(rate) for rate in rates]
    frame = slices.frame(titles, axis_percent)
    return Picture(
        name="decline-rate",
        title=_("Decline rate"),
        description=_("Share of the decided payments that were declined; a gap where none was decided."),
        legend=[
            ("rate", _("from %(count)s decided payments on") % {"count": MINIMUM_SAMPLE}),
            ("rate-few", _("fewer: too few to judge")),
        ],
        chart=curves(frame, [Curve("rate", _("decline rate"), points)], least_step=0.01),
        nothing=_("No payment was decided"),
        columns=[_("Period"), _("declined"), _("decided"), _("decline rate")],
        rows=[
            [name, count_text(rate.part), count_text(rate.whole), _rate_text(rate)]
            for name, rate in zip(slices.names, rates, strict=True)
        ],
    )


def _rate_text(rate: Rate) -> str:
    if rate.value is None:
        return NOTHING
    return share_text(rate) if rate.is_judged else _("too few")


def _rate_title(rate: Rate) -> str:
    if rate.value is None:
        return _("no payment decided")
    words = {"part": count_text(rate.part), "whole": count_text(rate.whole), "share": share_text(rate)}
    if rate.is_judged:
        return _("%(share)s: %(part)s of %(whole)s declined") % words
    return _("%(part)s of %(whole)s declined, too few to judge") % words


def _latency(slices: Slices) -> Picture:
    durations = [*map(durations_of, slices.parts)]
    numbers = [found.total() for found in durations]
    middles = [percentile_seconds(found, 0.5) for found in durations]
    tails = [percentile_seconds(found, TAIL) for found in durations]
    titles = [_latency_title(*figures) for figures in zip(numbers, middles, tails, strict=True)]
    few = [number < MINIMUM_SAMPLE for number in numbers]
    drawn = [
        Curve("p95", "p95", [*map(_point, tails, few)]),
        Curve("p50", "p50", [*map(_point, middles, few)]),
    ]
    return Picture(
        name="latency",
        title=_("Latency of the calls"),
        description=_("Duration that half (p50) and 95 of 100 calls (p95) did not exceed."),
        legend=[
            ("p95", _("95 of 100 calls within (p95)")),
            ("p50", _("half within (p50)")),
            ("latency-few", _("fewer than %(count)s calls") % {"count": MINIMUM_SAMPLE}),
        ],
        chart=curves(slices.frame(titles, axis_seconds), drawn, least_step=0.05),
        nothing=_("No calls"),
        columns=[_("Period"), _("calls"), "p50", "p95"],
        rows=[
            [name, count_text(number), *(NOTHING if seconds is None else seconds_text(seconds) for seconds in pair)]
            for name, number, *pair in zip(slices.names, numbers, middles, tails, strict=True)
        ],
    )


def _point(seconds: float | None, is_few: bool) -> Point | None:
    return None if seconds is None else Point(seconds, is_few)


def _latency_title(number: int, middle: float | None, tail: float | None) -> str:
    if middle is None or tail is None:
        return _("no calls")
    words = {"middle": seconds_text(middle), "tail": seconds_text(tail), "count": count_text(number)}
    return _("p95 %(tail)s, p50 %(middle)s, %(count)s calls") % words


def axis_percent(share: float) -> str:
    """Return a number of the axis: without decimals that say nothing."""
    return _("%(percent)s %%") % {"percent": f"{share * 100:g}"}


def axis_seconds(seconds: float) -> str:
    return _("%(seconds)s s") % {"seconds": f"{seconds:g}"}
