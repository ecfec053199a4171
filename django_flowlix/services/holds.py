"""Legal hold: nothing of a payment is pruned or erased while it lasts, and its timeline says who decided that and why.

The note of such a change has two lines, what was done and the reason. Notes that people write have one, so nobody can
write one that looks like it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ..models import Payment
from . import clock
from .notes import checked_note, put_on_timeline

MAX_REASON_LENGTH = 200


class HoldStep(StrEnum):
    """The first line of the note."""

    PUT = "put on legal hold"
    RELEASED = "legal hold released"


def put_on_hold(payment: Payment, *, reason: str, actor: Any) -> bool:
    """Keep everything about a payment until the hold is released; False when it is on hold already.

    `actor` is the user; `reason` has 1 to 200 characters. `payment` is up to date afterwards.

    Raises: ValueError with a sentence about the reason; RuntimeError inside `atomic()`
    """
    return _step(payment, HoldStep.PUT, reason, actor)


def release_hold(payment: Payment, *, reason: str, actor: Any) -> bool:
    """Let a payment be pruned and erased again; False when it is not on hold. Otherwise like `put_on_hold`."""
    return _step(payment, HoldStep.RELEASED, reason, actor)


def note_of(step: HoldStep, reason: str) -> str:
    return f"{step}\n{reason}"


def step_in(note: str) -> tuple[HoldStep, str] | None:
    """Read the note of a change: what was done and why; None when it is about something else."""
    head, line_break, reason = note.partition("\n")
    step = next((step for step in HoldStep if step == head), None)
    return (step, reason) if step is not None and line_break else None


def _step(payment: Payment, step: HoldStep, reason: str, actor: Any) -> bool:
    reason = checked_note(reason, most=MAX_REASON_LENGTH, if_empty=_("Write why."))
    now, puts = clock.now(), step is HoldStep.PUT
    with transaction.atomic(durable=True):
        # The UPDATE takes the row's lock: an erasure at work is over before it, one that comes later finds the hold.
        others = Payment.objects.filter(pk=payment.pk, legal_hold_since__isnull=puts)
        done = bool(others.update(legal_hold_since=now if puts else None, updated_at=now))
        payment.refresh_from_db()
        if done:
            kind = "held" if puts else "released"
            put_on_timeline(payment, note_of(step, reason), actor=actor, at=now, kind=kind)
    return done
