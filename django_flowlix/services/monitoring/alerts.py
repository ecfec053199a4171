"""The life of an alert: begins, lasts, is told, gets better, stays better, is over. The sole writer of its state.

A figure that swings around its threshold must not open and close an alert every minute: it opens after the rule has
been broken for a while, and is over after the figure has been clearly better for a while. Every step is a
compare-and-set, so that two monitors at the same time take it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ...conf.alert_rules import AlertRule
from ...models import Alert, AlertDelivery
from ...models.alert import AlertEvent, AlertState
from ...signals import ALERT_SIGNALS
from ..receivers import receivers_of
from .counts import Scope
from .rules import TEST, Verdict

GIVEN_UP_AFTER = timedelta(hours=24)
"""An open alert that could not be judged for so long is over: there is no traffic to judge by."""
REMINDED_AFTER = timedelta(hours=24)
"""People are told again of an alert that stays open for so long, and as soon as its figure has doubled."""

MAIL, LOG = "mail", "log"
_SUMMARY_LENGTH = 500


def follow(
    alert: Alert | None,
    name: str,
    rule: AlertRule,
    verdict: Verdict,
    *,
    scope: Scope,
    now: datetime,
    evidence: Callable[[], list[str]],
) -> Alert | None:
    """Take a rule's alert (None without one) a step further; returns it as long as it is not over.

    `scope` names one account and one mode. `evidence` returns request ids, and is asked when the alert opens.
    """
    if alert is None:
        alert = _begin(name, rule, verdict, scope, now) if verdict.is_bad else None
    elif verdict.is_bad is None:
        return _unjudged(alert, now)
    else:
        _judged(alert, rule, verdict, now)
    if alert is None or not alert.active:
        return None
    if alert.state == AlertState.PENDING and now - alert.began_at >= timedelta(minutes=rule.for_minutes):
        _open(alert, now, evidence())
    return alert


def watched_alerts(scope: Scope) -> dict[str, Alert]:
    """Return the alerts of an account and mode that are not over, by rule. One statement."""
    return {alert.rule: alert for alert in Alert.objects.watched().filter(scope.filters())}


def end_unwatched(watched: Iterable[tuple[str, Scope]], among: QuerySet[Alert], now: datetime) -> None:
    """End the alerts that no rule follows any more: it is off, its account is gone, or its key has changed mode."""
    followed = {(name, scope.account, scope.livemode) for name, scope in watched}
    for alert in among.filter(active=True):
        if (alert.rule, alert.account, alert.livemode) not in followed:
            _end(alert, now, _("not watched any more"))


def make_test_alert(account: str, livemode: bool, now: datetime) -> Alert:
    """Make an alert that is over already, to be told like any other."""
    with transaction.atomic():
        alert = Alert.objects.create(
            rule=TEST,
            account=account,
            livemode=livemode,
            state=AlertState.RESOLVED,
            active=None,
            value=0,
            worst_value=0,
            threshold=0,
            summary=_("Somebody asked for this alert to see whether it arrives."),
            began_at=now,
            judged_at=now,
            opened_at=now,
            resolved_at=now,
            resolution=_("it was a test"),
        )
        _tell(alert, AlertEvent.OPENED, now)
    return alert


def _begin(name: str, rule: AlertRule, verdict: Verdict, scope: Scope, now: datetime) -> Alert | None:
    value = verdict.value or 0.0
    try:
        with transaction.atomic():
            return Alert.objects.create(
                rule=name,
                account=scope.account,
                livemode=bool(scope.livemode),
                value=value,
                worst_value=value,
                threshold=verdict.threshold,
                configured_as=_configured(rule),
                summary=verdict.words[:_SUMMARY_LENGTH],
                began_at=now,
                judged_at=now,
            )
    except IntegrityError:
        return None  # another monitor has begun it just now


def _judged(alert: Alert, rule: AlertRule, verdict: Verdict, now: datetime) -> None:
    """Write the figure, and what it means for an alert that has begun."""
    value = verdict.value or 0.0
    seen: dict[str, Any] = {"value": value, "judged_at": now}
    if verdict.is_bad:
        words = verdict.words[:_SUMMARY_LENGTH]
        seen |= {"worst_value": max(alert.worst_value, value), "summary": words, "clear_since": None}
    if alert.state == AlertState.PENDING:
        _still_pending(alert, rule, verdict, seen)
    elif verdict.is_bad:
        _still_bad(alert, seen, now)
    elif alert.configured_as != _configured(rule):
        _end(alert, now, _("the rule has been changed: %(words)s") % {"words": verdict.words}, seen)
    elif not _is_clear(value, alert.threshold, rule):
        _set(alert, **seen, clear_since=None)
    else:
        clear_since = alert.clear_since or now
        if now - clear_since >= timedelta(minutes=rule.clear_minutes):
            _end(alert, now, _("good again: %(words)s") % {"words": verdict.words}, seen)
        else:
            _set(alert, **seen, clear_since=clear_since)


def _still_pending(alert: Alert, rule: AlertRule, verdict: Verdict, seen: dict[str, Any]) -> None:
    if not verdict.is_bad:
        # Nobody was told and nothing lasted: there is nothing to remember.
        Alert.objects.filter(pk=alert.pk, state=AlertState.PENDING).delete()
        alert.active = None
        return
    _set(alert, **seen, threshold=verdict.threshold, configured_as=_configured(rule))


def _still_bad(alert: Alert, seen: dict[str, Any], now: datetime) -> None:
    """Write the figure, and tell people again if they were told long ago or of much less."""
    waited = now - (alert.told_at or now) >= REMINDED_AFTER
    doubled = alert.told_value is not None and seen["value"] >= 2 * alert.told_value
    with transaction.atomic():
        told = {"told_at": now, "told_value": seen["value"]} if waited or doubled else {}
        if _set(alert, **seen, **told) and told:
            _tell(alert, AlertEvent.REMINDED, now)


def _configured(rule: AlertRule) -> str:
    """Return what an alert's threshold came from: with another one its own counts no more."""
    return f"{rule.threshold:g}/{rule.spike_factor:g}/{rule.spike_floor:g}"


