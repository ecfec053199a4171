"""Single calls that try the gateway out with a test key, each on record like the shop's own.

Source: docs.flowlix.eu/guides/direct-api, docs.flowlix.eu/api-reference/{errors, test-mode}
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...api import (
    DirectPaymentRequest,
    FlowlixClient,
    FlowlixError,
    GatewayPayment,
    GatewayStatus,
    HostedPaymentRequest,
    Money,
    Secret,
    TestCard,
)
from ...api.wire import body_text
from ...services import clock
from ...services.gateway import Gateway, new_client
from ...services.payment_request import return_url
from ..context import Context
from ..payer import PAYER
from ..refusals import is_temporary, words_of

AMOUNT = Money.from_major("1.00", "EUR")
POLL_SECONDS, MOST_POLLS = 2.0, 30
_CALL_SECONDS = 5.0
UNDECIDED = (GatewayStatus.PENDING, GatewayStatus.REQUIRES_ACTION, GatewayStatus.PROCESSING)
_NO_PAYMENT = "pay_00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Came:
    """What a call came to: a payment, or an error."""

    payment: GatewayPayment | None = None
    error: FlowlixError | None = None

    @property
    def decline_code(self) -> str:
        return self.payment.decline_code if self.payment else self.error.decline_code if self.error else ""

    @property
    def is_temporary(self) -> bool:
        """Does it say nothing, because the gateway was busy, away or failing?"""
        return self.error is not None and is_temporary(self.error)

    def __str__(self) -> str:
        if self.payment is None:
            return words_of(self.error) if self.error is not None else "nothing"
        facts = (self.payment.id, self.payment.gateway_status, self.payment.decline_code)
        return ", ".join(filter(None, [*facts, f"request {self.payment.request_id or 'without id'}"]))


def marked(context: Context) -> str:
    """Return a mark that no other run has: what this one makes at the gateway is called `flowlix-check-<mark>…`."""
    return f"{context.now:%Y%m%d%H%M%S}-{secrets.token_hex(4)}"


def name(context: Context, what: str) -> str:
    """Return the order reference, or the key, of something that this run makes."""
    return f"flowlix-check-{context.once(marked)}-{what}"


def seen_live(context: Context) -> list[str]:
    """Return the ids of payments of this run that the gateway calls live, though the key's prefix says test.

    The mode really comes from the merchant's record behind the key: once there is one, nothing more may be tried.
    """
    return []


def came_of(context: Context, call: Callable[[FlowlixClient], GatewayPayment]) -> Came:
    """Make calls with a client of their own; they are written down whatever becomes of them. Raises: DatabaseError"""
    gateway = Gateway(context.account, deadline_seconds=_CALL_SECONDS)
    try:
        payment = call(gateway.client())
    except FlowlixError as error:
        return Came(error=error)
    finally:
        gateway.record()
    if payment.livemode is True and not context.account.livemode:
        context.once(seen_live).append(payment.id)
    return Came(payment)


def pay_directly(context: Context, number: str) -> Came:
    """Pay with a published test card and wait until the gateway has decided, at most a minute."""
    request = DirectPaymentRequest(
        amount=AMOUNT,
        card=TestCard(
            number=number, exp_month=12, exp_year=context.now.year + 3, cvc="123", holder_name="Flowlix Check"
        ),
        customer=PAYER,
        description="flowlix_check",
    )

    def pay(client: FlowlixClient) -> GatewayPayment:
        key = name(context, f"card-{number[-4:]}")
        return _decided(client, client.create_direct_payment(body=client.prepare(request), idempotency_key=key))

    return came_of(context, pay)


def _decided(client: FlowlixClient, payment: GatewayPayment) -> GatewayPayment:
    for _ in range(MOST_POLLS):
        if payment.status not in UNDECIDED:
            break
        clock.sleep(POLL_SECONDS)
        payment = client.retrieve_payment(payment_id=payment.id)
    return payment


@dataclass(frozen=True, slots=True)
class Repeated:
    """A create, the same again, and another body under the same key."""

    first: Came
    again: Came
    changed: Came


def repeat(context: Context) -> Repeated:
    """Send the same create twice and then another body under its key; nobody pays at the page that comes of it."""
    request, key = _request(context, "twice"), name(context, "twice")
    changed = replace(request, amount=replace(AMOUNT, amount_minor=2 * AMOUNT.amount_minor))

    def send(request: HostedPaymentRequest) -> Came:
        return came_of(
            context, lambda client: client.create_hosted_payment(body=client.prepare(request), idempotency_key=key)
        )

    return Repeated(send(request), send(request), send(changed))


def _request(context: Context, what: str) -> HostedPaymentRequest:
    reference = name(context, what)
    return HostedPaymentRequest(
        amount=AMOUNT,
        redirect_url=return_url(context.account, "flowlix-check"),
        customer=PAYER,
        description="flowlix_check",
        metadata={"order_reference": reference, "idempotency_key": reference},
    )


def send_invalid(context: Context) -> Came:
    """Send a create that no contract takes: an amount of nothing."""
    nothing = replace(_request(context, "invalid"), amount=replace(AMOUNT, amount_minor=0))
    body = body_text(context.account.contract.hosted_payment_body(nothing))
    key = name(context, "invalid")
    return came_of(context, lambda client: client.create_hosted_payment(body=body, idempotency_key=key))


def ask_for_nothing(context: Context) -> Came:
    """Ask for a payment that does not exist."""
    return came_of(context, lambda client: client.retrieve_payment(payment_id=_NO_PAYMENT))


def call_with_wrong_key(context: Context) -> Came:
    """Ask with a key that is nobody's; it is not on record, because it is no call of this account's key."""
    wrong = replace(context.account, secret_key=Secret(f"{context.account.contract.test_key_prefix}wrong"))
    try:
        return Came(new_client(wrong, deadline_seconds=_CALL_SECONDS).retrieve_payment(payment_id=_NO_PAYMENT))
    except FlowlixError as error:
        return Came(error=error)
