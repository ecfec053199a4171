"""`--live-payment`: real money, a little, paid by the person at the terminal, verified, and refunded if wanted.

What it found says something of that moment only; how the line stands is for the database to say, see `going_live`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import F

from ...api import Customer
from ...api.contracts.validation import customer_faults
from ...models import Payment
from ...models.payment import PaymentQuerySet
from ...statuses import REFUND_OPEN, WAITING, PaymentStatus
from .. import catalogue
from ..context import Context
from ..findings import Finding, Outcome, failed, noted, passed
from ..items import Stage
from ..trials.hosted_cycle import Cycle, book, finding_of_refund, go_on, go_through, person_pays

WHOLE = passed("A real payment was made, verified by the server, and refunded: the money goes back to the card.")
_MOST_TRIES = 3
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
    if not context.account.livemode or context.live_amount is None:
        yield failed("A real payment needs a live key and an amount: nothing was sent.", "Set the live key first.")
        return
    for finding in _step_by_step(context):
        # What is not whole would stand under the line until the next real payment, whatever has been done about it.
        yield finding if finding.outcome is Outcome.FAIL or finding is WHOLE else replace(finding, outcome=Outcome.NOTE)


def _step_by_step(context: Context) -> Iterator[Finding]:
    for earlier in _earlier(context).filter(status=PaymentStatus.SUCCEEDED):
        if context.operator.confirms(f"{_named(earlier)} was paid and not refunded. Refund it now?"):
            yield finding_of_refund(earlier)
    cycle = Cycle()
    yield from _payment(context, cycle)
    if cycle.payment is None or not cycle.is_verified:
        return
    if context.operator.confirms(f"Refund {cycle.payment.amount} now?"):
        refunded = finding_of_refund(cycle.payment)
        yield refunded
        if refunded.outcome is Outcome.PASS:
            yield WHOLE
    else:
        yield noted(f"{cycle.payment.amount} was paid and verified, and was not refunded: that is for the admin now.")


def _payment(context: Context, cycle: Cycle) -> Iterator[Finding]:
    """Go on with a payment that an earlier run left open, if the person wants that, or make a new one."""
    for earlier in _earlier(context).filter(status__in=WAITING):
        book(earlier)
        if earlier.is_waiting and context.operator.confirms(f"{_named(earlier)} is still open. Go on with it?"):
            yield from go_on(context, cycle, earlier, person_pays)
            return
    yield from _new_payment(context, cycle)


def _earlier(context: Context) -> PaymentQuerySet:
    """Return the real payments of earlier runs that are not refunded nor being refunded, the latest first."""
    ours = Payment.objects.filter(account=context.account.alias, livemode=True, from_checklist=True)
    unrefunded = ours.filter(amount_refunded_minor__lt=F("amount_minor"))
    return unrefunded.exclude(refunds__status__in=REFUND_OPEN).order_by("-created_at")


def _named(payment: Payment) -> str:
    return f"The real payment {payment.gateway_id} of {payment.created_at:%Y-%m-%d %H:%M} UTC over {payment.amount}"


def _new_payment(context: Context, cycle: Cycle) -> Iterator[Finding]:
    amount = context.live_amount
    assert amount is not None  # noqa: S101  narrows: asked above
    context.operator.say(f"This takes {amount} of real money from the card that you pay with.")
    if not context.operator.confirms(f"Make a real payment of {amount} now?"):
        yield noted("The real payment was not confirmed: nothing was sent.")
        return
    try:
        customer = _customer(context)
    except ValueError as error:
        yield failed(
            f"The details of who pays cannot be used: {error}. Nothing was sent.", "Correct them, and try again."
        )
    else:
        yield from go_through(context, cycle, amount, customer, person_pays)


def _customer(context: Context) -> Customer | None:
    """Ask who pays where the gateway wants to know; nobody else's details would pass the card's checks.

    Raises: ValueError naming the faults when they cannot be used, three times
    """
    if not context.account.contract.customer_required:
        return None
    context.operator.say("The gateway wants to know who pays. Write the details of the card's holder.")
    faults: list[str] = []
    for _ in range(_MOST_TRIES):
        customer = Customer(**{name: context.operator.asks(question) for name, question in _DETAILS.items()})
        faults = [*customer_faults(customer, required=True)]
        if not faults:
            return customer
        context.operator.say(f"That cannot be used: {'; '.join(faults)}. Please write them again.")
    raise ValueError("; ".join(faults))
