"""The endpoints that `eu` and `dev` have in common, and the steps their work is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..answers import Answer, RefusalError, json_answer
from ..listing import page_of, read_query
from ..payments import Payment
from ..refunds import RefundNotAllowedError
from .base import Call, Operation, RefundOrder

Work = Callable[[Call], Answer]


def payment_operations(*, create_direct: Work, create_hosted: Work, refund: Work) -> tuple[Operation, ...]:
    return (
        Operation("create_direct", "POST", "/v1/payments", create_direct),
        Operation("create_hosted", "POST", "/v1/payments/hpp", create_hosted),
        Operation("list", "GET", "/v1/payments", _list_payments),
        Operation("retrieve", "GET", "/v1/payments/{payment_id}", _retrieve),
        Operation("refund", "POST", "/v1/payments/{payment_id}/refund", refund),
    )


def new_payment(call: Call, values: Mapping[str, Any], merchant_url: str | None) -> Payment:
    payment_id = call.state.contract.new_payment_id()
    return call.state.payments.add(
        Payment(
            id=payment_id,
            livemode=call.livemode,
            amount_minor=values["amount"],
            currency=values["currency"],
            customer=values.get("customer"),
            created=int(call.now),
            description=values.get("description"),
            metadata=values.get("metadata", {}),
            merchant_url=merchant_url,
            action_url=f"{call.base_url}/hpp/{payment_id}",
        )
    )


def new_hosted_payment(call: Call, values: Mapping[str, Any]) -> Payment:
    payment = new_payment(call, values, values["redirect_url"])
    payment.hosted_page_url = payment.action_url
    return payment


def find_payment(call: Call) -> Payment:
    payment = call.state.payments.find(call.payment_id, call.livemode)
    if payment is None:
        message = f"No such payment: {call.payment_id[:100]}"
        raise RefusalError(404, "invalid_request_error", "resource_missing", message)
    return payment


def refunded(call: Call, amount_minor: int | None, reason: str, status: int) -> Answer:
    """Refund the payment of the call and answer with it; what a rule forbids is 422."""
    payment = find_payment(call)
    try:
        delay_seconds = call.state.refund_delay_seconds
        call.state.contract.refund(payment, RefundOrder(amount_minor, reason, call.now, delay_seconds))
    except RefundNotAllowedError as error:
        raise RefusalError(422, "invalid_request_error", error.code, str(error)) from error
    return payment_answer(call, payment, status)


def payment_answer(call: Call, payment: Payment, status: int) -> Answer:
    return json_answer(status, call.state.contract.render(payment, call.state.page_url_field))


def _retrieve(call: Call) -> Answer:
    read_query(call.query, {})
    return payment_answer(call, find_payment(call), 200)


def _list_payments(call: Call) -> Answer:
    contract, state = call.state.contract, call.state
    query = read_query(call.query, contract.list_parameters)
    payments, has_more = page_of(state.payments.newest_first(call.livemode), query)
    data = [contract.render(payment, state.page_url_field) for payment in payments]
    return json_answer(200, {"object": "list", "url": "/v1/payments", "data": data, "has_more": has_more})
