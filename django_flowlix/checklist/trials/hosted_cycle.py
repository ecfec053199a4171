"""A whole payment at the hosted page: session, redirect, return, verification by the server; and its refund.

It is the shop's own way to be paid, through the same services and views. The payment is no order of the shop: its rows
say so, and the merchant's code is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db import DatabaseError

from ...api import Customer, FlowlixError, GatewayStatus, Money
from ...exceptions import PaymentError
from ...models import Payment, Refund
from ...services import PaymentRequest, clock, refund_payment, start_payment, sync_payment
from ...services.payment_request import return_url
from ...statuses import REFUND_OPEN, ChangeSource, PaymentStatus, RefundStatus
from ..context import Context
from ..findings import Finding, failed, passed, skipped, warned
from ..payer import PAYER
from ..refusals import is_temporary, words_of
from . import emulated_customer
from .calls import AMOUNT, MOST_POLLS, POLL_SECONDS, UNDECIDED, came_of, name

WAIT_SECONDS = 15 * 60
_LOOK_EVERY_SECONDS = 10.0
_RETURN_MAY_TAKE_SECONDS = 15.0
_UNDECIDED = (*UNDECIDED, GatewayStatus.UNKNOWN)


class _Request(PaymentRequest):
    """A payment of the self-check."""

    from_checklist = True


@dataclass(slots=True)
class Cycle:
    """What was found on the way; `payment` is paid and verified when `is_verified`."""

    findings: list[Finding] = field(default_factory=list)
    payment: Payment | None = None
    is_verified: bool = False


def try_cycle(context: Context) -> Cycle:
    """Go through the hosted page with a test card: a person does, or a customer made of code at an emulator's."""
    cycle = Cycle()
    pays = _emulated if emulated_customer.is_emulated(context.account) else person_pays
    cycle.findings += go_through(context, cycle, AMOUNT, PAYER, pays)
    return cycle


def go_through(
    context: Context,
    cycle: Cycle,
    amount: Money,
    customer: Customer | None,
    pays: Callable[[Context, Payment], Iterable[Finding]],
) -> Iterator[Finding]:
    """Start a payment, let `pays` pay it, and see what the shop knows of it then; `cycle` is filled in on the way."""
    request = _Request(
        order_reference=name(context, "cycle"),
        amount=amount,
        customer=customer,
        description="flowlix_check",
        account=context.account.alias,
    )
    try:
        cycle.payment = payment = start_payment(request)
    except PaymentError as error:
        yield _not_started(error)
        return
    yield passed(f"Session: {payment.gateway_id} over {payment.amount} was created (request {payment.request_id}).")
    yield from go_on(context, cycle, payment, pays)


def go_on(
    context: Context, cycle: Cycle, payment: Payment, pays: Callable[[Context, Payment], Iterable[Finding]]
) -> Iterator[Finding]:
    """Let `pays` pay a payment that was started, and see what the shop knows of it then."""
    cycle.payment = payment
    try:
        yield from pays(context, payment)
        yield _verify(cycle, payment)
    except DatabaseError as error:
        yield failed(
            f"{payment.gateway_id} over {payment.amount} was started, and may be paid: the database could not be read "
            f"({type(error).__name__}).",
            "Do not pay again: flowlix_sync goes on watching it, and its page in the admin says how it stands.",
        )


def _not_started(error: PaymentError) -> Finding:
    words = f"Session: the payment could not be started: {words_of(error)}."
    if is_temporary(error):
        return skipped(words, "Try again when the gateway answers; flowlix_sync settles what was begun.")
    return failed(words, "Correct what is named, then try again.")


def _verify(cycle: Cycle, payment: Payment) -> Finding:
    """See whether the server itself has asked, and who made it ask."""
    payment.refresh_from_db()
    change = payment.status_changes.filter(refund=None, to_status=PaymentStatus.SUCCEEDED).first()
    if payment.status != PaymentStatus.SUCCEEDED or change is None:
        words = f"Verification: {payment.gateway_id} is {payment.get_status_display()}, not paid."
        if payment.is_open:
            return skipped(words, "flowlix_sync goes on watching it; pay it, or try again.")
        return failed(words, "Go through the page again with a card that is accepted.")
    cycle.is_verified = True
    asked = f"the server asked the gateway, which says {payment.gateway_status} (request {change.request_id})"
    if change.source == ChangeSource.RETURN:
        return passed(f"Return and verification: {asked}.")
    words = f"Verification: {asked}, but nobody came back through the return address."
    return warned(words, "Does the shop run at BASE_URL? See return-address.")


