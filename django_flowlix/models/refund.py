"""Refund: one attempt to give money of one payment back, or one that was made at the gateway and found there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..api.money import Money
from ..statuses import REFUND_OPEN, RefundSource, RefundStatus
from .background_work import BackgroundWork, BackgroundWorkQuerySet
from .fields import ExactCharField
from .payment import Payment

STUCK_AFTER = timedelta(days=7)
"""Banks take days over a refund; longer than this, a person should ask."""


class RefundQuerySet(BackgroundWorkQuerySet["Refund"]):
    """Named filters."""

    def counted(self) -> Self:
        """Refunds whose amount is spent or reserved: all but the failed ones."""
        return self.exclude(status=RefundStatus.FAILED)

    def unconfirmed(self) -> Self:
        """Refunds of which it is not known whether the gateway has them."""
        return self.filter(status=RefundStatus.CREATED)

    def stuck(self, now: datetime) -> Self:
        """Refunds that the gateway has accepted and has not decided for too long."""
        return self.filter(status=RefundStatus.PENDING, created_at__lte=now - STUCK_AFTER)

    def total_minor(self) -> int:
        """Return the sum of the amounts in minor units."""
        return int(self.aggregate(total=Sum("amount_minor"))["total"] or 0)


class Refund(BackgroundWork):
    """Money to be given back; amounts in minor units of `currency`, with `exponent` decimals.

    The row is committed, and its amount reserved under the payment's row lock, before the gateway hears of it, together
    with the exact request and its idempotency key. `status` is written by
    `services.refund_transitions` alone. `note` says in
    our words why it failed or waits. `submission_token` is that of the form: a second submit finds the first's row.

    A row of source `gateway` was found at the gateway: it has neither key nor request.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    account = ExactCharField(max_length=64)
    sequence = models.PositiveIntegerField(_("number within the order"))
    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    reason = models.CharField(_("reason"), max_length=255, default="")
    source = models.CharField(_("asked for by"), max_length=16, choices=RefundSource)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("requested by")
    )
    requested_by_name = models.CharField(
        max_length=150, default="", help_text=_("Stays when the user's account is deleted.")
    )
    submission_token = ExactCharField(max_length=64, null=True)

    status = models.CharField(_("status"), max_length=16, choices=RefundStatus, default=RefundStatus.CREATED)
    gateway_status = models.CharField(_("the gateway's word"), max_length=64, default="")
    decline_code = models.CharField(max_length=64, default="")
    decline_message = models.CharField(max_length=500, default="")
    note = models.CharField(_("note"), max_length=500, default="")

    request_body = models.TextField(default="")
    idempotency_key = ExactCharField(max_length=255, null=True)
    api_key_fingerprint = models.CharField(max_length=16, default="")
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    gateway_id = ExactCharField(_("refund id"), max_length=255, null=True)
    request_id = ExactCharField(_("request id"), max_length=255, default="")

    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = RefundQuerySet.as_manager()

    is_repeat = False
    """Is it the answer to a submission that was made before? Told by `refund_payment`, not stored."""

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(name="flowlix_refund_amount_positive", condition=Q(amount_minor__gt=0)),
            models.UniqueConstraint(name="flowlix_refund_key", fields=["account", "idempotency_key"]),
            # The id comes first, so that the constraint's index serves the admin's search for an id alone.
            models.UniqueConstraint(name="flowlix_refund_gateway_id", fields=["gateway_id", "account"]),
            models.UniqueConstraint(name="flowlix_refund_submission", fields=["submission_token"]),
        ]
        indexes = [
            models.Index(name="flowlix_refund_due", fields=["next_sync_at"]),
            models.Index(name="flowlix_refund_created", fields=["created_at"]),
            models.Index(name="flowlix_refund_status", fields=["status", "created_at"]),
            models.Index(name="flowlix_refund_source", fields=["source", "created_at"]),
            models.Index(name="flowlix_refund_request", fields=["request_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.amount} · {self.get_status_display()}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency, self.exponent)

    @property
    def is_open(self) -> bool:
        return self.status in REFUND_OPEN

    @property
    def is_unconfirmed(self) -> bool:
        """The request was sent and it is not known whether the gateway has the refund."""
        return self.status == RefundStatus.CREATED and self.first_sent_at is not None
