"""What every contract is translated into: frozen values, no wire names outside `contracts/`.

Amounts are integers in minor units, times are Unix seconds, absent texts are "".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

from .money import Money


class GatewayStatus(StrEnum):
    """The gateway's view of a payment, the same words for every contract. UNKNOWN is a word we do not know."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class GatewayRefundStatus(StrEnum):
    """The gateway's view of a refund, the same words for every contract. UNKNOWN is a word we do not know."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. `country` is ISO 3166-1 alpha-2, `phone` international (`+49…`). Its repr shows nothing."""

    email: str
    first_name: str
    last_name: str
    country: str
    phone: str
    address: str
    city: str
    zip: str

    def __repr__(self) -> str:
        return "Customer(…)"

    def as_dict(self) -> dict[str, str]:
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCard:
    """A published test card for the direct create, which the self-check uses; real cards never pass through here."""

    number: str
    exp_month: int
    exp_year: int
    cvc: str
    holder_name: str

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __repr__(self) -> str:
        return "TestCard(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedPaymentRequest:
    """A hosted payment to be created; `redirect_url` is our return page, absolute. Its repr shows no text."""

    amount: Money
    redirect_url: str = field(repr=False)
    customer: Customer | None = None
    description: str = field(default="", repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectPaymentRequest:
    """A direct card payment with a published test card. Its repr shows no text."""

    amount: Money
    card: TestCard
    customer: Customer | None = None
    description: str = field(default="", repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund to be made: all of a payment, or a part where the contract can. Its repr does not show the reason."""

    payment_id: str
    amount: Money
    reason: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What may be known of the card that paid. Months 1-12, years with four digits, None while unknown."""

    brand: str = ""
    last4: str = ""
    exp_month: int | None = None
    exp_year: int | None = None
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRefund:
    """A refund as the gateway describes it within its payment; `gateway_status` is the raw word behind `status`.

    `id` is "" where the contract has no refund objects: a payment there has one refund at most. Its repr does not show
    the reason.
    """

    id: str
    amount_minor: int
    currency: str
    status: GatewayRefundStatus
    gateway_status: str
    reason: str = field(default="", repr=False)
    decline_code: str = ""
    decline_message: str = ""
    created_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPayment:
    """A payment as the gateway describes it in one answer.

    `livemode` is None when the answer does not say. `hosted_page_url` is where the customer pays, "" when the answer
    names none. `gateway_status` is the raw word behind `status`. `refunds` is None when the answer does not tell, and
    empty when it tells that there are none. `request_id` is that of the answer. Its repr shows neither the page, which
    is as good as a key to it, nor the metadata.
    """

    id: str
    amount_minor: int
    currency: str
    status: GatewayStatus
    gateway_status: str
    livemode: bool | None
    refunds: tuple[GatewayRefund, ...] | None = None
    hosted_page_url: str = field(default="", repr=False)
    card: Card | None = None
    decline_code: str = ""
    decline_message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    created_at: int | None = None
    request_id: str = ""

    @property
    def amount_refunded_minor(self) -> int:
        """What has been returned for certain: the sum of the refunds that succeeded."""
        return sum(r.amount_minor for r in self.refunds or () if r.status is GatewayRefundStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP try, as told to the observer: enough to explain it to the gateway's support, no body, header or key.

    `outcome` is `ok`, `error` (a definite answer), `unknown` (may have taken effect) or `not_sent`.
    """

    operation: str
    method: str
    path: str
    try_number: int
    outcome: str
    duration_ms: int
    idempotency_key: str = ""
    http_status: int | None = None
    request_id: str = ""
    error_type: str = ""
    error_code: str = ""
    decline_code: str = ""
    rate_limit_remaining: int | None = None
    retry_after_seconds: float | None = None
