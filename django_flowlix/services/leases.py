"""Who may work on a payment or a refund: one worker, for as long as one exchange takes.

A conditional UPDATE instead of a row lock, because no lock may be held across the network. A worker that dies loses its
lease by time, and so does one that hangs. Both then send under one idempotency key.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from ..conf import Account
from ..models import Payment, Refund
from . import clock

_MARGIN = timedelta(seconds=4)
"""A lease outlives one exchange by this, for the database work around it."""


def lease_until(account: Account) -> datetime:
    """Return until when an exchange that starts now holds its row; waits between exchanges extend it."""
    return clock.now() + timedelta(seconds=sum(account.timeout_seconds)) + _MARGIN


def take_lease(row: Payment | Refund, account: Account, *, while_due: bool = False) -> bool:
    """Claim a row in the status it was read in; False when another worker holds it or has changed it.

    `while_due` leaves it as well to a worker that has looked at it since it was read. `row` is up to date afterwards.
    """
    claimable = Q(lease_until__isnull=True) | Q(lease_until__lte=clock.now())
    if while_due:
        claimable &= Q(next_sync_at__lte=clock.now())
    return _claim(row, account, claimable)


def take_from_other(row: Payment | Refund, account: Account) -> bool:
    """Claim a row that another worker may hold."""
    return _claim(row, account, Q())


def extend(row: Payment | Refund, account: Account, seconds: float) -> None:
    """Hold a lease over a wait and the exchange after it; only our own, which its end tells from another worker's."""
    if row.lease_until is None:
        return
    longer = lease_until(account) + timedelta(seconds=seconds)
    if type(row).objects.filter(pk=row.pk, lease_until=row.lease_until).update(lease_until=longer):
        row.lease_until = longer


def _claim(row: Payment | Refund, account: Account, claimable: Q) -> bool:
    same = type(row).objects.filter(claimable, pk=row.pk, status=row.status)
    taken = same.update(lease_until=lease_until(account))
    row.refresh_from_db()
    return bool(taken)