def _emulated(context: Context, payment: Payment) -> Iterator[Finding]:
    location = emulated_customer.pay(
        payment.hosted_page_url, context.account.contract.test_cards[""], context.now.year + 3
    )
    if not location.startswith(f"{return_url(context.account, payment.return_token)}?"):
        yield failed("Redirect: the page did not lead back to the return address.", "See the emulator's log.")
        return
    status, target = emulated_customer.come_back(location)
    payment.refresh_from_db()
    if status != 302 or payment.is_open:
        led = f" and led to {urlsplit(target).path}" if target else ""
        words = f"Return: the return address answered HTTP {status} in this process{led}, and nothing was verified."
        yield failed(words, "See the shop's log; ALLOWED_HOSTS or a middleware may stand in the way.")
        return
    yield passed("Redirect: the page led back to the return address, which led on to the shop's result.")


def person_pays(context: Context, payment: Payment) -> Iterator[Finding]:
    """Give a person the page's address, and wait until the payment is decided."""
    operator, look = context.operator, _Watch(context, payment)
    operator.say(
        f"Open this page, pay {payment.amount} there, and come back to the shop:\n\n{payment.hosted_page_url}\n"
    )
    over = operator.waits("Waiting for the payment", WAIT_SECONDS, look.is_over)
    payment.refresh_from_db()
    if payment.is_open:
        book(payment)  # whoever stopped waiting may have paid all the same
    if not over and payment.is_open:
        yield skipped("Redirect: nobody paid at the page while this command waited.", "Run it again at a terminal.")
    else:
        yield passed("Redirect: the page's address was given to a person, who went through it.")


@dataclass(slots=True)
class _Watch:
    """Looks whether the customer has come back; one who has paid and does not come is waited for a little longer."""

    context: Context
    payment: Payment
    looked_at: float = field(default_factory=lambda: clock.monotonic())
    decided_at: float | None = None

    def is_over(self) -> bool:
        try:
            return self._is_over()
        except DatabaseError:  # it may come back, and the customer is at the page
            return False

    def _is_over(self) -> bool:
        self.payment.refresh_from_db()
        if not self.payment.is_open:
            return True
        now = clock.monotonic()
        if self.decided_at is None and now - self.looked_at >= _LOOK_EVERY_SECONDS:
            self.looked_at = now
            # Only a look: the return view is to be the one that books.
            payment_id = str(self.payment.gateway_id)
            came = came_of(self.context, lambda client: client.retrieve_payment(payment_id=payment_id))
            if came.payment is not None and came.payment.status not in _UNDECIDED:
                self.decided_at = now
        return self.decided_at is not None and now - self.decided_at >= _RETURN_MAY_TAKE_SECONDS


def book(payment: Payment) -> None:
    """Ask the gateway how a payment stands, and book it; what cannot be asked now stays as it is."""
    try:
        sync_payment(payment)
    except (FlowlixError, PaymentError):
        payment.refresh_from_db()


def refund(payment: Payment) -> Refund:
    """Refund all of a payment and wait until the gateway has decided, at most a minute. Raises: PaymentError"""
    made = refund_payment(payment, reason="flowlix_check")
    for _ in range(MOST_POLLS):
        if made.status not in REFUND_OPEN:
            break
        clock.sleep(POLL_SECONDS)
        book(payment)
        made.refresh_from_db()
    return made


def finding_of_refund(payment: Payment) -> Finding:
    """Refund a payment and say what came of it."""
    try:
        made = refund(payment)
    except PaymentError as error:
        return failed(f"Refund: {words_of(error)}.", "Refund it in the admin, or in the gateway's dashboard.")
    words = f"Refund: {made.amount} of {payment.gateway_id} is {made.get_status_display()}"
    if made.status == RefundStatus.SUCCEEDED:
        return passed(f"{words} (request {made.request_id or 'without id'}).")
    if made.status in REFUND_OPEN:
        return skipped(f"{words} after a minute.", "flowlix_sync watches it: check again later.")
    return failed(
        f"{words}{made.decline_code and ', ' + made.decline_code}.",
        "Refund it in the admin, or in the gateway's dashboard.",
    )