def _is_clear(value: float, threshold: float, rule: AlertRule) -> bool:
    return value < threshold * rule.clear_ratio or value == 0


def _unjudged(alert: Alert, now: datetime) -> Alert | None:
    if now - alert.judged_at < GIVEN_UP_AFTER:
        return alert
    if alert.state == AlertState.PENDING:
        Alert.objects.filter(pk=alert.pk, state=AlertState.PENDING).delete()
    else:
        _end(alert, now, _("too little traffic to judge by, for a day"))
    return None


def _open(alert: Alert, now: datetime, request_ids: list[str]) -> None:
    with transaction.atomic():
        told = {"opened_at": now, "told_at": now, "told_value": alert.value}
        if _set(alert, state=AlertState.OPEN, request_ids="\n".join(request_ids), **told):
            _tell(alert, AlertEvent.OPENED, now)


def _end(alert: Alert, now: datetime, why: str, seen: dict[str, Any] | None = None) -> None:
    was_open = alert.state == AlertState.OPEN
    ended = {"state": AlertState.RESOLVED, "active": None, "resolved_at": now, "resolution": why[:255]}
    with transaction.atomic():
        if _set(alert, **{**(seen or {}), **ended}) and was_open:
            _tell(alert, AlertEvent.RESOLVED, now)


def _set(alert: Alert, **values: Any) -> bool:
    """Write columns if nobody else has taken a step since the alert was read."""
    unchanged = Alert.objects.filter(pk=alert.pk, state=alert.state, active=True, judged_at=alert.judged_at)
    if not unchanged.update(**values):
        alert.active = None  # another monitor follows it
        return False
    for name, value in values.items():
        setattr(alert, name, value)
    return True


def _tell(alert: Alert, event: AlertEvent, now: datetime) -> None:
    """Note who has to be told, in the transaction of the step itself."""
    signal = ALERT_SIGNALS.get(event)
    names = [name for name, _receiver in receivers_of(signal, Alert)] if signal else []
    targets = [*([MAIL] if settings.ADMINS else []), LOG, *names]
    AlertDelivery.objects.bulk_create(
        AlertDelivery(alert=alert, event=event, target=target, deliver_at=now) for target in targets
    )
