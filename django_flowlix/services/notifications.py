"""The outbox: the merchant's code is told of a committed change, each receiver exactly once.

Every receiver runs in its own transaction together with the note that it ran. One that raises rolls back its own work
and the note, is called again later by `flowlix_sync`, and holds up neither the others nor the truth about the money.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import F

from .. import tracing
from ..api.redaction import mask, one_line
from ..models import Payment, Refund, StatusChange
from ..signals import SIGNALS
from . import clock, schedule
from .receivers import receivers_of
from .spans import traced

logger = logging.getLogger("django_flowlix")

# Django would undo the receiver's work, and our note that it ran, without a word.
_SWALLOWED = "a database error was caught outside an atomic() of the receiver's own: its work is undone"


def deliver(change: StatusChange) -> bool:
    """Call the receivers that have not run yet; returns True when all have. Raises nothing a receiver raised."""
    if change.delivered_at is not None or not change.signal:
        return True
    return _call_receivers(change)


@traced("deliver")
def _call_receivers(change: StatusChange) -> bool:
    signal, arguments = SIGNALS[change.signal], _arguments(change)
    done = set(change.delivered_to.splitlines())
    waiting = [(name, receiver) for name, receiver in receivers_of(signal, arguments["sender"]) if name not in done]
    errors: list[str] = []
    for name, receiver in waiting:
        completes = name == waiting[-1][0] and not errors
        try:
            with transaction.atomic(durable=True):
                if not _claim(change, name, completes=completes):
                    return False  # another worker is delivering this change
                with tracing.span("flowlix.receiver", {"flowlix.receiver": name}):
                    receiver(signal=signal, **arguments)
                if transaction.get_rollback():
                    raise transaction.TransactionManagementError(_SWALLOWED)
        except Exception as error:  # the merchant's code may raise anything; the money is booked already
            logger.exception("receiver %s of %s raised; it is called again later", name, change.signal)
            errors.append(f"{name}: {type(error).__name__}: {error}")
            tracing.current().fail(type(error).__name__)
        else:
            change.delivered_to += f"{name}\n"
    if errors or not waiting:
        _settle(change, errors)
    return not errors


def _arguments(change: StatusChange) -> dict[str, Any]:
    about = {"payment": change.payment, "change": change}
    return about | {"sender": Payment} if change.refund is None else about | {"sender": Refund, "refund": change.refund}


def _claim(change: StatusChange, name: str, *, completes: bool) -> bool:
    """Note that a receiver has run, and with the last one that all have.

    The row stays locked for other workers until the transaction ends; they then find the note and stand back.
    """
    values: dict[str, Any] = {"delivered_to": f"{change.delivered_to}{name}\n"}
    if completes:
        values |= {"delivered_at": clock.now(), "deliver_at": None}
    unclaimed = StatusChange.objects.filter(pk=change.pk, delivered_at__isnull=True, delivered_to=change.delivered_to)
    return bool(unclaimed.update(**values))


def _settle(change: StatusChange, errors: list[str]) -> None:
    now = clock.now()
    rows = StatusChange.objects.filter(pk=change.pk, delivered_at__isnull=True)
    if not errors:
        rows.update(delivered_at=now, deliver_at=None)
        change.delivered_at, change.deliver_at = now, None
        return
    change.delivery_attempts += 1
    rows.update(
        deliver_at=schedule.next_delivery(change.delivery_attempts, now),
        delivery_attempts=F("delivery_attempts") + 1,
        last_error=mask(one_line("; ".join(errors), 500)),
    )
