"""What staff may write about a payment: one line, of a length that is kept, and no card number."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..api.redaction import contains_card_number
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
