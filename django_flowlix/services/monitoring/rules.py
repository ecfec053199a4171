"""The alert rules in words: what each is called, what it measures, what to do; and when a figure is bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...conf.alert_rules import AlertRule
from . import evidence, measures
from .call_result import CallResult
from .evidence import Evidence
from .measures import Measure, Measuring
from .queues import (
    OVERDUE,
    OVERDUE_REFUNDS,
    REVIEW,
    STUCK,
    STUCK_REFUNDS,
    UNCONFIRMED,
    UNCONFIRMED_REFUNDS,
    UNTOLD,
)

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

TEST = "test"
"""The name in place of a rule's on an alert that `flowlix_monitor --test` made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: `unit` is that of its figures, `remedy` says what to do when it is broken."""

    title: _StrPromise
    remedy: _StrPromise
    unit: Literal["share", "seconds", "number"] = "number"
    measure: Measuring
    evidence: Evidence = lambda readings, rule: []
    counts_what_waits: bool = False
    """What waits is judged in both modes: money of the mode that is not configured any more waits, too."""

    def figure(self, value: float) -> str:
        """Return a value as a person reads it: `61.9 %`, `2.5 s`, `12`."""
        if self.unit == "share":
            return f"{value * 100:.1f} %"
        return f"{value:.1f} s" if self.unit == "seconds" else f"{value:.0f}"


