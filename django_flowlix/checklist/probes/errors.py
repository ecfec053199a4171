"""error-types, by rehearsal: what the client makes of every error that the gateway documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...api import (
    ApiError,
    AuthenticationError,
    CardError,
    FlowlixError,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
)
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, passed
from ..items import Stage
from ..rehearsal import PATCHED, refusal, rehearse


class Documented(NamedTuple):
    """An error as the gateway's documentation describes it, and what the client has to raise."""

    status: int
    kind: str
    code: str
    decline_code: str
    raised: type[FlowlixError]
    leaves_open: bool = False
    """May a create have taken effect that ends in it?"""


# Source: docs.flowlix.eu/api-reference/errors, docs.flowlix.dev/api-reference/errors
_DOCUMENTED = (
    Documented(400, "invalid_request_error", "parameter_invalid", "", InvalidRequestError),
    Documented(401, "authentication_error", "invalid_api_key", "", AuthenticationError),
    Documented(402, "card_error", "card_declined", "insufficient_funds", CardError),
    Documented(403, "authentication_error", "not_allowed", "", AuthenticationError),
    Documented(404, "invalid_request_error", "resource_missing", "", NotFoundError),
    Documented(409, "idempotency_error", "idempotency_key_in_use", "", IdempotencyError, leaves_open=True),
    Documented(422, "invalid_request_error", "parameter_invalid", "", InvalidRequestError),
    Documented(422, "card_error", "card_declined", "expired_card", CardError),
    Documented(429, "rate_limit_error", "rate_limit_exceeded", "", RateLimitError),
    Documented(500, "api_error", "internal_error", "", ApiError, leaves_open=True),
    Documented(503, "api_error", "service_unavailable", "", ApiError, leaves_open=True),
)


@catalogue.ERROR_TYPES.probe(Stage.STATIC)
def rehearsed_errors(context: Context) -> Iterator[Finding]:
    faults = [fault for fault in (_fault_of(context, documented) for documented in _DOCUMENTED) if fault]
    for fault in faults:
        yield failed(
            f"Rehearsed without a network: {fault}.",
            f"Set TIMEOUT to a second or more. {PATCHED}",
        )
    if not faults:
        types = ", ".join(sorted({documented.kind for documented in _DOCUMENTED}))
        yield passed(
            f"Rehearsed without a network: {len(_DOCUMENTED)} documented errors of {types} are each raised as an "
            "exception of their own, with type, code, decline code and request id."
        )


def _fault_of(context: Context, documented: Documented) -> str:
    """Say what the client makes of a documented error that it must not, "" if all is as it must be."""
    answer = refusal(
        documented.status, documented.kind, code=documented.code, decline_code=documented.decline_code or None
    )
    error = rehearse(context.account, answer).error
    name = f"{documented.status} {documented.kind}"
    if type(error) is not documented.raised:
        raised = "no error" if error is None else type(error).__name__
        return f"{name} becomes {raised}, not {documented.raised.__name__}"
    words = (error.type, error.code, error.decline_code, error.request_id)
    if words != (documented.kind, documented.code, documented.decline_code, "req_rehearsal"):
        return f"{name} loses its type, code, decline code or request id"
    if error.outcome_unknown is not documented.leaves_open:
        return f"{name} is taken for {'final' if documented.leaves_open else 'open'}, which it is not"
    return ""
