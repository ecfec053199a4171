"""What staff may write about a payment (one line, of a length that is kept, no card number), and how it is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from ..api.redaction import contains_card_number
from ..models import Payment, StatusChange
from ..statuses import ChangeSource
from . import event_log
from .payment_request import UNPRINTABLE


def checked_note(note: str, *, most: int, if_empty: str) -> str:
    """Return the note without the white space around it. Raises: ValueError with a sentence about it"""
    note = note.strip()
    if not note:
        raise ValueError(if_empty)
    if len(note) > most:
        raise ValueError(
            _("The note has %(length)s characters, at most %(most)s are kept.") % {"length": len(note), "most": most}
        )
    if UNPRINTABLE.search(note):
        raise ValueError(_("The note contains a line break or control character: write it on one line."))
    if contains_card_number(note):
        raise ValueError(_("The note looks like it holds a card number: write the last four digits at most."))
    return note


def put_on_timeline(payment: Payment, note: str, *, actor: Any, at: datetime, review: str = "", kind: str = "") -> None:
    """Write what a person did to a payment whose status stays, in the transaction that does it.

    `actor` is the user; `review` and `kind` are for the log, see `event_log.payment_changed`.
    """
    change = StatusChange.objects.create(
        payment=payment,
        from_status=payment.status,
        to_status=payment.status,
        source=ChangeSource.ADMIN,
        actor=actor.get_username()[:150],
        note=note,
        created_at=at,
    )
    event_log.payment_changed(change, payment, {}, review=review, kind=kind)
