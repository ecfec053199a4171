"""Whether a stored request may go out: within its key's life, under the API key it was first sent with, or never sent.

Anything else would be a new charge, or a second refund.
"""

from __future__ import annotations

from ..api.idempotency import may_replay
from ..conf import Account
from ..models import Payment, Refund
from . import clock


def may_send_again(row: Payment | Refund, account: Account) -> bool:
    """Tell whether the gateway still knows the row's key, so that the same bytes bring the same answer."""
    same_key = row.api_key_fingerprint == account.api_key_fingerprint
    return same_key and row.first_sent_at is not None and may_replay(row.first_sent_at, clock.now())


def note_first_sending(row: Payment | Refund, account: Account) -> None:
    """Commit that the request may be at the gateway from now on, and under which API key."""
    row.first_sent_at, row.api_key_fingerprint = clock.now(), account.api_key_fingerprint
    type(row).objects.filter(pk=row.pk).update(
        first_sent_at=row.first_sent_at, api_key_fingerprint=row.api_key_fingerprint
    )


def forget_sending(row: Payment | Refund) -> bool:
    """Commit that nothing is at the gateway; False when another worker has taken over and may have sent it."""
    mine = type(row).objects.filter(pk=row.pk, status=row.status, lease_until=row.lease_until)
    if not mine.update(first_sent_at=None):
        return False
    row.first_sent_at = None
    return True
