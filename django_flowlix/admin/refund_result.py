"""What became of a refund, in plain words, and the token by which a second click finds the first one's refund."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.core import signing
from django.utils.translation import gettext as _

from ..models import Payment, Refund
from ..statuses import RefundStatus
from .display import card_text, refund_note

TOKEN_LIFE_SECONDS = 24 * 60 * 60
_SALT = "django_flowlix.refund"


def result_of(refund: Refund) -> tuple[int, str]:
    """Return the level and the sentence to show to the person who asked for the refund."""
    words = {"number": refund.sequence, "amount": refund.amount, "note": refund_note(refund)}
    words["card"] = card_text(refund.payment)
    level, sentence = _sentence(refund)
    return level, sentence % words


def _sentence(refund: Refund) -> tuple[int, str]:
    match RefundStatus(refund.status):
        case RefundStatus.SUCCEEDED:
            return messages.SUCCESS, _("Refunded: %(amount)s went back to %(card)s (refund %(number)s).")
        case RefundStatus.PENDING:
            return messages.SUCCESS, _(
                "Refund %(number)s over %(amount)s is accepted by the gateway and under way. "
                "Its result will appear on this page."
            )
        case RefundStatus.FAILED:
            return messages.ERROR, _("Refund %(number)s over %(amount)s was refused: %(note)s")
    if refund.is_unconfirmed:
        return messages.WARNING, _(
            "Refund %(number)s over %(amount)s: The outcome is not known yet; it will be completed automatically. "
            "Do not refund it again."
        )
    return messages.WARNING, _(
        "Refund %(number)s over %(amount)s has not been sent yet; it will be tried again automatically. Why: %(note)s"
    )


def new_token(payment: Payment, user: Any) -> str:
    """Return a token for one refund of this payment by this person."""
    return signing.dumps({"payment": payment.pk, "user": str(user.pk), "id": secrets.token_hex(16)}, salt=_SALT)


def submission_of(token: str, payment: Payment, user: Any) -> str | None:
    """Return the random id in a token; None for one that is forged, too old, or of another payment or person."""
    try:
        content = signing.loads(token, salt=_SALT, max_age=TOKEN_LIFE_SECONDS)
    except signing.BadSignature:
        return None
    ours = (content["payment"], content["user"]) == (payment.pk, str(user.pk))
    return str(content["id"]) if ours else None
