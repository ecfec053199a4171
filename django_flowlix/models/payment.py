"""Payment: one attempt to collect for one order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..api.declines import Decline, decline_for
from ..api.money import Money
from ..statuses import OPEN, WAITING, PaymentStatus, ReviewReason
from .background_work import BackgroundWork, BackgroundWorkQuerySet
from .fields import ExactCharField

STUCK_AFTER = timedelta(days=3)
"""An attempt that is open longer than this should be looked at by a person."""


class PaymentQuerySet(BackgroundWorkQuerySet["Payment"]):
    """Named filters."""

    def for_order(self, order_reference: str, account: str = "default") -> Self:
        """All attempts for one order, the latest first."""
        return self.filter(account=account, order_reference=order_reference).order_by("-attempt")

    def needing_review(self) -> Self:
        """Payments that a person must look at; `review_reason` says why."""
        return self.filter(review_since__isnull=False)

    def unconfirmed(self) -> Self:
        """Payments of which it is not known whether the gateway has them."""
        return self.filter(status=PaymentStatus.CREATED, first_sent_at__isnull=False)

    def stuck(self, now: datetime) -> Self:
        """Payments that the gateway has not decided for too long and nobody has reviewed."""
        return self.filter(status__in=WAITING, created_at__lte=now - STUCK_AFTER, reviewed_at__isnull=True)


class Payment(BackgroundWork):
    """One attempt to collect for one order; amounts in minor units of `currency`, with `exponent` decimals.

    The row is committed before the gateway hears of it, together with the exact request and its idempotency key, so
    that whatever happens afterwards can be repeated safely. `status` is written by `services.transitions` alone.

    `open_order_reference` and `paid_order_reference` are slots: filled while the attempt is open, and for the order's
    first success. Being unique they allow one open attempt and one booked success per order on every database
    (conditional constraints do not exist on MariaDB).

    `review_since` is filled while a person must look. `reviewed_reason` is what a person has looked at: that doubt is
    not raised again until an answer of the gateway has settled it.
    """

    account = ExactCharField(max_length=64)
    contract = models.CharField(max_length=16)
    livemode = models.BooleanField(_("live"))
    api_key_fingerprint = models.CharField(max_length=16)

    from_checklist = models.BooleanField(
        default=False, help_text=_("Made by flowlix_check: it is no order of the shop, whose code is not told.")
    )
    order_reference = ExactCharField(_("order"), max_length=255)
    order_content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, null=True, related_name="+")
    order_object_id = models.CharField(max_length=255, default="")
    order = GenericForeignKey("order_content_type", "order_object_id")
    attempt = models.PositiveIntegerField()
    open_order_reference = ExactCharField(max_length=255, null=True, default=None)
    paid_order_reference = ExactCharField(max_length=255, null=True, default=None)

    amount_minor = models.BigIntegerField(_("amount in minor units"))
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    amount_refunded_minor = models.BigIntegerField(_("refunded in minor units"), default=0)
    description = models.CharField(max_length=500, default="")
    metadata = models.JSONField(default=dict)

    request_body = models.TextField(default="", help_text=_("Erased once the outcome of the start is known."))
    idempotency_key = ExactCharField(max_length=255)
    first_sent_at = models.DateTimeField(null=True)

    gateway_id = ExactCharField(_("payment id"), max_length=255, null=True)
    request_id = ExactCharField(_("request id"), max_length=255, default="")
    hosted_page_url = models.TextField(default="")
    status = models.CharField(max_length=16, choices=PaymentStatus, default=PaymentStatus.CREATED)
    gateway_status = models.CharField(_("the gateway's word"), max_length=64, default="")
    decline_code = models.CharField(max_length=64, default="")
    decline_message = models.CharField(max_length=500, default="")
    card_brand = models.CharField(max_length=32, default="")
    card_last4 = models.CharField(max_length=4, default="")
    card_exp_month = models.PositiveSmallIntegerField(null=True)
    card_exp_year = models.PositiveSmallIntegerField(null=True)
    card_country = models.CharField(max_length=2, default="")

    return_token = ExactCharField(max_length=64)
    success_url = models.TextField(default="")
    failure_url = models.TextField(default="")

    superseded_at = models.DateTimeField(null=True)
    review_reason = models.CharField(max_length=32, choices=ReviewReason, default="")
    review_since = models.DateTimeField(null=True)
    reviewed_reason = models.CharField(max_length=32, default="")
    reviewed_at = models.DateTimeField(null=True)
    legal_hold_since = models.DateTimeField(
        _("on legal hold since"), null=True, help_text=_("Nothing of this payment is pruned or erased while it is set.")
    )
    personal_data_erased_at = models.DateTimeField(_("personal data erased"), null=True)
    last_synced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(name="flowlix_payment_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="flowlix_payment_refunded_within_amount",
                condition=Q(amount_refunded_minor__gte=0, amount_refunded_minor__lte=F("amount_minor")),
            ),
            # What staff search for alone comes first, so that the constraint's index serves that search as well.
            models.UniqueConstraint(name="flowlix_payment_attempt", fields=["order_reference", "account", "attempt"]),
            models.UniqueConstraint(name="flowlix_payment_one_open", fields=["account", "open_order_reference"]),
            models.UniqueConstraint(name="flowlix_payment_one_paid", fields=["account", "paid_order_reference"]),
            models.UniqueConstraint(name="flowlix_payment_key", fields=["account", "idempotency_key"]),
            models.UniqueConstraint(name="flowlix_payment_gateway_id", fields=["gateway_id", "account"]),
            models.UniqueConstraint(name="flowlix_payment_token", fields=["return_token"]),
        ]
        indexes = [
            models.Index(name="flowlix_payment_due", fields=["next_sync_at"]),
            models.Index(name="flowlix_payment_review", fields=["review_since"]),
            # The admin's list, newest first: alone and by each of its filters, and what staff search for.
            models.Index(name="flowlix_payment_created", fields=["created_at"]),
            models.Index(name="flowlix_payment_status", fields=["status", "created_at"]),
            models.Index(name="flowlix_payment_mode", fields=["livemode", "created_at"]),
            models.Index(name="flowlix_payment_account", fields=["account", "created_at"]),
            models.Index(name="flowlix_payment_last4", fields=["card_last4", "created_at"]),
            models.Index(name="flowlix_payment_request", fields=["request_id"]),
        ]
        permissions = [
            ("refund_payment", "Can refund payments"),
            ("review_payment", "Can mark payments as reviewed"),
            ("export_payment", "Can export payments"),
            ("hold_payment", "Can put payments on legal hold"),
        ]

    def __str__(self) -> str:
        return f"{self.order_reference} · {self.amount} · {self.get_status_display()}"

    def get_absolute_url(self) -> str:
        """Where the customer learns how the payment stands; no login needed, the token is the permission."""
        return reverse("django_flowlix:pending", args=[self.return_token])

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency, self.exponent)

    @property
    def amount_refunded(self) -> Money:
        return Money(self.amount_refunded_minor, self.currency, self.exponent)

    @property
    def decline(self) -> Decline | None:
        """What to tell customer and staff about a payment that did not succeed; None for every other status."""
        return decline_for(self.decline_code) if self.status == PaymentStatus.FAILED else None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_waiting(self) -> bool:
        """The gateway has the payment and has not decided."""
        return self.status in WAITING

    @property
    def is_unconfirmed(self) -> bool:
        """The request was sent and it is not known whether the gateway has the payment."""
        return self.status == PaymentStatus.CREATED and self.first_sent_at is not None
