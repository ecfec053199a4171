"""Alert: something that operators have to know, from its first sign to its end; and the outbox that tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import ExactCharField


class AlertState(models.TextChoices):
    """`pending` has begun and not lasted long enough to tell anybody."""

    PENDING = "pending", _("pending")
    OPEN = "open", _("open")
    RESOLVED = "resolved", _("resolved")


class AlertQuerySet(models.QuerySet["Alert"]):
    """Named filters."""

    def watched(self) -> Self:
        """Alerts that are not over: at most one per rule, account and mode."""
        return self.filter(active=True)

    def open(self) -> Self:
        """Alerts that operators have been told of and that are not over, the oldest first."""
        return self.filter(active=True, state=AlertState.OPEN).order_by("opened_at", "pk")


class Alert(models.Model):
    """A rule that is broken for an account and a mode, and for how long; figures in the rule's own unit.

    `active` is a slot: True until the alert is over, then NULL, and unique together with rule, account and mode.
    `clear_since` is filled while the figure is good again, which must last before the alert is over.
    `told_at` and `told_value` are when people were last told and of which figure. `configured_as` is the rule's
    thresholds as they were configured when the alert began.
    `request_ids` are those of some exchanges behind it, one per line: the gateway's support asks for them.
    """

    rule = models.CharField(_("rule"), max_length=32)
    account = ExactCharField(_("account"), max_length=64)
    livemode = models.BooleanField(_("live"))
    state = models.CharField(_("state"), max_length=16, choices=AlertState, default=AlertState.PENDING)
    active = models.BooleanField(null=True, default=True)

    value = models.FloatField(_("value"))
    worst_value = models.FloatField(_("worst value"))
    threshold = models.FloatField(_("threshold"))
    summary = models.CharField(_("summary"), max_length=500)
    configured_as = models.CharField(max_length=64, default="")
    request_ids = models.TextField(_("request ids"), default="")

    began_at = models.DateTimeField(_("began"), default=timezone.now)
    opened_at = models.DateTimeField(_("opened"), null=True)
    judged_at = models.DateTimeField(_("last judged"), default=timezone.now)
    told_at = models.DateTimeField(_("last told"), null=True)
    told_value = models.FloatField(_("last told value"), null=True)
    clear_since = models.DateTimeField(_("good again since"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    resolution = models.CharField(_("why it is over"), max_length=255, default="")

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(name="flowlix_alert_one_active", fields=["rule", "account", "livemode", "active"])
        ]
        indexes = [
            models.Index(name="flowlix_alert_active", fields=["active", "opened_at"]),
            models.Index(name="flowlix_alert_began", fields=["began_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.rule.replace('_', ' ')} ({self.account}): {self.get_state_display()}"


class AlertEvent(models.TextChoices):
    OPENED = "opened", _("opened")
    REMINDED = "reminded", _("still open")
    RESOLVED = "resolved", _("resolved")


class AlertDeliveryQuerySet(models.QuerySet["AlertDelivery"]):
    """Named filters."""

    def due(self, now: datetime) -> Self:
        """Deliveries to be made now, the oldest first."""
        return self.filter(deliver_at__lte=now).order_by("pk")

    def failing(self) -> Self:
        """Deliveries that have failed and are tried again; those given up have no `deliver_at`."""
        return self.filter(deliver_at__isnull=False, attempts__gt=0)


class AlertDelivery(models.Model):
    """That one target is told of one event of an alert: by mail, in the log, or by a receiver of the signal.

    `deliver_at` is when to tell it next, NULL when it has been told, or when that has been given up. `target` is
    "mail", "log" or the receiver's name.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(_("event"), max_length=16, choices=AlertEvent)
    target = models.CharField(_("told"), max_length=255)
    deliver_at = models.DateTimeField(null=True, default=timezone.now)
    delivered_at = models.DateTimeField(_("told at"), null=True)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, default="")

    objects = AlertDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery of an alert")
        verbose_name_plural = _("deliveries of alerts")
        indexes = [models.Index(name="flowlix_alert_delivery_due", fields=["deliver_at"])]

    def __str__(self) -> str:
        return f"{self.event} → {self.target}"


class MonitorRun(models.Model):
    """The last run that judged every rule of an account and mode: what is not judged must not look quiet."""

    account = ExactCharField(_("account"), max_length=64)
    livemode = models.BooleanField(_("live"))
    completed_at = models.DateTimeField(_("completed"))

    class Meta:
        verbose_name = _("run of the monitor")
        verbose_name_plural = _("runs of the monitor")
        constraints = [models.UniqueConstraint(name="flowlix_monitor_run", fields=["account", "livemode"])]

    def __str__(self) -> str:
        return f"{self.account}: {self.completed_at:%Y-%m-%d %H:%M}"
