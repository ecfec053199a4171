"""The merchant's code of these tests: each time it runs, one row more; under the same names in every process."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from django_flowlix.models import Payment
from django_flowlix.signals import payment_succeeded


def fulfil(sender: Any, payment: Payment, **kwargs: Any) -> None:
    leave_fulfilled(payment)


def thank(sender: Any, payment: Payment, **kwargs: Any) -> None:
    leave_thanked(payment)


def leave_fulfilled(payment: Payment) -> None:
    Group.objects.create(name=f"fulfilled {payment.pk} for the time {Group.objects.count()}")


def leave_thanked(payment: Payment) -> None:
    Group.objects.create(name=f"thanked {payment.pk} for the time {Group.objects.count()}")


RECEIVERS = (fulfil, thank)


def connect() -> None:
    for receiver in RECEIVERS:
        payment_succeeded.connect(receiver)


def disconnect() -> None:
    for receiver in RECEIVERS:
        payment_succeeded.disconnect(receiver)


def effects() -> tuple[int, int]:
    """Count how often each receiver has run, as far as the database can tell."""
    fulfilled, thanked = (Group.objects.filter(name__startswith=text).count() for text in ("fulfilled", "thanked"))
    return fulfilled, thanked
