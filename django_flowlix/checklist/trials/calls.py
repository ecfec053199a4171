"""Single calls that try the gateway out with a test key, each on record like the shop's own.

Source: docs.flowlix.eu/guides/direct-api, docs.flowlix.eu/api-reference/{errors, test-mode}
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from ...conf import Account
from ...services import clock
from ...services.gateway import Gateway, new_client
from ...services.payment_request import return_url
from ..context import Context
from ..payer import PAYER

AMOUNT = Money.from_major("1.00", "EUR")
_POLL_SECONDS, _MOST_POLLS = 2.0, 30
_CALL_SECONDS = 5.0
_UNDECIDED = (GatewayStatus.PENDING, GatewayStatus.REQUIRES_ACTION, GatewayStatus.PROCESSING)
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
    def request_id(self) -> str:
        return self.payment.request_id if self.payment else self.error.request_id if self.error else ""

    def __str__(self) -> str:
        if self.payment is not None:
            facts = [self.payment.id, self.payment.gateway_status, self.decline_code]
        elif self.error is not None and self.error.status is not None:
            words = "/".join(filter(None, (self.error.type, self.error.code)))
            facts = [f"HTTP {self.error.status}", words, self.decline_code]
        else:
            return str(self.error)
        return ", ".join(filter(None, [*facts, f"request {self.request_id or 'without id'}"]))


def marked(context: Context) -> str:
    """Return a mark that no other run has: what this one makes at the gateway is called `flowlix-check-<mark>…`."""
    return f"{context.now:%Y%m%d%H%M%S}-{secrets.token_hex(4)}"


def name(context: Context, what: str) -> str:
    """Return the order reference, or the key, of something that this run makes."""
    return f"flowlix-check-{context.once(marked)}-{what}"


@contextmanager
def calling(account: Account) -> Iterator[FlowlixClient]:
    """Lend a client whose calls are written down afterwards."""
    gateway = Gateway(account, deadline_seconds=_CALL_SECONDS)
    try:
        yield gateway.client()
    finally:
        gateway.record()


def pay_directly(context: Context, number: str) -> Came:
    """Pay with a published test card and wait until the gateway has decided, at most a minute."""
    account = context.account
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

    return came_of(account, pay)


def _decided(client: FlowlixClient, payment: GatewayPayment) -> GatewayPayment:
    for _ in range(_MOST_POLLS):
        if payment.status not in _UNDECIDED:
            break
        clock.sleep(_POLL_SECONDS)
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
    account, key = context.account, name(context, "twice")
    request = HostedPaymentRequest(
        amount=AMOUNT,
        redirect_url=return_url(account, "flowlix-check"),
        customer=PAYER,
        description="flowlix_check",
        metadata={"order_reference": key, "idempotency_key": key},
    )
    changed = replace(request, amount=replace(AMOUNT, amount_minor=2 * AMOUNT.amount_minor))

    def send(request: HostedPaymentRequest) -> Came:
        return came_of(
            account,
            lambda client: client.create_hosted_payment(body=client.prepare(request), idempotency_key=key),
        )

    return Repeated(send(request), send(request), send(changed))


def send_invalid(context: Context) -> Came:
    """Send a create that no contract takes: an amount of nothing."""
    body = body_text({"amount": 0, "currency": "eur", "redirect_url": return_url(context.account, "flowlix-check")})
    return came_of(
        context.account,
        lambda client: client.create_hosted_payment(body=body, idempotency_key=name(context, "invalid")),
    )


def ask_for_nothing(context: Context) -> Came:
    """Ask for a payment that does not exist."""
    return came_of(context.account, lambda client: client.retrieve_payment(payment_id=_NO_PAYMENT))


def call_with_wrong_key(context: Context) -> Came:
    """Ask with a key that is nobody's; it is not on record, because it is no call of this account's key."""
    wrong = replace(context.account, secret_key=Secret(f"{context.account.contract.test_key_prefix}wrong"))
    try:
        return Came(new_client(wrong, deadline_seconds=_CALL_SECONDS).retrieve_payment(payment_id=_NO_PAYMENT))
    except FlowlixError as error:
        return Came(error=error)


def came_of(account: Account, call: Callable[[FlowlixClient], GatewayPayment]) -> Came:
    try:
        with calling(account) as client:
            return Came(call(client))
    except FlowlixError as error:
        return Came(error=error)
