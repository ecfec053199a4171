"""How a payment's facts are written on the staff's screens: amounts, statuses, modes, cards."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..models import Payment


def badge(kind: str, text: object) -> SafeString:
    """Return a word in a frame; `kind` is the part of its class that decides the colour."""
    return format_html('<span class="flowlix-badge flowlix-{}">{}</span>', kind, text)


def state_badges(payment: Payment) -> SafeString:
    state = badge(payment.status, payment.get_status_display())
    if not payment.review_reason:
        return state
    return format_html("{} {}", state, badge("review", _("needs review")))


def mode_badge(payment: Payment) -> SafeString:
    return badge("live", _("LIVE")) if payment.livemode else badge("test", _("test"))


def card_text(payment: Payment) -> str:
    return f"{payment.card_brand.title()} •••• {payment.card_last4}" if payment.card_last4 else "-"
