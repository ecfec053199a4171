"""Asking the gateway while a person waits: a run of the background over chosen payments, in the time a page has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from ..models import Payment, Refund
from ..statuses import ChangeSource, PaymentStatus
from . import clock
from .reconciliation import Run

_STAFF_CALL_SECONDS = 8.0
"""A person waits for it in the admin, and a web worker with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReport:
    """What came of asking at once: `left` payments were not reached in time, and are due for `flowlix_sync`."""

    changed: int
    unchanged: int
    failed: int
    left: int
    errors: list[str]


def ask_now(asked: Sequence[Payment], *, deadline_seconds: float = 20.0) -> AskReport:
    """Ask the gateway about payments, and finish their refunds, while a person waits.

    What is not reached in time is taken up by the next `flowlix_sync`. Faults of the gateway are reported, not raised.
    Raises: RuntimeError inside `atomic()`.
    """
    now, until = clock.now(), clock.monotonic() + deadline_seconds
    only = frozenset(payment.pk for payment in asked)
    run = Run(
        only=only,
        source=ChangeSource.ADMIN,
        call_seconds=min(_STAFF_CALL_SECONDS, deadline_seconds),
        should_stop=lambda: clock.monotonic() >= until,
    )
    # Without an id there is nothing to ask about, except for a start whose outcome is unknown.
    askable = Q(gateway_id__isnull=False) | Q(status=PaymentStatus.CREATED)
    Payment.objects.filter(askable, pk__in=only).update(next_sync_at=now)
    Refund.objects.unconfirmed().filter(payment__in=only).update(next_sync_at=now)
    due = run.due_payments(now).count()
    report = run.execute()
    return AskReport(
        changed=report.changed,
        unchanged=report.unchanged,
        failed=report.failed,
        left=max(due - run.taken, 0),
        errors=report.errors,
    )
