"""Contract `eu` (api.flowlix.eu): synchronous, lowercase words, 402 on a declined direct payment, one full refund.

Source: docs.flowlix.eu/api-reference/*, docs.flowlix.eu/guides/{direct-api, hosted-payment-page, refunds}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .. import schema
from ..answers import Answer, RefusalError, invalid, json_answer
from ..cards import ScriptedCard
from ..charging import EnteredCard, charge
from ..listing import LIST_PARAMETERS, one_of, page_of, read_query
from ..payments import NotAllowedInThisStateError, Payment, customer_name
from .base import Call, Contract, Operation

MAX_AMOUNT_MINOR = 2**63 - 1
_STATUSES = ("pending", "succeeded", "failed", "refunded")

_CUSTOMER = schema.mapping(
    {
        "email": schema.text(pattern=r"[^@\s]+@[^@\s]+", says="an e-mail address"),
        "first_name": schema.text(),
        "last_name": schema.text(),
        "country": schema.text(pattern=r"[A-Z]{2}", says="an ISO 3166-1 alpha-2 code such as DE"),
        "phone": schema.text(pattern=r"\+?[0-9][0-9 ()./\-]{5,30}", says="an international phone number"),
        "address": schema.text(),
        "city": schema.text(),
        "zip": schema.text(),
    }
)
_CARD = schema.mapping(
    {
        "number": schema.text(pattern=r"[0-9]{12,19}", says="12 to 19 digits without spaces"),
        "exp_month": schema.integer(1, 12),
        "exp_year": schema.integer(1000, 9999),
        "cvc": schema.text(pattern=r"[0-9]{3,4}", says="3 or 4 digits"),
        "holder_name": schema.text(),
    }
)
_COMMON = {
    "amount": schema.integer(1, MAX_AMOUNT_MINOR),
    "currency": schema.text(pattern=r"[a-z]{3}", says="three lowercase letters such as eur"),
    "customer": _CUSTOMER,
}
_OPTIONAL = {"description": schema.text(max_length=500, blank=True), "metadata": schema.text_map(50)}
_DIRECT = schema.mapping({**_COMMON, "card": _CARD}, _OPTIONAL)
# The page announces a callback address without showing its name: until it is known, sending one is refused.
_HOSTED = schema.mapping({**_COMMON, "redirect_url": schema.absolute_url}, _OPTIONAL)
_NO_PARAMETERS = schema.mapping({})


class EuContract(Contract):
    name = "eu"
    key_prefixes = {"fl_test_sk_": False, "fl_live_sk_": True}
    request_id_header = "Flowlix-Request-Id"
    requests_per_minute = 100
    errors_url = "https://docs.flowlix.eu/api-reference/errors"
    test_cards = (
        ScriptedCard("4242424242424242", "Visa, succeeds"),
        ScriptedCard("5555555555554444", "Mastercard, succeeds"),
        ScriptedCard("4000000000000002", "Declined", "generic_decline"),
        ScriptedCard("4000000000009995", "Insufficient funds", "insufficient_funds"),
        ScriptedCard("378282246310005", "American Express, succeeds", published=False),
        ScriptedCard("4000000000000069", "Expired card", "expired_card", published=False),
        ScriptedCard("4000000000009987", "Lost card", "lost_card", published=False),
        ScriptedCard("4000000000009979", "Stolen card", "stolen_card", published=False),
        ScriptedCard("4000000000006975", "Used too often", "card_velocity_exceeded", published=False),
        ScriptedCard("4000000000001000", "Refused by the bank", "do_not_honor", published=False),
        ScriptedCard("4000000000002008", "Refused by the issuer", "issuer_declined", published=False),
        ScriptedCard("4000000000003006", "Card limit reached", "cardholder_limit", published=False),
        ScriptedCard("4000000000004004", "Purchase not permitted", "not_permitted", published=False),
        ScriptedCard("4000000000005001", "Suspected fraud", "suspect_fraud", published=False),
        ScriptedCard("4000000000006009", "Stopped by a fraud filter", "fraud_filter", published=False),
    )

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (
            Operation("create_direct", "POST", "/v1/payments", create_direct),
            Operation("create_hosted", "POST", "/v1/payments/hpp", create_hosted),
            Operation("list", "GET", "/v1/payments", list_payments),
            Operation("retrieve", "GET", "/v1/payments/{payment_id}", retrieve),
            Operation("refund", "POST", "/v1/payments/{payment_id}/refund", refund),
        )

    def check_headers(self, headers: Mapping[str, str]) -> None:
        version = headers.get("flowlix-version")
        if version is not None and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", version):
            raise invalid("Flowlix-Version", "Flowlix-Version must look like 2025-01-31.")

    def stores(self, answer: Answer) -> bool:
        """Keep errors too: the page on idempotency speaks of the response and does not limit it to success."""
        return answer.status < 500

    def render(self, payment: Payment, page_url_field: str) -> dict[str, Any]:
        echoed = payment.merchant_url if page_url_field == "hpp_url" else payment.hosted_page_url
        return {
            "id": payment.id,
            "object": "payment",
            "amount": payment.amount_minor,
            "currency": payment.currency,
            "status": payment.status,
            "description": payment.description,
            "card": asdict(payment.card) if payment.card else None,
            "customer": {"email": payment.customer["email"], "name": customer_name(payment.customer)},
            "metadata": dict(payment.metadata),
            "decline_code": payment.decline_code,
            "decline_message": payment.decline_message,
            "redirect_url": echoed,
            "refunded_at": payment.refunded_at,
            "succeeded_at": payment.succeeded_at,
            "failed_at": payment.failed_at,
            "created": payment.created,
            "livemode": payment.livemode,
        }

    def cancel(self, payment: Payment, now: float) -> None:
        """Fail the payment: this contract knows neither `canceled` nor `expired`, and pending would never end."""
        payment.fail(None, None, "The customer canceled the payment.", now)


def create_hosted(call: Call) -> Answer:
    values = _HOSTED(call.parameters, "")
    payment = _new_payment(call, values)
    payment.merchant_url = values["redirect_url"]
    payment.hosted_page_url = f"{call.base_url}/hpp/{payment.id}"
    page_url_field = call.state.page_url_field
    body = call.state.contract.render(payment, page_url_field)
    if page_url_field != "redirect_url":
        body["hpp_url"] = payment.hosted_page_url
    return json_answer(201, body)


def create_direct(call: Call) -> Answer:
    values = _DIRECT(call.parameters, "")
    card = EnteredCard(values["card"]["number"], values["card"]["exp_month"], values["card"]["exp_year"])
    if len(values["card"]["cvc"]) != card.cvc_length:
        raise invalid("card[cvc]", f"card[cvc] must have {card.cvc_length} digits for this card.")
    payment = _new_payment(call, values)
    charge(payment, card, call.state.contract.test_cards, call.now)
    if payment.decline_code:
        message = payment.decline_message or ""
        raise RefusalError(402, "card_error", "card_declined", message, decline_code=payment.decline_code)
    return _payment_answer(call, payment, 201)


def retrieve(call: Call) -> Answer:
    read_query(call.query, {})
    return _payment_answer(call, _find(call), 200)


def list_payments(call: Call) -> Answer:
    query = read_query(call.query, {**LIST_PARAMETERS, "status": one_of(_STATUSES)})
    payments, has_more = page_of(call.state.payments.newest_first(call.livemode), query)
    data = [call.state.contract.render(payment, call.state.page_url_field) for payment in payments]
    return json_answer(200, {"object": "list", "url": "/v1/payments", "data": data, "has_more": has_more})


def refund(call: Call) -> Answer:
    """Refund in full, at once and only once. Source: docs.flowlix.eu/guides/refunds"""
    _NO_PARAMETERS(call.parameters, "")
    payment = _find(call)
    try:
        payment.refund(call.now)
    except NotAllowedInThisStateError as error:
        again = error.status == "refunded"
        code = "payment_already_refunded" if again else "payment_not_refundable"
        message = f"Only a succeeded payment can be refunded; this one is {error.status}."
        raise RefusalError(422, "invalid_request_error", code, message) from error
    return _payment_answer(call, payment, 200)


def _new_payment(call: Call, values: Mapping[str, Any]) -> Payment:
    return call.state.payments.add(
        Payment(
            livemode=call.livemode,
            amount_minor=values["amount"],
            currency=values["currency"],
            customer=values["customer"],
            created=int(call.now),
            description=values.get("description"),
            metadata=values.get("metadata", {}),
        )
    )


def _find(call: Call) -> Payment:
    payment = call.state.payments.find(call.payment_id, call.livemode)
    if payment is None:
        message = f"No such payment: {call.payment_id[:100]}"
        raise RefusalError(404, "invalid_request_error", "resource_missing", message)
    return payment


def _payment_answer(call: Call, payment: Payment, status: int) -> Answer:
    return json_answer(status, call.state.contract.render(payment, call.state.page_url_field))
