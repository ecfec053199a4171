"""Tallies: what happened in an hour that is over, counted once, so that statistics need not count it again.

They stay when the rows they were counted from are pruned.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .fields import ExactCharField


class TalliedHour(models.Model):
    """An hour that has been counted: every hour from the first one on has its row, so the last one is how far it is."""

    hour = models.DateTimeField()
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("counted hour")
        verbose_name_plural = _("counted hours")
        constraints = [models.UniqueConstraint(name="flowlix_tallied_hour", fields=["hour"])]

    def __str__(self) -> str:
        return self.hour.isoformat(timespec="minutes")


class CallTally(models.Model):
    """How many calls of an hour had the same operation, result and duration class.

    `result` is a `services.monitoring.call_result.CallResult`, `duration_class` an index into
    `services.monitoring.latency.DURATION_BOUNDS_MS`.
    """

    hour = models.DateTimeField()
    account = ExactCharField(max_length=64)
    livemode = models.BooleanField()
    operation = models.CharField(max_length=32)
    result = models.CharField(max_length=24)
    duration_class = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("count of gateway calls")
        verbose_name_plural = _("counts of gateway calls")
        indexes = [models.Index(name="flowlix_call_tally", fields=["livemode", "hour"])]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M} {self.operation} {self.result}: {self.number}"


class ChangeTally(models.Model):
    """How many payments, or with `of_refunds` how many refunds, came to a status in an hour, and their amounts.

    `amount_minor` is the sum in minor units of `currency`, which has `exponent` decimals.
    """

    hour = models.DateTimeField()
    account = ExactCharField(max_length=64)
    livemode = models.BooleanField()
    of_refunds = models.BooleanField()
    status = models.CharField(max_length=16)
    decline_code = models.CharField(max_length=64)
    card_brand = models.CharField(max_length=32)
    card_country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("count of outcomes")
        verbose_name_plural = _("counts of outcomes")
        indexes = [models.Index(name="flowlix_change_tally", fields=["livemode", "hour"])]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M} {self.status}: {self.number}"
