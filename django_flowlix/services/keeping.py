"""What nobody may prune or erase yet, and why: payments on legal hold, and those whose story is not over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from ..models import Payment, Refund, StatusChange
from ..statuses import REFUND_OPEN, WAITING, PaymentStatus
from . import clock

ABANDONED_AFTER = timedelta(days=30)
"""A customer who has not paid by then has left: where unpaid payments never end, they would be kept for ever."""


class WhyKept(models.TextChoices):
    """Why a payment and all that belongs to it stays as it is."""

    LEGAL_HOLD = "legal_hold", _("it is on legal hold")
    OPEN = "open", _("it is not decided yet")
    REVIEW = "review", _("somebody must look at it first")
    REFUND_OPEN = "refund_open", _("a refund is under way")
    UNTOLD = "untold", _("the shop's own code has not been told yet")


def conditions() -> dict[WhyKept, Q]:
    """Return, for each reason, which payments it holds for; the first that does is the one to name."""
    refunds = Refund.objects.filter(payment=OuterRef("pk"), status__in=REFUND_OPEN)
    untold = StatusChange.objects.filter(payment=OuterRef("pk"), deliver_at__isnull=False)
    return {
        WhyKept.LEGAL_HOLD: Q(legal_hold_since__isnull=False),
        WhyKept.OPEN: Q(status=PaymentStatus.CREATED)
        | Q(status__in=WAITING, created_at__gt=clock.now() - ABANDONED_AFTER),
        WhyKept.REVIEW: Q(review_since__isnull=False),
        WhyKept.REFUND_OPEN: Q(Exists(refunds)),
        WhyKept.UNTOLD: Q(Exists(untold)),
    }


def reason() -> Case:
    """Return a column of payments: a `WhyKept`, "" for a payment that is over and free."""
    cases = [When(condition, then=Value(why.value)) for why, condition in conditions().items()]
    return Case(*cases, default=Value(""), output_field=models.CharField())


def reason_of_its_payment() -> Subquery:
    """Return the same as a column of rows that belong to a payment; NULL for a row without one."""
    of_row = Payment.objects.filter(pk=OuterRef("payment_id"))
    return Subquery(of_row.annotate(why=reason()).values("why")[:1])


def its_payment_is_kept() -> Exists:
    """Return a condition on rows that belong to a payment: nobody may touch it."""
    any_of = Q()
    for condition in conditions().values():
        any_of |= condition
    return Exists(Payment.objects.filter(any_of, pk=OuterRef("payment_id")))


def why_kept(keys: Collection[int]) -> dict[int, WhyKept]:
    """Return the reason of each payment that must stay as it is, by primary key, as the database knows it now."""
    rows = Payment.objects.filter(pk__in=keys).annotate(why=reason()).values_list("pk", "why")
    return {key: WhyKept(why) for key, why in rows if why}
