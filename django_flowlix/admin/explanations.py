"""What a person can do about a payment that needs one, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment, Refund
from ..models.payment import STUCK_AFTER
from ..services import clock
from ..statuses import ReviewReason

_R = ReviewReason
ADVICE = {
    _R.MISMATCH: gettext_lazy(
        "Nothing was booked from that answer. Compare amount, currency and mode on the timeline with the gateway's "
        "dashboard."
    ),
    _R.SECOND_SUCCESS: gettext_lazy(
        "Find out which of the order's payments is to stay, refund the other one, then mark this one as reviewed."
    ),
    _R.SUPERSEDED_SUCCESS: gettext_lazy(
        "The amount that was paid is not the order's any more. Settle the difference with the customer, or refund."
    ),
    _R.REFUNDED_EARLY: gettext_lazy(
        "Look in the gateway's dashboard who refunded it and why, before the order is delivered."
    ),
    _R.UNKNOWN_STATUS: gettext_lazy(
        "It is not treated as paid. Look in the gateway's dashboard how it stands; a newer version may know the status."
    ),
    _R.NOT_FOUND: gettext_lazy(
        "Compare the key, the mode and the account in the settings with those the payment was made with."
    ),
    _R.UNPROVEN: gettext_lazy(
        "Search for the order in the gateway's dashboard. The text for a ticket below has all that its support needs."
    ),
    _R.REFUND_MISMATCH: gettext_lazy(
        "Compare the refunds below with the gateway's dashboard, and refund nothing more until they agree."
    ),
    _R.KEY_CONFLICT: gettext_lazy(
        "Another installation seems to use the same API key for orders of its own. This one is for a developer."
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must not be overlooked; `kind` is `review`, `waiting` or `quiet`, `since` is when it began."""

    kind: str
    title: str
    text: str
    since: datetime | None = None


def notices(payment: Payment, refunds: list[Refund]) -> Iterator[Notice]:
    """Yield what to say above everything else, the most urgent first."""
    if payment.review_reason:
        reason = ReviewReason(payment.review_reason)
        title = _("Somebody must look at this payment: %(reason)s") % {"reason": reason.label}
        yield Notice("review", title, str(ADVICE[reason]), payment.review_since)
    if is_stuck(payment):
        text = _("Ask it now. If nothing changes, send its support the text for a ticket below.")
        yield Notice("review", _("The gateway has not decided this payment for days."), text, payment.created_at)
    if payment.is_unconfirmed:
        text = _("This is being checked and completed automatically. It may still be paid: do not take it for failed.")
        yield Notice("waiting", _("It is not known yet whether the gateway has this payment."), text)
    for refund in refunds:
        if refund.is_unconfirmed:
            yield _unknown_refund(refund)
    if payment.from_checklist:
        text = _("Your code is not told of it, and nothing is to be delivered.")
        yield Notice("quiet", _("Made by flowlix_check, for no order of the shop"), text)
    yield from _kept_and_erased(payment)


def _kept_and_erased(payment: Payment) -> Iterator[Notice]:
    if payment.legal_hold_since:
        text = _("Nothing of it is pruned or erased until the hold is released. The timeline says who decided that.")
        yield Notice("quiet", _("On legal hold"), text, payment.legal_hold_since)
    if payment.personal_data_erased_at:
        title = _("Personal data erased on %(date)s") % {"date": localtime(payment.personal_data_erased_at).date()}
        text = _("Card digits, description, reasons and notes are gone. Amounts, dates, statuses and ids are complete.")
        yield Notice("quiet", title, text)


def is_stuck(payment: Payment) -> bool:
    """Tell whether the payment is in the queue of those that the gateway has not decided for too long."""
    return payment.is_waiting and payment.reviewed_at is None and payment.created_at <= clock.now() - STUCK_AFTER


def _unknown_refund(refund: Refund) -> Notice:
    words = {"number": refund.sequence, "amount": refund.amount}
    return Notice(
        "waiting",
        _("The outcome of refund %(number)s over %(amount)s is not known yet.") % words,
        _("It will be completed automatically, and its amount is reserved until then. Do not refund it again."),
    )
