"""Contract `eu` (api.flowlix.eu): synchronous, lowercase words, 402 on a declined direct payment, one full refund.

Source: docs.flowlix.eu/api-reference/*, docs.flowlix.eu/guides/{direct-api, hosted-payment-page, refunds}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import schema
from ..answers import Answer, RefusalError, invalid, json_answer
from ..cards import UNPUBLISHED_CARDS, ScriptedCard
from ..charging import charge
from ..listing import QueryCheck, cursor
from ..payments import NotAllowedInThisStateError, Payment
from ..refunds import Refund, RefundNotAllowedError
from .base import Call, Contract, Operation, RefundOrder
from .operations import new_hosted_payment, new_payment, payment_answer, payment_operations, refunded
from .parameters import AMOUNT, CARD, CUSTOMER, DESCRIPTION, entered_card
from .payment_object import payment_object

_COMMON = {
    "amount": AMOUNT,
    "currency": schema.text(pattern=r"[a-z]{3}", says="three lowercase letters such as eur"),
    "customer": CUSTOMER,
}
_OPTIONAL = {"description": DESCRIPTION, "metadata": schema.text_map(50)}
_DIRECT = schema.mapping({**_COMMON, "card": CARD}, _OPTIONAL)
# The page announces a callback address without showing its name: until it is known, sending one is refused.
_HOSTED = schema.mapping({**_COMMON, "redirect_url": schema.absolute_url}, _OPTIONAL)
_NO_PARAMETERS = schema.mapping({})


class EuContract(Contract):
    name = "eu"
    key_prefixes = {"fl_test_sk_": False, "fl_live_sk_": True}
    request_id_header = "Flowlix-Request-Id"
    requests_per_minute = 100
    errors_url = "https://docs.flowlix.eu/api-reference/errors"
    statuses = ("pending", "succeeded", "failed", "refunded")
    page_url_fields = ("both", "hpp_url", "redirect_url")
    test_cards = (
        ScriptedCard("4242424242424242", "Visa, succeeds"),
        ScriptedCard("5555555555554444", "Mastercard, succeeds"),
        ScriptedCard("4000000000000002", "Declined", "generic_decline"),
        ScriptedCard("4000000000009995", "Insufficient funds", "insufficient_funds"),
        *UNPUBLISHED_CARDS,
    )

    @property
    def operations(self) -> tuple[Operation, ...]:
        return payment_operations(create_direct=create_direct, create_hosted=create_hosted, refund=refund)

    @property
    def list_parameters(self) -> Mapping[str, QueryCheck]:
        return {**super().list_parameters, "ending_before": cursor}

    def check_headers(self, headers: Mapping[str, str]) -> None:
        version = headers.get("flowlix-version")
        if version is not None and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", version):
            raise invalid("Flowlix-Version", "Flowlix-Version must look like 2025-01-31.")

    def stores(self, answer: Answer) -> bool:
        """Keep errors too: the page on idempotency speaks of the response and does not limit it to success."""
        return answer.status < 500

    def render(self, payment: Payment, page_url_field: str) -> dict[str, Any]:
        echoed = payment.merchant_url if page_url_field == "hpp_url" else payment.hosted_page_url
        return payment_object(payment, echoed)

    def cancel(self, payment: Payment, now: float) -> None:
        """Fail the payment: this contract knows neither `canceled` nor `expired`, and pending would never end."""
        payment.fail(None, None, "The customer canceled the payment.", now)

    def expire(self, payment: Payment) -> None:
        raise ValueError("expire is not possible: contract eu has no status expired. Use cancel or decline")

    def refund(self, payment: Payment, order: RefundOrder) -> None:
        """Refund in full, at once and only once. Source: docs.flowlix.eu/guides/refunds"""
        if order.amount_minor not in (None, payment.amount_minor):
            raise RefundNotAllowedError("parameter_invalid", "Contract eu refunds in full only: leave the amount out.")
        # The entry is for tests that ask: this contract's wire shows neither entries nor reasons.
        entry = Refund("", payment.amount_minor, payment.currency, order.reason, int(order.now))
        try:
            payment.add_refund(entry)
        except NotAllowedInThisStateError as error:
            again = error.status == "refunded"
            code = "payment_already_refunded" if again else "payment_not_refundable"
            message = f"Only a succeeded payment can be refunded; this one is {error.status}."
            raise RefundNotAllowedError(code, message) from error
        payment.finish_refund(entry, True, order.now)


def create_hosted(call: Call) -> Answer:
    payment = new_hosted_payment(call, _HOSTED(call.parameters, ""))
    page_url_field = call.state.page_url_field
    body = call.state.contract.render(payment, page_url_field)
    if page_url_field != "redirect_url":
        body["hpp_url"] = payment.hosted_page_url
    return json_answer(201, body)


def create_direct(call: Call) -> Answer:
    values = _DIRECT(call.parameters, "")
    card = entered_card(values["card"])
    payment = new_payment(call, values, None)
    charge(payment, card, call.state.contract.test_cards, call.now)
    if payment.decline_code:
        message = payment.decline_message or ""
        raise RefusalError(402, "card_error", "card_declined", message, decline_code=payment.decline_code)
    return payment_answer(call, payment, 201)


def refund(call: Call) -> Answer:
    _NO_PARAMETERS(call.parameters, "")
    return refunded(call, None, "", 200)