RULES: dict[str, Rule] = {
    "decline_rate": Rule(
        title=gettext_lazy("decline rate"),
        remedy=gettext_lazy(
            "Look at the decline reasons on the dashboard. One code or one card country: its bank, or somebody who "
            "tries stolen cards. All of them: ask the gateway's support with the request ids."
        ),
        unit="share",
        measure=measures.share(lambda statistics: statistics.decline_rate, measures.declined),
        evidence=evidence.of_declines,
    ),
    "server_errors": Rule(
        title=gettext_lazy("server errors of the gateway"),
        remedy=gettext_lazy(
            "Nothing is lost: what is unknown is sent again under its key. See the gateway's status page; if it says "
            "nothing, write to its support with the request ids."
        ),
        unit="share",
        measure=measures.share(lambda statistics: statistics.server_errors, measures.answered_5xx),
        evidence=evidence.of_calls(CallResult.SERVER_ERROR),
    ),
    "no_answers": Rule(
        title=gettext_lazy("calls without an answer"),
        remedy=gettext_lazy(
            "Nothing is lost. Is the gateway reachable from this server (DNS, firewall, proxy, TLS certificates)? If "
            "it is, see the gateway's status page."
        ),
        unit="share",
        measure=measures.share(lambda statistics: statistics.no_answers, measures.unanswered),
        evidence=evidence.of_calls(CallResult.NO_ANSWER),
    ),
    "latency": Rule(
        title=gettext_lazy("slow answers"),
        remedy=gettext_lazy(
            "Customers wait this long on the Pay button. See the gateway's status page; watch the web workers, which "
            "wait with them."
        ),
        unit="seconds",
        measure=measures.latency,
        evidence=evidence.of_slow_calls,
    ),
    "rate_limited": Rule(
        title=gettext_lazy("rate limit hits"),
        remedy=gettext_lazy(
            "Does something else use the same key? Set REQUESTS_PER_MINUTE if your limit is lower than the contract's, "
            "or ask the gateway for a higher one."
        ),
        measure=measures.calls_with(CallResult.RATE_LIMITED),
        evidence=evidence.of_calls(CallResult.RATE_LIMITED),
    ),
    "credentials_refused": Rule(
        title=gettext_lazy("key refused"),
        remedy=gettext_lazy(
            "Customers cannot pay. Was the key revoked or rotated? Set the new one and restart all processes, or check "
            "CONTRACT and API_URL."
        ),
        measure=measures.calls_with(CallResult.CREDENTIALS_REFUSED),
        evidence=evidence.of_calls(CallResult.CREDENTIALS_REFUSED),
    ),
    "unconfirmed": Rule(
        title=gettext_lazy("unconfirmed payments or refunds"),
        remedy=gettext_lazy(
            "Does flowlix_sync run every minute? It sends them again under their keys. Their timelines in the admin "
            "say what the gateway answered."
        ),
        measure=measures.unconfirmed,
        evidence=evidence.of_queues(UNCONFIRMED, UNCONFIRMED_REFUNDS),
        counts_what_waits=True,
    ),
    "stuck": Rule(
        title=gettext_lazy("stuck payments or refunds"),
        remedy=gettext_lazy("Open the work queue in the admin and ask the gateway's support with the request ids."),
        measure=measures.stuck,
        evidence=evidence.of_queues(STUCK, STUCK_REFUNDS),
        counts_what_waits=True,
    ),
    "needs_review": Rule(
        title=gettext_lazy("payments that need review"),
        remedy=gettext_lazy("Open the work queue in the admin: each payment says what is wrong and what to do."),
        measure=measures.needs_review,
        evidence=evidence.of_queues(REVIEW),
        counts_what_waits=True,
    ),
    "notifications_failing": Rule(
        title=gettext_lazy("own code not told"),
        remedy=gettext_lazy(
            "The money is booked, but your own code does not hear of it: orders may not be fulfilled. The log has the "
            "tracebacks; the receivers are called again until they succeed."
        ),
        measure=measures.notifications_failing,
        evidence=evidence.of_queues(UNTOLD),
        counts_what_waits=True,
    ),
    "sync_overdue": Rule(
        title=gettext_lazy("flowlix_sync is overdue"),
        remedy=gettext_lazy("Does flowlix_sync run every minute, and end without errors? Run it by hand and see."),
        measure=measures.sync_overdue,
        evidence=evidence.of_queues(OVERDUE, OVERDUE_REFUNDS),
        counts_what_waits=True,
    ),
    "no_sales": Rule(
        title=gettext_lazy("no sales"),
        remedy=gettext_lazy(
            "Buy something yourself. If it works, look at what changed in the shop; if it does not, look at the latest "
            "payments in the admin."
        ),
        measure=measures.no_sales,
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of its figure: `is_bad` is None when there is too little to judge by.

    `threshold` is the one that counts now: the fixed one, or less if the shop's own figure is far below it.
    """

    is_bad: bool | None
    value: float | None
    threshold: float
    words: str


def judge(name: str, rule: AlertRule, measure: Measure) -> Verdict:
    """Say whether a figure is bad. Pure."""
    threshold = threshold_of(rule, measure.usual)
    if measure.value is None or measure.sample < rule.minimum:
        return Verdict(None, measure.value, threshold, _in_words(name, rule, measure, threshold))
    is_bad = measure.value >= threshold and measure.value > 0
    return Verdict(is_bad, measure.value, threshold, _in_words(name, rule, measure, threshold))


def threshold_of(rule: AlertRule, usual: float | None) -> float:
    """Return from which figure on it is bad: a spike above what is usual, or the fixed threshold, whichever is less."""
    if not rule.may_spike or usual is None:
        return rule.threshold
    return min(rule.threshold, max(rule.spike_floor, rule.spike_factor * usual))


def _in_words(name: str, rule: AlertRule, measure: Measure, threshold: float) -> str:
    figure = RULES[name].figure
    facts = {"words": measure.words, "threshold": figure(threshold)}
    if measure.value is None:
        return _("nothing to measure")
    if measure.sample < rule.minimum:
        return _("%(words)s: too few to judge (from %(minimum)s on)") % {**facts, "minimum": rule.minimum}
    if measure.usual is not None:
        facts |= {"usual": figure(measure.usual)}
        return _("%(words)s; usual is %(usual)s, bad is %(threshold)s or more") % facts
    return _("%(words)s; bad is %(threshold)s or more") % facts


def title_of(name: str) -> str:
    """Return a rule's title; of one that this version does not know, its name."""
    if name == TEST:
        return _("test of the alerts")
    return str(RULES[name].title) if name in RULES else name


def remedy_of(name: str) -> str:
    if name == TEST:
        return _("Nothing: somebody wanted to see whether alerts arrive, and this one did.")
    return str(RULES[name].remedy) if name in RULES else ""


def figure_of(name: str, value: float) -> str:
    return RULES[name].figure(value) if name in RULES else f"{value:g}"
