"""ApiCall: one HTTP exchange with the gateway, as it must be told to the gateway's support."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import ExactCharField
from .payment import Payment
from .refund import Refund


class ApiCallOutcome(models.TextChoices):
    OK = "ok", _("answered")
    ERROR = "error", _("refused")
    UNKNOWN = "unknown", _("outcome unknown")
    NOT_SENT = "not_sent", _("not sent")


class ApiCall(models.Model):
    """One HTTP try; never a body, a header or a key.

    `paused_until` is set when the gateway asked to stay away: all processes that use the key wait for it together.
    """

    account = ExactCharField(max_length=64)
    livemode = models.BooleanField(_("live"))
    api_key_fingerprint = models.CharField(max_length=16)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="api_calls")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, related_name="api_calls")
    operation = models.CharField(max_length=32)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    try_number = models.PositiveSmallIntegerField()
    idempotency_key = ExactCharField(max_length=255, default="")
    http_status = models.PositiveSmallIntegerField(null=True)
    request_id = ExactCharField(max_length=255, default="")
    outcome = models.CharField(max_length=16, choices=ApiCallOutcome)
    error_type = models.CharField(max_length=64, default="")
    error_code = models.CharField(max_length=64, default="")
    decline_code = models.CharField(max_length=64, default="")
    duration_ms = models.PositiveIntegerField()
    rate_limit_remaining = models.PositiveIntegerField(null=True)
    paused_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("gateway call")
        verbose_name_plural = _("gateway calls")
        indexes = [
            models.Index(name="flowlix_call_budget", fields=["api_key_fingerprint", "created_at"]),
            models.Index(name="flowlix_call_pause", fields=["api_key_fingerprint", "paused_until"]),
            models.Index(name="flowlix_call_request", fields=["request_id"]),
            # Monitoring counts the latest hours of one mode, retention deletes the oldest of both.
            models.Index(name="flowlix_call_mode", fields=["livemode", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.operation} #{self.try_number}: {self.http_status or self.get_outcome_display()}"
