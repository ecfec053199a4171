"""What the services' spans tell: ids, amounts, statuses; nothing about the customer, no order reference, no key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from .. import tracing
from ..api import CardError
from ..conf import Account
from ..exceptions import AlreadyPaid, InvalidPaymentRequest, InvalidRefundRequest
from ..models import ApiCall, Payment, Refund, StatusChange
from .gateway_words import gateway_word

P = ParamSpec("P")
T = TypeVar("T")

OUTCOME_UNKNOWN = "outcome_unknown"


def traced(operation: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Run a service in a span `flowlix.<operation>`, which tells of the rows that it is given and gives back."""

    def decorate(service: Callable[P, T]) -> Callable[P, T]:
        @wraps(service)
        def in_span(*args: P.args, **kwargs: P.kwargs) -> T:
            about = {"flowlix.operation": operation}
            with tracing.span(f"flowlix.{operation}", about, is_error=_is_error) as span:
                rows: list[object] = [*args, *kwargs.values()]
                try:
                    result = service(*args, **kwargs)
                    rows.append(result)
                except Exception as error:
                    rows += [getattr(error, "payment", None), getattr(error, "refund", None)]
                    raise
                finally:
                    if span.is_recording:
                        with tracing.harmless():
                            _tell(span, rows)
                return result

        return in_span

    return decorate


def exchanged(call: ApiCall, account: Account) -> None:
    """Add a span for one HTTP try that has just ended; whatever fails of it does not cost the gateway's answer.

    Source: opentelemetry.io/docs/specs/semconv/http/http-spans
    """
    declined = call.http_status == 402 or call.error_type == "card_error"
    with tracing.harmless():
        tracing.add_finished_span(
            f"flowlix.api.{call.operation}",
            _of_exchange(call, account),
            duration_ms=call.duration_ms,
            error_type="" if declined else gateway_word(call.error_type),
        )


def _of_exchange(call: ApiCall, account: Account) -> tracing.Attributes:
    server = urlsplit(account.api_url or account.contract.api_url)
    return {
        "http.request.method": call.method,
        "http.response.status_code": call.http_status,
        "http.request.resend_count": call.try_number - 1 or None,
        "server.address": server.hostname,
        "server.port": server.port or {"https": 443, "http": 80}.get(server.scheme),
        "flowlix.operation": call.operation,
        "flowlix.outcome": call.outcome,
        "flowlix.request_id": call.request_id,
        "flowlix.error.code": gateway_word(call.error_code),
        "flowlix.account": call.account,
        "flowlix.contract": account.contract_name,
        "flowlix.livemode": call.livemode,
        "flowlix.payment.pk": call.payment_id,
        "flowlix.payment.id": call.payment.gateway_id if call.payment else None,
        "flowlix.payment.decline_code": gateway_word(call.decline_code),
        "flowlix.refund.pk": call.refund_id,
    }


def _is_error(error: BaseException) -> bool:
    """Tell whether a service has failed: a customer's declined card and a request refused by our own rules are none."""
    refused = isinstance(error, AlreadyPaid | InvalidPaymentRequest | InvalidRefundRequest)
    return not refused and not isinstance(error.__cause__ or error, CardError)


def _tell(span: tracing.Span, rows: list[object]) -> None:
    for row in rows:
        if isinstance(row, Payment):
            span.set(_of_payment(row))
        elif isinstance(row, Refund):
            span.set(_of_refund(row))
            if row.is_unconfirmed:
                span.fail(OUTCOME_UNKNOWN)
        elif isinstance(row, StatusChange):
            span.set(_of_change(row))


def _of_payment(payment: Payment) -> tracing.Attributes:
    return {
        "flowlix.account": payment.account,
        "flowlix.contract": payment.contract,
        "flowlix.livemode": payment.livemode,
        "flowlix.payment.pk": payment.pk,
        "flowlix.payment.id": payment.gateway_id,
        "flowlix.payment.status": payment.status,
        "flowlix.payment.attempt": payment.attempt,
        "flowlix.payment.currency": payment.currency,
        "flowlix.payment.amount_minor": payment.amount_minor,
        "flowlix.payment.decline_code": gateway_word(payment.decline_code),
    }


def _of_refund(refund: Refund) -> tracing.Attributes:
    return {
        "flowlix.refund.pk": refund.pk,
        "flowlix.refund.id": refund.gateway_id,
        "flowlix.refund.status": refund.status,
        "flowlix.refund.amount_minor": refund.amount_minor,
        "flowlix.refund.decline_code": gateway_word(refund.decline_code),
    }


def _of_change(change: StatusChange) -> tracing.Attributes:
    return {
        "flowlix.signal": change.signal,
        "flowlix.delivery.failures": change.delivery_attempts,
        "flowlix.payment.pk": change.payment_id,
        "flowlix.refund.pk": change.refund_id,
    }
