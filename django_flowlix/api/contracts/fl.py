"""What the two contracts with `fl_` keys share: amounts and lowercase words, one object for payment and refunds.

Source: docs.flowlix.eu/api-reference/*, docs.flowlix.dev/api-reference/*
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from ..objects import (
    DirectPaymentRequest,
    GatewayPayment,
    GatewayRefund,
    GatewayStatus,
    HostedPaymentRequest,
    RefundRequest,
)
from . import reading, validation
from .base import Contract, MalformedObjectError


class FlContract(Contract):
    test_key_prefix = "fl_test_sk_"
    live_key_prefix = "fl_live_sk_"
    hosted_page_domains = ("flowlix.eu", "flowlix.dev")
    has_webhooks = False
    max_metadata_entries = 50

    identifiers: ClassVar[frozenset[str]] = frozenset({"order_reference", "idempotency_key"})
    max_metadata_value_length: ClassVar[int | None]
    statuses: ClassVar[Mapping[str, GatewayStatus]]
    hosted_page_names: ClassVar[tuple[str, ...]]
    """The fields of an answer that may name where the customer pays; the first one that does counts."""

    def faults(self, request: HostedPaymentRequest | DirectPaymentRequest) -> list[str]:
        faults = [*validation.amount_faults(request.amount)]
        if isinstance(request, HostedPaymentRequest):
            faults += validation.redirect_url_faults(request.redirect_url)
        faults += validation.customer_faults(request.customer, required=self.customer_required)
        faults += validation.description_faults(request.description)
        faults += validation.metadata_faults(
            request.metadata,
            max_entries=self.max_metadata_entries,
            max_value_length=self.max_metadata_value_length,
            ids=self.identifiers,
        )
        return faults

    def hosted_payment_body(self, request: HostedPaymentRequest) -> dict[str, Any]:
        return self._common_body(request) | {"redirect_url": request.redirect_url}

    def direct_payment_body(self, request: DirectPaymentRequest) -> dict[str, Any]:
        card = request.card
        return self._common_body(request) | {
            "card": {
                "number": card.number,
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "cvc": card.cvc,
                "holder_name": card.holder_name,
            }
        }

    def refund_faults(self, request: RefundRequest) -> list[str]:
        return [*validation.amount_faults(request.amount)]

    def refund_path(self, payment_id: str) -> str:
        return f"/v1/payments/{payment_id}/refund"

    def read_payment(self, data: object, *, sent_redirect_url: str = "") -> GatewayPayment:
        payment = reading.require_object(data)
        amount_minor = reading.require_amount(payment, "amount")
        currency = reading.require_text(payment, "currency").upper()
        word = reading.require_text(payment, "status")
        return GatewayPayment(
            id=reading.require_id(payment),
            amount_minor=amount_minor,
            currency=currency,
            status=self.statuses.get(word, GatewayStatus.UNKNOWN),
            gateway_status=word,
            livemode=reading.optional_bool(payment, "livemode"),
            refunds=self.read_refunds(payment, amount_minor=amount_minor, currency=currency, word=word),
            hosted_page_url=self._hosted_page_url(payment, sent_redirect_url),
            card=reading.optional_card(payment.get("card")),
            decline_code=reading.optional_text(payment, "decline_code", 64),
            decline_message=reading.optional_text(payment, "decline_message"),
            metadata=reading.text_entries(payment.get("metadata")),
            created_at=reading.optional_int(payment, "created"),
        )

    @abstractmethod
    def read_refunds(
        self, payment: Mapping[str, Any], *, amount_minor: int, currency: str, word: str
    ) -> tuple[GatewayRefund, ...] | None:
        """Return the refunds of a payment with this amount, currency and status word; None when it does not tell.

        Raises: MalformedObjectError
        """

    def read_list(self, data: object) -> tuple[list[Mapping[str, Any]], bool]:
        page = reading.require_object(data)
        entries, has_more = page.get("data"), page.get("has_more")
        if not isinstance(entries, list) or not isinstance(has_more, bool):
            raise MalformedObjectError("a list needs `data` and `has_more`")
        return [reading.require_object(entry) for entry in entries], has_more

    def sent_redirect_url(self, body: Mapping[str, Any]) -> str:
        return str(body.get("redirect_url", ""))

    @staticmethod
    def _common_body(request: HostedPaymentRequest | DirectPaymentRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "amount": request.amount.amount_minor,
            "currency": request.amount.currency.lower(),
            "metadata": dict(request.metadata),
        }
        if request.customer is not None:
            customer = request.customer.as_dict()
            body["customer"] = customer | {"phone": validation.compact_phone(customer["phone"])}
        if request.description:
            body["description"] = request.description
        return body

    def _hosted_page_url(self, payment: Mapping[str, Any], sent_redirect_url: str) -> str:
        """Return where the customer pays, never our own echo: in the request `redirect_url` means our page."""
        for name in self.hosted_page_names:
            url = payment.get(name)
            if isinstance(url, str) and url and url != sent_redirect_url:
                return url
        return ""
