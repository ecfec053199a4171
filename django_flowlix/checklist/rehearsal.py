"""Rehearsals: the account's own client before a gateway that is a script, in this process and on a clock of its own.

Nothing goes over the network, nobody sleeps and nothing is recorded. What the settings make of the client is rehearsed
with it: its timeouts and its budget for tries and waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..api import FlowlixClient, FlowlixError, HostedPaymentRequest, Money, RefundRequest, Secret
from ..api.idempotency import payment_key, refund_key
from ..api.transport import Answer, TransportError
from ..conf import Account
from ..services.gateway import new_client
from .payer import PAYER

ANSWER_SECONDS = 0.5
"""How long the scripted gateway takes to answer."""
BEGINS_AT = 1_700_000_000.0
"""The Unix time at which every rehearsal begins."""

PATCHED = "Is django_flowlix.api replaced or patched in this project?"
"""What to do about a rehearsal that goes wrong although the settings leave it room."""

Act = Callable[[FlowlixClient, Account], object]

# As both contracts document the payment object.
_PAYMENT = {
    "id": "pay_rehearsal",
    "object": "payment",
    "amount": 1099,
    "currency": "eur",
    "status": "pending",
    "hpp_url": "https://pay.flowlix.eu/s/rehearsal",
    "redirect_url": "https://pay.flowlix.eu/s/rehearsal",
    "metadata": {},
    "created": 1_700_000_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One request as it would have gone out, without the key; `at_seconds` counts from the beginning."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Secret | None
    at_seconds: float

    @property
    def idempotency_key(self) -> str:
        return self.headers.get("Idempotency-Key", "")


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One call to the script, whose last reply is given again and again; None is an answer that never comes."""

    replies: Sequence[Answer | None]
    tries: list[Try] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    error: FlowlixError | None = None
    seconds: float = 0.0

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str | int] | None = None,
        body: Secret | None = None,
        timeout_seconds: tuple[float, float],
    ) -> Answer:
        """Note the request and reply as the script says (called by the client). Raises: TransportError"""
        self.tries.append(Try(method=method, path=path, headers=headers, body=body, at_seconds=self.seconds))
        reply = self.replies[min(len(self.tries), len(self.replies)) - 1]
        if reply is None or timeout_seconds[1] < ANSWER_SECONDS:
            self.seconds += timeout_seconds[1]
            raise TransportError("rehearsed: no answer in time", sent=True)
        self.seconds += ANSWER_SECONDS
        return reply

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def now(self) -> float:
        return BEGINS_AT + self.seconds


def rehearse(
    account: Account,
    *replies: Answer | None,
    act: Act | None = None,
    chance: float = 0.0,
    deadline_seconds: float | None = None,
) -> Rehearsal:
    """Play one call, a create unless told otherwise, and return what the client did.

    `chance` is the jitter's, in [0, 1); `deadline_seconds` is RETRY_BUDGET unless told otherwise.
    """
    played = Rehearsal(replies=replies)
    client = new_client(
        account,
        transport=played,
        sleep=played.sleep,
        monotonic=lambda: played.seconds,
        now=played.now,
        chance=lambda: chance,
        deadline_seconds=account.retry_budget_seconds if deadline_seconds is None else deadline_seconds,
    )
    try:
        (act or create)(client, account)
    except FlowlixError as error:
        played.error = error
    return played


def hosted_request(account: Account, amount: Money) -> HostedPaymentRequest:
    """Return a request that breaks no rule of the contract, but for the amount's currency where it takes few."""
    return HostedPaymentRequest(
        amount=amount,
        redirect_url=f"{account.base_url}/rehearsal/",
        customer=PAYER,
        description="Rehearsal of the go-live checklist",
        metadata={"order_reference": "rehearsal"},
    )


def create(client: FlowlixClient, account: Account, amount: Money | None = None) -> None:
    body = client.prepare(hosted_request(account, amount or Money(1099, "EUR")))
    client.create_hosted_payment(body=body, idempotency_key=payment_key("rehearsal", 1, account.idempotency_namespace))


def refund(client: FlowlixClient, account: Account) -> None:
    request = RefundRequest(payment_id="pay_rehearsal", amount=Money(1099, "EUR"), reason="Rehearsal")
    client.refund_payment(
        payment_id=request.payment_id,
        body=client.prepare_refund(request),
        idempotency_key=refund_key("rehearsal", 1, account.idempotency_namespace),
    )


def accepted(status: int = 201) -> Answer:
    """Return the answer that ends a call well."""
    return Answer(status, {"Flowlix-Request-Id": "req_rehearsal"}, json.dumps(_PAYMENT).encode())


def refusal(status: int, kind: str, *, headers: Mapping[str, str] | None = None, **fields: Any) -> Answer:
    """Return an error answer as it is documented, with all keys of the error object."""
    empty = {"code": None, "message": "Rehearsed.", "param": None, "decline_code": None, "doc_url": None}
    error = {"type": kind, **empty, "request_id": "req_rehearsal", **fields}
    sent = {"Flowlix-Request-Id": "req_rehearsal", **(headers or {})}
    return Answer(status, sent, json.dumps({"error": error}).encode())
