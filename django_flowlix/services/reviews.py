"""A person has looked: the review flag goes, with a note of who looked and what was found."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from ..models import Payment
from . import clock
from .notes import checked_note, put_on_timeline

MAX_NOTE_LENGTH = 255


def mark_reviewed(payment: Payment, *, note: str, actor: Any) -> bool:
    """Take a payment out of the queues of what needs a review or is stuck; False when it is in neither.

    The same doubt is raised again only after an answer of the gateway has settled it. `actor` is the user; `note` has 1
    to 255 characters. `payment` is up to date afterwards.

    Raises: ValueError with a sentence about the note; RuntimeError inside `atomic()`
    """
    note = checked_note(note, most=MAX_NOTE_LENGTH, if_empty=_("Write what you found, or why this needs nothing more."))
    queued = Payment.objects.filter(pk=payment.pk)
    if not (queued.needing_review() | queued.stuck(clock.now())).exists():
        return False
    now = clock.now()
    update = {"review_reason": "", "review_since": None, "reviewed_at": now, "updated_at": now}
    if payment.review_reason:
        update["reviewed_reason"] = payment.review_reason
    with transaction.atomic(durable=True):
        # Only what the person saw: a doubt raised since then stays.
        same = Payment.objects.filter(pk=payment.pk, status=payment.status, review_reason=payment.review_reason)
        done = bool(same.update(**update))
        if done:
            put_on_timeline(payment, note, actor=actor, at=now, review=payment.review_reason)
    payment.refresh_from_db()
    return done
