"""Telling people of alerts: by mail to ADMINS, in the log, by the signals. At least once, repeated until it works.

Each target has its own note, so that one that fails neither holds up the others nor makes them be told again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import mail_admins
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from ...api.redaction import one_line
from ...conf import accounts
from ...models import Alert, AlertDelivery
from ...models.alert import AlertEvent
from ...signals import ALERT_SIGNALS
from .. import schedule
from ..receivers import receivers_of
from .alerts import LOG, MAIL
from .rules import TEST, figure_of, remedy_of, title_of

logger = logging.getLogger("django_flowlix.alerts")

GIVEN_UP_AFTER = timedelta(days=7)
"""What could not be told for so long is not news any more; its error stays in the admin."""
_HELD_FOR = timedelta(minutes=5)
"""A worker that dies while it tells somebody holds the delivery up so long."""


@dataclass(slots=True)
class Told:
    """How many deliveries were made and how many failed."""

    delivered: int = 0
    failed: int = 0


def tell(now: datetime, alert: Alert | None = None) -> Told:
    """Make the deliveries that are due, of all alerts or of one. Raises nothing that a target raised."""
    due = AlertDelivery.objects.due(now).select_related("alert")
    told = Told()
    for delivery in due if alert is None else due.filter(alert=alert):
        if _waits_for_an_earlier_one(delivery) or not _take(delivery, now):
            continue
        try:
            _deliver(delivery)
        except (Exception, SystemExit) as error:  # mail servers and the merchant's code may raise anything
            logger.exception("alert %s could not be told to %s", delivery.alert_id, delivery.target)
            _failed(delivery, error, now)
            told.failed += 1
        else:
            AlertDelivery.objects.filter(pk=delivery.pk).update(delivered_at=now, deliver_at=None, last_error="")
            told.delivered += 1
    return told


def _waits_for_an_earlier_one(delivery: AlertDelivery) -> bool:
    """Nobody is told that an alert is over before being told that it was there."""
    of_target = AlertDelivery.objects.filter(alert=delivery.alert_id, target=delivery.target, pk__lt=delivery.pk)
    return of_target.filter(deliver_at__isnull=False).exists()


def _take(delivery: AlertDelivery, now: datetime) -> bool:
    untaken = AlertDelivery.objects.filter(pk=delivery.pk, deliver_at=delivery.deliver_at)
    return bool(untaken.update(deliver_at=now + _HELD_FOR))


def _failed(delivery: AlertDelivery, error: BaseException, now: datetime) -> None:
    attempts, alert = delivery.attempts + 1, delivery.alert
    since = {AlertEvent.RESOLVED: alert.resolved_at, AlertEvent.REMINDED: alert.told_at}.get(
        AlertEvent(delivery.event), alert.opened_at
    )
    gives_up = now - (since or now) >= GIVEN_UP_AFTER
    AlertDelivery.objects.filter(pk=delivery.pk).update(
        attempts=attempts,
        deliver_at=None if gives_up else schedule.next_delivery(attempts, now),
        last_error=one_line(f"{type(error).__name__}: {error}", 500),
    )


def _deliver(delivery: AlertDelivery) -> None:
    if delivery.target == MAIL:
        _mail(delivery)
    elif delivery.target == LOG:
        _log(delivery)
    else:
        _call(delivery)


def _mail(delivery: AlertDelivery) -> None:
    if not settings.ADMINS:
        raise RuntimeError("ADMINS is empty")
    mail_admins(f"Flowlix: {headline(delivery.alert, delivery.event)}", text_of(delivery.alert, delivery.event))


def _log(delivery: AlertDelivery) -> None:
    alert, event = delivery.alert, delivery.event
    level = logging.WARNING if event == AlertEvent.RESOLVED else logging.ERROR
    facts = {
        "flowlix_alert": alert.rule,
        "flowlix_alert_event": event,
        "flowlix_account": alert.account,
        "flowlix_livemode": alert.livemode,
        "flowlix_value": alert.value,
        "flowlix_request_ids": alert.request_ids.splitlines(),
    }
    logger.log(level, "%s: %s", headline(alert, event), alert.summary, extra=facts)


def _call(delivery: AlertDelivery) -> None:
    signal = ALERT_SIGNALS[delivery.event]
    receivers = dict(receivers_of(signal, Alert))
    if delivery.target not in receivers:
        raise LookupError("no receiver of this name is connected in the process that runs flowlix_monitor")
    receivers[delivery.target](signal=signal, sender=Alert, alert=delivery.alert, event=delivery.event)


def headline(alert: Alert, event: str) -> str:
    """Return an alert in one line: `OPEN: decline rate 61.9 % (default, live)`."""
    if alert.rule == TEST:
        return _("TEST: somebody asked for this alert (%(account)s)") % {"account": alert.account}
    word = {AlertEvent.RESOLVED: _("OVER"), AlertEvent.REMINDED: _("STILL OPEN")}.get(AlertEvent(event), _("OPEN"))
    mode = _("live") if alert.livemode else _("test")
    figure = figure_of(alert.rule, alert.value if event == AlertEvent.REMINDED else alert.worst_value)
    return f"{word}: {title_of(alert.rule)} {figure} ({alert.account}, {mode})"


def text_of(alert: Alert, event: str) -> str:
    """Return what a mail says: what, since when, how bad, what to do, request ids, where to look."""
    lines = [
        _("What: %(summary)s") % {"summary": alert.summary},
        _("Since: %(time)s") % {"time": _time(alert.began_at)},
    ]
    if alert.rule != TEST:
        figures = {"worst": figure_of(alert.rule, alert.worst_value), "bad": figure_of(alert.rule, alert.threshold)}
        lines.append(_("Worst: %(worst)s; bad is %(bad)s or more") % figures)
    if event == AlertEvent.RESOLVED and alert.resolved_at:
        over = {"time": _time(alert.resolved_at), "why": alert.resolution}
        lines.append(_("Over: %(time)s, %(why)s") % over)
    else:
        lines.append(_("What to do: %(remedy)s") % {"remedy": remedy_of(alert.rule)})
    if alert.request_ids:
        lines.append(_("Request ids: %(ids)s") % {"ids": ", ".join(alert.request_ids.splitlines())})
    if address := _dashboard(alert):
        lines.append(_("Dashboard: %(address)s") % {"address": address})
    return "\n".join(lines)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _dashboard(alert: Alert) -> str:
    """Return where the dashboard is, "" for a shop without one or an account that is not configured any more."""
    account = accounts().get(alert.account)
    try:
        path = reverse("admin:django_flowlix_dashboard")
    except NoReverseMatch:
        return ""
    return f"{account.base_url}{path}" if account else ""
