"""Whether a payment can be refunded, how much of it, and every reason to refuse before a row or a request exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..api import Money, MoneyError, RefundRequest
from ..api.redaction import contains_card_number
from ..conf import Account
from ..conf import account as configured_account
from ..exceptions import InvalidRefundRequest
from ..models import Payment
from ..statuses import PaymentStatus, RefundStatus
from . import clock
from .payment_request import UNPRINTABLE

_MAX_REASON_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundQuote:
    """What can be given back of a payment now.

    `remaining` is neither refunded nor reserved, `reserved` is under way or not confirmed yet. `partial` tells whether
    a part may be refunded, or the whole only. `obstacles` are sentences why nothing can be refunded at all.
    """

    remaining: Money
    reserved: Money
    partial: bool
    max_reason_length: int
    obstacles: tuple[str, ...]


def quote(payment: Payment) -> RefundQuote:
    """Return what can be refunded, as far as our own database knows; one query, no request."""
    refunds = list(payment.refunds.all())
    reserved = _money(payment, sum(refund.amount_minor for refund in refunds if refund.is_open))
    counted_minor = sum(refund.amount_minor for refund in refunds if refund.status != RefundStatus.FAILED)
    # Refunds made in the dashboard beside ours may add up to more than there was.
    remaining = _money(payment, max(payment.amount_minor - counted_minor, 0))
    try:
        account = configured_account(payment.account)
    except ImproperlyConfigured:
        missing = _("The account “%(alias)s” of this payment is not configured any more.") % {"alias": payment.account}
        return RefundQuote(
            remaining=remaining, reserved=reserved, partial=False, max_reason_length=0, obstacles=(missing,)
        )
    return RefundQuote(
        remaining=remaining,
        reserved=reserved,
        partial=account.contract.partial_refunds,
        max_reason_length=account.contract.max_refund_reason_length or _MAX_REASON_LENGTH,
        obstacles=tuple(_obstacles(payment, account, remaining, reserved)),
    )


def check_refund(payment: Payment, amount: Money | None, reason: str) -> Money:
    """Return the amount to refund; None asks for all that is left.

    Raises: InvalidRefundRequest naming every fault at its field
    """
    quoted = quote(payment)
    if quoted.obstacles:
        raise InvalidRefundRequest({"payment": quoted.obstacles}, payment)
    fields: dict[str, tuple[str, ...]] = {}
    wanted = quoted.remaining
    if amount is not None:
        try:
            wanted = _same_kind(amount, payment)
            fields["amount"] = tuple(_amount_faults(wanted, quoted))
        except MoneyError as error:
            fields["amount"] = (str(error),)
    fields["reason"] = tuple(_reason_faults(reason, quoted.max_reason_length))
    if not any(fields.values()):
        fields["payment"] = tuple(_contract_faults(payment, wanted, reason.strip()))
    found = {name: faults for name, faults in fields.items() if faults}
    if found:
        raise InvalidRefundRequest(found, payment)
    return wanted


def wire_request(payment: Payment, amount: Money, reason: str) -> RefundRequest:
    return RefundRequest(payment_id=payment.gateway_id or "", amount=amount, reason=reason)


def _obstacles(payment: Payment, account: Account, remaining: Money, reserved: Money) -> Iterator[str]:
    if payment.status != PaymentStatus.SUCCEEDED or payment.gateway_id is None:
        yield _("Only a paid payment can be refunded; this one is “%(status)s”.") % {
            "status": payment.get_status_display()
        }
        return
    if payment.livemode is not account.livemode:
        made, configured = (_("live"), _("test")) if payment.livemode else (_("test"), _("live"))
        yield _("The payment was made with a %(made)s key, and a %(configured)s key is configured now.") % {
            "made": made,
            "configured": configured,
        }
    if payment.contract != account.contract_name:
        yield _("The payment was made under contract “%(made)s”, and “%(configured)s” is configured now.") % {
            "made": payment.contract,
            "configured": account.contract_name,
        }
    yield from _window_obstacles(payment, account)
    if not remaining.amount_minor:
        yield _nothing_left(payment, reserved)


def _window_obstacles(payment: Payment, account: Account) -> Iterator[str]:
    days = account.contract.refund_window_days
    if days is not None and clock.now() - payment.created_at >= timedelta(days=days):
        yield _("Refunds are possible for %(days)s days, and this payment was made on %(date)s.") % {
            "days": days,
            "date": date_format(payment.created_at, "DATE_FORMAT"),
        }


def _nothing_left(payment: Payment, reserved: Money) -> str:
    if not reserved.amount_minor:
        return _("The payment has been refunded in full.")
    return _("A refund of %(amount)s is under way, and nothing else is left to refund.") % {"amount": reserved}


def _same_kind(amount: Money, payment: Payment) -> Money:
    """Return the amount with the payment's decimals. Raises: MoneyError"""
    if not isinstance(amount, Money):
        raise MoneyError(_("Write the amount as Money, such as Money.from_major('12.50', 'EUR')."))
    if amount.currency != payment.currency:
        raise MoneyError(
            _("The payment was made in %(currency)s: refund it in the same currency.") % {"currency": payment.currency}
        )
    return amount.rescaled(payment.exponent)


def _amount_faults(amount: Money, quoted: RefundQuote) -> Iterator[str]:
    if not amount.amount_minor:
        yield _("Write an amount above zero.")
    elif amount > quoted.remaining:
        yield _("At most %(remaining)s can be refunded.") % {"remaining": quoted.remaining}
    elif amount != quoted.remaining and not quoted.partial:
        yield _("Payments of this account are refunded once and in full: %(remaining)s.") % {
            "remaining": quoted.remaining
        }


def _reason_faults(reason: object, max_length: int) -> Iterator[str]:
    if not isinstance(reason, str) or not reason.strip():
        yield _("Write the reason for the refund.")
        return
    text = reason.strip()
    if len(text) > max_length:
        yield _("The reason has %(length)s characters, at most %(most)s are allowed.") % {
            "length": len(text),
            "most": max_length,
        }
    if UNPRINTABLE.search(text):
        yield _("The reason contains a line break or control character: write it on one line.")
    if contains_card_number(text):
        yield _("The reason looks like it holds a card number: write the last four digits at most.")


def _contract_faults(payment: Payment, amount: Money, reason: str) -> Iterator[str]:
    yield from configured_account(payment.account).contract.refund_faults(wire_request(payment, amount, reason))


def _money(payment: Payment, amount_minor: int) -> Money:
    return Money(amount_minor, payment.currency, payment.exponent)
