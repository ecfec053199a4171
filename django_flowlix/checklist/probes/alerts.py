"""alerts-deliverable: the rules that the gateway's checklist asks for, somebody to tell, and proof that it arrives.

That a mail server took a mail is what can be proven; that somebody reads it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.db.models import QuerySet

from ...models import Alert, AlertDelivery
from ...services.monitoring.alerts import LOG
from ...services.monitoring.counts import Scope
from ...services.monitoring.rules import TEST
from ...services.receivers import receivers_of
from ...signals import alert_opened
from .. import catalogue
from ..context import Context
from ..findings import Finding, judge_of, passed
from ..items import Stage

_RULES = ("server_errors", "decline_rate", "rate_limited")
_TESTED_WITHIN = timedelta(days=90)
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_NOWHERE = tuple(f"django.core.mail.backends.{name}." for name in ("console", "dummy", "filebased", "locmem"))


@catalogue.ALERTS_DELIVERABLE.probe(Stage.STATIC)
def alert_rules(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    off = [name for name in _RULES if name not in context.account.alert_rules]
    for name in off:
        yield judge(f"The alert rule {name} is off.", f"Take {name}: None out of the account's ALERTS.")
    if not off:
        yield passed(f"The alert rules {', '.join(_RULES)} are on.")


@catalogue.ALERTS_DELIVERABLE.probe(Stage.STATIC)
def somebody_to_tell(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    receivers = [name for name, _receiver in receivers_of(alert_opened, Alert)]
    backend = mail_backend()
    mails = bool(settings.ADMINS) and bool(backend) and not backend.startswith(_NOWHERE)
    if receivers:
        yield passed(f"Told of alerts: {', '.join(receivers)}.")
    if mails:
        yield passed(f"Told of alerts by mail: the {len(settings.ADMINS)} in ADMINS, through {backend}.")
    elif settings.ADMINS:
        yield judge(
            f"Mail to ADMINS is sent by {backend or 'nobody'}, which reaches no one.",
            "Set a mail backend that sends: MAILERS from Django 6.1 on, EMAIL_BACKEND before.",
        )
    elif not receivers:
        yield judge(
            "Nobody is told of alerts: ADMINS is empty, and nothing is connected to alert_opened.",
            "Set ADMINS and Django's mail settings, or connect a receiver to django_flowlix.signals.alert_opened.",
        )


def mail_backend() -> str:
    """Return the path of the backend that mails to ADMINS go through, "" when mail is switched off."""
    if django.VERSION < (6, 1) or not hasattr(settings, "MAILERS"):
        return str(settings.EMAIL_BACKEND)
    mailers: Mapping[str, Mapping[str, Any]] = getattr(settings, "MAILERS")  # noqa: B009  5.2's types lack it
    mailer = mailers.get("default")
    return "" if mailer is None else str(mailer.get("BACKEND", _SMTP))


@catalogue.ALERTS_DELIVERABLE.probe(Stage.STATIC)
def delivered_test(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    told = _deliveries(context).filter(alert__rule=TEST, delivered_at__gte=context.now - _TESTED_WITHIN)
    latest = dict(told.exclude(target=LOG).order_by("delivered_at").values_list("target", "delivered_at"))
    for target, delivered_at in latest.items():
        yield passed(f"A test alert was delivered to {target} at {delivered_at:%Y-%m-%d %H:%M} UTC.")
    if not latest:
        yield judge(
            f"No test alert has reached anybody but the log within {_TESTED_WITHIN.days} days.",
            "Run manage.py flowlix_monitor --test, and see that it arrives.",
        )


@catalogue.ALERTS_DELIVERABLE.probe(Stage.STATIC)
def failing_deliveries(context: Context) -> Iterator[Finding]:
    judge = judge_of(context.account.livemode)
    failing = _deliveries(context).filter(deliver_at__isnull=False, attempts__gt=0)
    targets = sorted(set(failing.values_list("target", flat=True)[:1000]))
    if targets:
        yield judge(
            f"Alerts cannot be delivered to {', '.join(targets)} now, and are tried again.",
            "The alert's page in the admin has the error of each delivery; mend its cause.",
        )


def _deliveries(context: Context) -> QuerySet[AlertDelivery]:
    account = context.account
    return AlertDelivery.objects.filter(Scope(account.livemode, account.alias).filters("alert__"))
