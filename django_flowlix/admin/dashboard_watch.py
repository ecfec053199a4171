"""What the dashboard says of the present: alerts that are open, who could not be told of them, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from ..models import Alert, AlertDelivery
from ..models.alert import AlertState
from ..services.monitoring.counts import Scope
from ..services.monitoring.queues import (
    ALL_QUEUES,
    JUDGED,
    MOST_COUNTED,
    PAYMENT_QUEUES,
    REFUND_QUEUES,
    UNTOLD,
    Queue,
    Waiting,
)
from ..services.monitoring.rules import figure_of, remedy_of, title_of

MOST_ALERTS = 100
MOST_DELIVERIES = 20
SILENT_AFTER = timedelta(hours=1)
"""The monitor runs every five minutes at the least: one run may be late, ten are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An open alert in words."""

    rule: str
    title: str
    remedy: str
    summary: str
    figure: str
    worst: str
    account: str
    opened_at: datetime
    age: str
    url: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """The open alerts of what is shown, how many more are open elsewhere, and how many may open soon."""

    shown: list[OpenAlert]
    elsewhere: int
    pending: int

    @property
    def rules(self) -> set[str]:
        return {alert.rule for alert in self.shown}


@dataclass(frozen=True, slots=True)
class FailingDelivery:
    """That somebody could not be told of an alert, and why."""

    target: str
    title: str
    attempts: int
    error: str
    url: str


@dataclass(frozen=True, slots=True)
class QueueLine:
    """How much waits in a queue and for how long; `url` is "" where no list shows it."""

    name: str
    count: str
    age: str
    waits: bool
    url: str


def read_alerts(site: AdminSite, scope: Scope, now: datetime) -> Alerts:
    """Return the alerts that are not over, of all modes and accounts in one statement."""
    watched = list(Alert.objects.watched().order_by("opened_at", "pk")[:MOST_ALERTS])
    told = [alert for alert in watched if alert.state == AlertState.OPEN]
    shown = [alert for alert in told if _is_of(alert, scope)]
    pending = [alert for alert in watched if alert.state == AlertState.PENDING and _is_of(alert, scope)]
    return Alerts([_in_words(alert, site, now) for alert in shown], len(told) - len(shown), len(pending))


def judged_since(waits: Mapping[Queue, Waiting], accounts: int) -> datetime | None:
    """Return when the account that was judged longest ago was, None when one of so many never was."""
    return waits[JUDGED].since if waits[JUDGED].number >= accounts else None


def is_watched(judged: datetime | None, now: datetime) -> bool:
    """Tell whether flowlix_monitor judges: without it no alert can open, and none is a reason to be calm.

    That it runs, or that hours are counted, is not enough: a run that fails judges nothing.
    """
    return judged is not None and now - judged < SILENT_AFTER


def _is_of(alert: Alert, scope: Scope) -> bool:
    return alert.livemode is scope.livemode and scope.account in ("", alert.account)


def _in_words(alert: Alert, site: AdminSite, now: datetime) -> OpenAlert:
    opened_at = alert.opened_at or alert.began_at
    return OpenAlert(
        rule=alert.rule,
        title=capfirst(title_of(alert.rule)),
        remedy=remedy_of(alert.rule),
        summary=alert.summary,
        figure=figure_of(alert.rule, alert.value),
        worst=figure_of(alert.rule, alert.worst_value),
        account=alert.account,
        opened_at=opened_at,
        age=age_text(opened_at, now),
        url=_page(alert, site),
    )


def failing_deliveries(site: AdminSite) -> list[FailingDelivery]:
    """Return who could not be told of which alert, of all modes and accounts in one statement."""
    rows = AlertDelivery.objects.failing().select_related("alert").order_by("deliver_at", "pk")[:MOST_DELIVERIES]
    return [
        FailingDelivery(
            row.target, capfirst(title_of(row.alert.rule)), row.attempts, row.last_error, _page(row.alert, site)
        )
        for row in rows
    ]


def _page(alert: Alert, site: AdminSite) -> str:
    return reverse("admin:django_flowlix_alert_change", args=[quote(alert.pk)], current_app=site.name)


def queue_lines(
    request: HttpRequest, site: AdminSite, waits: Mapping[Queue, Waiting], now: datetime
) -> list[QueueLine]:
    """Return every queue, the empty ones too: that nothing waits is worth knowing."""
    return [_line(request, site, queue, waits[queue], now) for queue in ALL_QUEUES]


def _line(request: HttpRequest, site: AdminSite, queue: Queue, waits: Waiting, now: datetime) -> QueueLine:
    return QueueLine(
        name=_name(queue),
        count=waiting_text(waits.number),
        age=age_text(waits.since, now) if waits.since else "",
        waits=waits.number > 0,
        url=_address(request, site, queue),
    )


def waiting_text(number: int) -> str:
    if number > MOST_COUNTED:
        return _("%(count)s+") % {"count": number_format(MOST_COUNTED, force_grouping=True)}
    return number_format(number)


def age_text(since: datetime, now: datetime) -> str:
    return timesince(since, now, depth=1) if since <= now else timesince(now, now, depth=1)


def _name(queue: Queue) -> str:
    of = _("shop's code") if queue is UNTOLD else queue.model._meta.verbose_name_plural
    return _("%(rows)s: %(queue)s") % {"rows": capfirst(str(of)), "queue": queue.label}


def _address(request: HttpRequest, site: AdminSite, queue: Queue) -> str:
    """Return the list that shows a queue, "" where there is none or the person may not see it."""
    name = queue.model._meta.model_name
    if queue not in PAYMENT_QUEUES + REFUND_QUEUES or not request.user.has_perm(f"django_flowlix.view_{name}"):
        return ""
    try:
        address = reverse(f"admin:django_flowlix_{name}_changelist", current_app=site.name)
    except NoReverseMatch:  # a shop may leave a list out of its admin
        return ""
    return f"{address}?queue={queue.name}"
