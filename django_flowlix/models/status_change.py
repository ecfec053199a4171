"""StatusChange: one transition of a payment, and the outbox of the merchant's code."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..statuses import ChangeSource, PaymentStatus
from .fields import ExactCharField
from .payment import Payment


class StatusChangeQuerySet(models.QuerySet["StatusChange"]):
    """Named filters."""

    def undelivered(self, now: datetime) -> StatusChangeQuerySet:
        """Changes whose receivers have to be called now, the oldest first."""
        return self.filter(deliver_at__lte=now).order_by("deliver_at", "pk")


class StatusChange(models.Model):
    """What happened to a payment, why and when; a review flag is recorded as a change to the same status.

    `signal` names the signal that tells the merchant's code ("" for none). `deliver_at` is when to call its receivers
    next, NULL when all have run. `delivered_to` lists the receivers that have run, one per line.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="status_changes")
    from_status = models.CharField(max_length=16, choices=PaymentStatus)
    to_status = models.CharField(max_length=16, choices=PaymentStatus)
    source = models.CharField(max_length=16, choices=ChangeSource)
    note = models.CharField(max_length=255, default="")
    request_id = ExactCharField(_("request id"), max_length=255, default="")
    created_at = models.DateTimeField(default=timezone.now)

    signal = models.CharField(max_length=32, default="")
    deliver_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    delivered_to = models.TextField(default="")
    delivery_attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, default="")

    objects = StatusChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        indexes = [models.Index(name="flowlix_change_due", fields=["deliver_at"])]

    def __str__(self) -> str:
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"
