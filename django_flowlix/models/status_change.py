"""StatusChange: one transition of a payment or a refund, and the outbox of the merchant's code."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..statuses import ChangeSource, PaymentStatus, RefundStatus
from .fields import ExactCharField
from .payment import Payment
from .refund import Refund


class StatusChangeQuerySet(models.QuerySet["StatusChange"]):
    """Named filters."""

    def undelivered(self, now: datetime) -> StatusChangeQuerySet:
        """Changes whose receivers have to be called now, the oldest first."""
        return self.filter(deliver_at__lte=now).order_by("deliver_at", "pk")


class StatusChange(models.Model):
    """What happened to a payment, why and when; a review flag, and its removal, are changes to the same status.

    With `refund` it happened to that refund of the payment, and the statuses are a refund's. `actor` names the person
    behind it.

    `signal` names the signal that tells the merchant's code ("" for none). `deliver_at` is when to call its receivers
    next, NULL when all have run. `delivered_to` lists the receivers that have run, one per line.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="status_changes")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, related_name="status_changes")
    from_status = models.CharField(max_length=16)
    to_status = models.CharField(max_length=16)
    source = models.CharField(max_length=16, choices=ChangeSource)
    actor = models.CharField(max_length=150, default="")
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
        indexes = [
            models.Index(name="flowlix_change_due", fields=["deliver_at"]),
            models.Index(name="flowlix_change_created", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        words: type[PaymentStatus | RefundStatus] = PaymentStatus if self.refund_id is None else RefundStatus
        return f"{words(self.from_status).label} → {words(self.to_status).label}"
