"""The merchant's code of these tests: each time it runs, one row more; under the same names in every process."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from django_flowlix.models import Payment, Refund
from django_flowlix.signals import payment_succeeded, refund_failed, refund_succeeded


def fulfil(sender: Any, payment: Payment, **kwargs: Any) -> None:
    leave_fulfilled(payment)


def thank(sender: Any, payment: Payment, **kwargs: Any) -> None:
    leave_thanked(payment)


def leave_fulfilled(payment: Payment) -> None:
    Group.objects.create(name=f"fulfilled {payment.pk} for the time {Group.objects.count()}")


def leave_thanked(payment: Payment) -> None:
    Group.objects.create(name=f"thanked {payment.pk} for the time {Group.objects.count()}")


def restock(sender: Any, refund: Refund, **kwargs: Any) -> None:
    leave_restocked(refund)


def apologise(sender: Any, refund: Refund, **kwargs: Any) -> None:
    leave_apologised(refund)


def regret(sender: Any, refund: Refund, **kwargs: Any) -> None:
    Group.objects.create(name=f"regretted {refund.pk} for the time {Group.objects.count()}")


def leave_restocked(refund: Refund) -> None:
    Group.objects.create(name=f"restocked {refund.pk} for the time {Group.objects.count()}")


def leave_apologised(refund: Refund) -> None:
    Group.objects.create(name=f"apologised {refund.pk} for the time {Group.objects.count()}")


RECEIVERS = (
    (payment_succeeded, fulfil),
    (payment_succeeded, thank),
    (refund_succeeded, restock),
    (refund_succeeded, apologise),
    (refund_failed, regret),
)


def connect() -> None:
    for signal, receiver in RECEIVERS:
        signal.connect(receiver)


def disconnect() -> None:
    for signal, receiver in RECEIVERS:
        signal.disconnect(receiver)


def effects() -> tuple[int, int]:
    """Count how often each receiver of a payment has run, as far as the database can tell."""
    return _times("fulfilled"), _times("thanked")


def refund_effects() -> tuple[int, int, int]:
    """Count the same for those of a refund: two of its success, one of its failure."""
    return _times("restocked"), _times("apologised"), _times("regretted")


def _times(text: str) -> int:
    return Group.objects.filter(name__startswith=f"{text} ").count()
