"""The sole writer of a refund's status.

Under the row lock of its payment: the refund, its StatusChange and the payment's refunded sum change together. So the
amounts of a payment's refunds are added up and reserved by one worker at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import OperationalError, transaction
from django.db.models import F

from ..models import Payment, Refund, StatusChange
from ..statuses import RefundStatus, refund_may_follow
from . import clock, event_log, personal_data
from .transitions import MOST_RACES_LOST, is_lost_race

logger = logging.getLogger("django_flowlix")

T = TypeVar("T")
_SIGNALS = {RefundStatus.SUCCEEDED: "refund_succeeded", RefundStatus.FAILED: "refund_failed"}


def under_lock(payment: Payment, work: Callable[[], T]) -> T:
    """Run work in a transaction that holds the payment's row; all of it is repeated when the database says so.

    An UPDATE takes the lock, because SELECT FOR UPDATE does nothing on SQLite. Nothing else may change this payment's
    refunds meanwhile. Raises: what `work` raises; RuntimeError inside `atomic()`
    """
    for _ in range(MOST_RACES_LOST):
        try:
            with transaction.atomic(durable=True):
                Payment.objects.filter(pk=payment.pk).update(updated_at=clock.now())
                return work()
        except OperationalError as error:
            if not is_lost_race(error):
                raise
    raise RuntimeError(f"payment {payment.pk} is being changed too fast by others")


def move_refund(
    refund: Refund,
    to: RefundStatus,
    *,
    source: str,
    values: Mapping[str, Any] | None = None,
    note: str = "",
    request_id: str = "",
) -> StatusChange | None:
    """Take a refund to a status and write columns with it, in a transaction that holds its payment's row.

    `refund` was read in that transaction. A step that is not allowed leaves the row alone. A success adds to the
    payment's refunded sum. Returns the StatusChange, or None when there is nothing to tell.
    """
    current, now = RefundStatus(refund.status), clock.now()
    moves = refund_may_follow(current, to)
    if not moves and to != current:
        logger.warning("refund %s stays %s: the answer %s is stale", refund.pk, current, to)
        return None
    update = personal_data.kept_out(refund, values or {}) | {"status": to}
    if moves or any(getattr(refund, name) != value for name, value in update.items()):
        Refund.objects.filter(pk=refund.pk).update(**update, updated_at=now)
        for name, value in update.items():
            setattr(refund, name, value)
    return _record(refund, current, source, note, request_id) if moves else None


def _record(refund: Refund, before: RefundStatus, source: str, note: str, request_id: str) -> StatusChange:
    signal = "" if refund.payment.from_checklist else _SIGNALS.get(RefundStatus(refund.status), "")
    if refund.status == RefundStatus.SUCCEEDED:
        Payment.objects.filter(pk=refund.payment_id).update(
            amount_refunded_minor=F("amount_refunded_minor") + refund.amount_minor
        )
    now = clock.now()
    change = StatusChange.objects.create(
        payment_id=refund.payment_id,
        refund=refund,
        from_status=before,
        to_status=refund.status,
        source=source,
        note=note[:255],
        request_id=request_id,
        signal=signal,
        deliver_at=now if signal else None,
        created_at=now,
    )
    event_log.refund_changed(change, refund)
    return change
