"""Decline codes: what each one means, what the customer reads, what the staff reads.

The texts are plain English, marked for translation and translated where they are shown. The gateway's own
message is never shown to a customer: for lost, stolen and suspected cards it would say why.

Source: docs.flowlix.dev/declines/*, docs.flowlix.dev/guides/{declines, operation-failures}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


def _(text: str) -> str:
    """Mark a text for `makemessages`, which looks for this name."""
    return text


class Category(StrEnum):
    """What helps after a decline, in the words of the gateway's guide. Every new try is a new payment."""

    RETRY = "retry"
    """The same card may work in a new payment."""
    NEW_METHOD = "new_method"
    """Another card or method is needed."""
    FIX_ENTRY = "fix_entry"
    """The card's details were mistyped."""
    CHECK_REQUEST = "check_request"
    """The shop sent something wrong; the customer can do nothing about it."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a payment failed. `code` is the gateway's word, "" when it sent none.

    `may_retry` tells whether the same card may be tried again. Another card may always be tried, except when
    the category is `check_request`.
    """

    code: str
    category: Category
    customer_text: str
    staff_text: str
    may_retry: bool


def decline_for(code: str | None) -> Decline:
    """Return what a decline code means; an unknown one reads like `generic_decline` and keeps its name."""
    return replace(DECLINES.get((code or "").strip().lower(), _GENERIC), code=code or "")


def _decline(code: str, category: Category, customer_text: str, staff_text: str) -> Decline:
    may_retry = category in (Category.RETRY, Category.FIX_ENTRY)
    return Decline(code, category, customer_text, staff_text, may_retry)


def _silent(code: str, staff_text: str) -> Decline:
    """Return a decline whose reason no customer may learn, neither from the text nor from what is offered."""
    return replace(_GENERIC, code=code, staff_text=staff_text)


_GENERIC = _decline(
    "generic_decline",
    Category.NEW_METHOD,
    _("Your card was declined. Please pay with another card, or ask your bank for help."),
    _("The bank declined without giving a reason. Suggest another card or a call to the bank."),
)
_REFUSED_BY_BANK = _("Your bank did not approve the payment. Please pay with another card, or ask your bank.")
_LIMIT_REACHED = _("Your card has reached a limit. Please pay with another card, try later or ask the bank.")
_SHOP_FAULT = _("Your payment could not be processed. Please contact us, so that we can put this right.")

_ALL = (
    _GENERIC,
    _decline(
        "do_not_honor",
        Category.NEW_METHOD,
        _REFUSED_BY_BANK,
        _("The bank refused and does not say why; do not guess. Suggest another card or a call to the bank."),
    ),
    _decline(
        "issuer_declined",
        Category.NEW_METHOD,
        _REFUSED_BY_BANK,
        _("The issuer of the card refused. Suggest another card or a call to the bank."),
    ),
    _decline(
        "insufficient_funds",
        Category.NEW_METHOD,
        _("There are not enough funds on your card. Please pay with another card, or check with your bank."),
        _("The account does not cover the amount. Suggest another card; the customer did nothing wrong."),
    ),
    _decline(
        "expired_card",
        Category.NEW_METHOD,
        _("Your card has expired. Please check the expiry date, or pay with another card."),
        _("The card has expired. It cannot work again; the customer needs its replacement or another card."),
    ),
    _decline(
        "invalid_number",
        Category.FIX_ENTRY,
        _("The card number is not right. Please check it and try again."),
        _("The card number does not exist, most likely a typing error. The customer should enter it again."),
    ),
    _decline(
        "invalid_expiry",
        Category.FIX_ENTRY,
        _("The expiry date of your card is not right. Please check it and try again."),
        _("The expiry date is not that of the card, most likely a typing error. It should be entered again."),
    ),
    _decline(
        "invalid_amount",
        Category.CHECK_REQUEST,
        _SHOP_FAULT,
        _("The gateway does not accept the amount. This is an error of the shop: tell the developers."),
    ),
    _decline(
        "invalid_currency",
        Category.CHECK_REQUEST,
        _SHOP_FAULT,
        _("The gateway does not accept the currency. This is an error of the shop: tell the developers."),
    ),
    _decline(
        "not_permitted",
        Category.NEW_METHOD,
        _("Your card cannot be used for this purchase. Please pay with another card."),
        _("The card does not allow this kind of purchase. Suggest another card or a call to the bank."),
    ),
    _decline(
        "cardholder_limit",
        Category.NEW_METHOD,
        _LIMIT_REACHED,
        _("A limit set by the customer or the bank is reached. Suggest another card or a call to the bank."),
    ),
    _decline(
        "card_velocity_exceeded",
        Category.NEW_METHOD,
        _LIMIT_REACHED,
        _(
            "The card was used too often, or for too much, in a short time. "
            "It may work again the next day. This is no sign of fraud."
        ),
    ),
    _silent(
        "lost_card",
        _("The card is reported lost. Never tell the customer. Do not try it again; watch for a pattern."),
    ),
    _silent(
        "stolen_card",
        _(
            "The card is reported stolen, the strongest sign of fraud. Never tell the customer. "
            "Do not try it again; check the order and the customer before you ship anything."
        ),
    ),
    _silent(
        "suspect_fraud",
        _(
            "The bank suspects fraud. Never tell the customer. "
            "Check the order and the customer before you accept another payment."
        ),
    ),
    _silent(
        "fraud_filter",
        _(
            "A fraud filter stopped the payment. Never tell the customer. "
            "Check the order and the customer before you accept another payment."
        ),
    ),
    _decline(
        "three_d_secure_failed",
        Category.RETRY,
        _("Your bank could not confirm that it is you. Please try again, or pay with another card."),
        _("The customer did not pass the bank's check (3-D Secure). A second try or another card can help."),
    ),
)
DECLINES: Mapping[str, Decline] = MappingProxyType({decline.code: decline for decline in _ALL})
