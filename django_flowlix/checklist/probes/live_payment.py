"""`--live-payment`: real money, a little, paid by the person at the terminal, verified, and refunded if wanted."""

from __future__ import annotations

from collections.abc import Iterator

from ...api import Customer
from ...models import Payment
from ...statuses import PaymentStatus
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, passed, skipped, warned
from ..items import Stage
from ..trials.hosted_cycle import finding_of_refund, go_through, person_pays

_DETAILS = {
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "country": "Country (two letters, such as DE)",
    "phone": "Phone number (international, such as +49 30 901820)",
    "address": "Street and number",
    "city": "City",
    "zip": "Postal code",
}


@catalogue.REAL_PAYMENT.probe(Stage.LIVE_PAYMENT)
def real_payment(context: Context) -> Iterator[Finding]:
    amount = context.live_amount
    if not context.account.livemode or amount is None:
        yield failed("A real payment needs a live key and an amount: nothing was sent.", "Set the live key first.")
        return
    operator = context.operator
    operator.say(f"This takes {amount} of real money from the card that you pay with.")
    if not operator.confirms(f"Make a real payment of {amount} now?"):
        yield skipped("The real payment was not confirmed: nothing was sent.")
        return
    cycle = go_through(context, amount, _customer(context), person_pays)
    yield from cycle.findings
    if cycle.payment is not None and cycle.is_verified:
        yield _refunded(context, cycle.payment)


def _customer(context: Context) -> Customer | None:
    """Ask who pays where the gateway wants to know; nobody else's details would pass the card's checks."""
    if not context.account.contract.customer_required:
        return None
    context.operator.say("The gateway wants to know who pays. Write the details of the card's holder.")
    return Customer(**{name: context.operator.asks(question) for name, question in _DETAILS.items()})


def _refunded(context: Context, payment: Payment) -> Finding:
    if payment.status != PaymentStatus.SUCCEEDED:
        return failed(f"{payment.gateway_id} is not paid any more.", "Look at it in the admin.")
    if not context.operator.confirms(f"Refund {payment.amount} now?"):
        words = f"{payment.amount} was paid and verified, and was not refunded."
        return warned(words, "Refund it in the admin: that a refund works is part of the line.")
    found = finding_of_refund(payment)
    return passed(f"{found.looked_at} The money goes back to the card.") if found.outcome == "pass" else found
