"""What a merchant asks for, and every reason to refuse it before a row or a request exists."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from django.db import models
from django.urls import reverse

from ..api import Customer, HostedPaymentRequest, Money, MoneyError, Secret
from ..api.wire import body_text
from ..conf import Account
from ..conf.rules import is_own_address
from ..exceptions import InvalidPaymentRequest

MAX_REFERENCE_LENGTH = 255
_RESERVED = ("order_reference", "idempotency_key")
# Line breaks, control characters, marks that turn the reading direction, lone surrogates.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """A payment to collect for one order.

    `order_reference` is the merchant's own id of the order (1 to 255 characters, the same for every attempt), `order`
    optionally the order itself. `amount` is exact. `metadata` goes to the gateway; two entries are added to it.
    `account` names an entry of the FLOWLIX setting.
    """

    order_reference: str
    amount: Money
    customer: Customer | None = None
    order: models.Model | None = None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    account: str = "default"

    from_checklist: ClassVar[bool] = False
    """Is it a payment of the self-check, which is no order of the shop?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that has passed every rule, with what all attempts for it share."""

    account: Account
    request: PaymentRequest
    amount: Money
    success_url: str
    failure_url: str

    def body(self, return_token: str, idempotency_key: str) -> Secret:
        """Return the text to send for one attempt; the order and the key travel along so that it can be found again."""
        return body_text(self.account.contract.hosted_payment_body(_wire_request(self, return_token, idempotency_key)))


def draft(request: PaymentRequest, account: Account, *, success_url: str, failure_url: str) -> Draft:
    """Check a request. Raises: InvalidPaymentRequest naming all of its faults at once."""
    faults = [*_reference_faults(request.order_reference), *_type_faults(request), *_metadata_faults(request)]
    amount = request.amount
    if isinstance(amount, Money):
        try:
            amount = amount.rescaled(account.currency_exponents.get(amount.currency, amount.exponent))
        except MoneyError as error:
            faults.append(f"amount: {error}")
    else:
        faults.append(f'amount must be Money, such as Money.from_major("49.99", "EUR"), not {type(amount).__name__}')
    drafted = Draft(
        account=account,
        request=request,
        amount=amount,
        success_url=_target(success_url or account.success_url, request),
        failure_url=_target(failure_url or account.failure_url, request),
    )
    faults += _target_faults(drafted)
    if isinstance(amount, Money) and not faults:
        wire_request = _wire_request(drafted, secrets.token_urlsafe(32), "x")
        faults += account.contract.faults(wire_request)
    if faults:
        raise InvalidPaymentRequest(tuple(faults))
    return drafted


def return_url(account: Account, return_token: str) -> str:
    """Return where the gateway sends the customer back: BASE_URL and our return view, never the Host header."""
    return account.base_url + reverse("django_flowlix:return", args=[return_token])


def _wire_request(drafted: Draft, return_token: str, idempotency_key: str) -> HostedPaymentRequest:
    request = drafted.request
    ours = {"order_reference": request.order_reference, "idempotency_key": idempotency_key}
    return HostedPaymentRequest(
        amount=drafted.amount,
        redirect_url=return_url(drafted.account, return_token),
        customer=request.customer,
        description=request.description,
        metadata={**request.metadata, **ours},
    )


def _reference_faults(reference: Any) -> Iterator[str]:
    if not isinstance(reference, str) or not reference:
        yield "order_reference must be a text that names the order"
    elif len(reference) > MAX_REFERENCE_LENGTH:
        yield f"order_reference has {len(reference)} characters, at most {MAX_REFERENCE_LENGTH} are allowed"
    elif reference != reference.strip() or UNPRINTABLE.search(reference):
        # Databases disagree on whether trailing spaces count.
        yield "order_reference must not begin or end with white space or contain control characters"


def _type_faults(request: PaymentRequest) -> Iterator[str]:
    if request.order is not None and (not isinstance(request.order, models.Model) or request.order.pk is None):
        yield "order must be a saved model instance"
    if request.customer is not None and not isinstance(request.customer, Customer):
        yield f"customer must be a Customer, not {type(request.customer).__name__}"


def _metadata_faults(request: PaymentRequest) -> Iterator[str]:
    if not isinstance(request.metadata, Mapping):
        yield "metadata must be a dict of texts"
        return
    for name in _RESERVED:
        if name in request.metadata:
            yield f"metadata[{name}] is filled in for you: leave it out"


def _target(url: str, request: PaymentRequest) -> str:
    return url.replace("{order_reference}", quote(str(request.order_reference), safe="", errors="replace"))


def _target_faults(drafted: Draft) -> Iterator[str]:
    account = drafted.account
    for name in ("success_url", "failure_url"):
        url = getattr(drafted, name)
        if url and not is_own_address(url, base_url=account.base_url, hosts=account.redirect_hosts):
            yield f"{name} leads to a foreign host: write a path from /, or add the host to REDIRECT_HOSTS"
