"""How a payment's and a refund's facts are written on the staff's screens: amounts, statuses, modes, cards."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..conf import Account
from ..models import Alert, ChecklistRun, Payment, Refund
from ..statuses import RefundStatus
from .card_brands import brand_name


def badge(kind: str, text: object) -> SafeString:
    """Return a word in a frame; `kind` is the part of its class that decides the colour."""
    return format_html('<span class="flowlix-badge flowlix-{}">{}</span>', kind, text)


def state_badges(payment: Payment) -> SafeString:
    state = badge(payment.status, payment.get_status_display())
    if not payment.review_reason:
        return state
    return format_html("{} {}", state, badge("review", _("needs review")))


def refunded_badge(payment: Payment) -> SafeString:
    """Return whether all or a part of the payment went back, nothing when none of it did."""
    if not payment.amount_refunded_minor:
        return SafeString()
    whole = payment.amount_refunded_minor == payment.amount_minor
    return badge("returned", _("refunded in full") if whole else _("partly refunded"))


def mode_badge(of: Payment | Alert | ChecklistRun | Account) -> SafeString:
    return badge("live", _("LIVE")) if of.livemode else badge("test", _("test"))


def self_check_badge(payment: Payment) -> SafeString:
    """Return that `flowlix_check` made the payment, nothing for an order of the shop."""
    return badge("self-check", _("self-check")) if payment.from_checklist else SafeString()


def card_text(payment: Payment) -> str:
    return f"{brand_name(payment.card_brand)} •••• {payment.card_last4}" if payment.card_last4 else "-"


def refund_badge(refund: Refund) -> SafeString:
    """Return the refund's status; a request that certainly did not leave us yet says so."""
    waits = refund.status == RefundStatus.CREATED and refund.first_sent_at is None
    return badge(f"refund-{refund.status}", _("not sent yet") if waits else refund.get_status_display())


def refund_note(refund: Refund) -> str:
    """Return in words why a refund failed or waits, "" when there is nothing to say."""
    # What a decline code advises is about payments: another card is of no use to a refund.
    parts = (refund.note, refund.decline_message, refund.decline_code)
    return " · ".join(dict.fromkeys(part for part in parts if part))


def requester(refund: Refund) -> str:
    """Return who asked for a refund: the person if there is one, and where."""
    source = str(refund.get_source_display())
    return f"{refund.requested_by_name} ({source})" if refund.requested_by_name else source
