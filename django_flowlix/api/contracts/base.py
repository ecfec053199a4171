"""What a contract has to answer: how requests are written, answers are read, and what the gateway can do.

Nothing outside this package knows a wire name. Methods are pure; reading is strict on what money needs (id, amount,
currency, status) and tolerant otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ..objects import DirectPaymentRequest, GatewayPayment, HostedPaymentRequest, RefundRequest


class MalformedObjectError(ValueError):
    """An answer lacks what money needs, or holds it in a form that must not be guessed at."""


class Contract(ABC):
    """One generation of the Flowlix API."""

    name: ClassVar[str]
    api_url: ClassVar[str]
    test_key_prefix: ClassVar[str]
    live_key_prefix: ClassVar[str]
    hosted_page_domains: ClassVar[tuple[str, ...]]
    """The hosted page lives on these domains or below them; a redirect to any other host is refused."""
    requests_per_minute: ClassVar[int]
    ends_unpaid_payments: ClassVar[bool]
    """Does a payment whose customer never pays come to an end by itself? If not, it waits for ever."""
    has_webhooks: ClassVar[bool]
    """Does the gateway tell of changes by itself? If not, it is asked."""
    partial_refunds: ClassVar[bool]
    """May a refund be less than the whole payment? Its amount is then written in a body; else there is no body."""
    keeps_failed_answers: ClassVar[bool]
    """Is a failed request's answer kept under its key? If not, repeating one that failed after its work works again."""
    refund_window_days: ClassVar[int | None]
    """For how long after its creation a payment can be refunded; None: the documentation sets no limit."""
    max_refund_reason_length: ClassVar[int | None]
    """How many characters of a refund's reason are sent; None: the reason is not sent."""
    customer_required: ClassVar[bool]
    """Must a create say who pays?"""
    max_metadata_entries: ClassVar[int]
    test_cards: ClassVar[Mapping[str, str]]
    """The published test cards, by the decline code that each brings about; "" is one that is accepted."""

    def livemode_of(self, secret_key: str) -> bool | None:
        """Return the mode a key belongs to, None when its prefix is not one of this contract's."""
        if secret_key.startswith(self.live_key_prefix):
            return True
        return False if secret_key.startswith(self.test_key_prefix) else None

    @abstractmethod
    def faults(self, request: HostedPaymentRequest | DirectPaymentRequest) -> list[str]:
        """Return every way in which a request breaks the contract; values are never quoted."""

    @abstractmethod
    def hosted_payment_body(self, request: HostedPaymentRequest) -> dict[str, Any]: ...

    @abstractmethod
    def direct_payment_body(self, request: DirectPaymentRequest) -> dict[str, Any]: ...

    @abstractmethod
    def refund_faults(self, request: RefundRequest) -> list[str]:
        """Return every way in which a refund breaks the contract; values are never quoted."""

    @abstractmethod
    def refund_path(self, payment_id: str) -> str: ...

    @abstractmethod
    def refund_body(self, request: RefundRequest) -> dict[str, Any] | None:
        """Return the body of a refund, None where the contract sends none."""

    @abstractmethod
    def read_payment(self, data: object, *, sent_redirect_url: str = "") -> GatewayPayment:
        """Translate a payment object.

        `sent_redirect_url` is what the create request carried: an echo of it is not the hosted page.

        Raises: MalformedObjectError
        """

    @abstractmethod
    def read_list(self, data: object) -> tuple[list[Mapping[str, Any]], bool]:
        """Return the objects of one page and whether there are more. Raises: MalformedObjectError"""

    @abstractmethod
    def sent_redirect_url(self, body: Mapping[str, Any]) -> str:
        """Return our return address from the body of a hosted create."""
