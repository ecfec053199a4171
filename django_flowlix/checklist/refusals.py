"""What an error of the gateway is called in a finding: status, type, code and request id.

Never its message, which may quote what was sent: the return address with its token, or who pays.
"""

from __future__ import annotations

from ..api import ApiError, FlowlixError, NoAnswerError, RateLimitError, RequestInvalidError
from ..exceptions import InvalidPaymentRequest, InvalidRefundRequest

_OUR_OWN = (RequestInvalidError, InvalidPaymentRequest, InvalidRefundRequest)
"""Refused before anything was sent, in words of ours that quote no value."""


def words_of(error: Exception) -> str:
    """Say what an error of the client or of a service comes from."""
    if isinstance(error, _OUR_OWN):
        return str(error)
    cause = error if isinstance(error, FlowlixError) else error.__cause__
    if isinstance(cause, FlowlixError) and cause.status is not None:
        words = "/".join(filter(None, (cause.type, cause.code)))
        facts = [f"HTTP {cause.status}", words, cause.decline_code, f"request {cause.request_id or 'without id'}"]
        return ", ".join(filter(None, facts))
    # Without an answer the words are the client's own.
    return str(cause) if isinstance(cause, FlowlixError) else type(error).__name__


def is_temporary(error: Exception) -> bool:
    """Tell whether the same may work in a moment: then it says nothing about the settings or the gateway's promises."""
    cause = error if isinstance(error, FlowlixError) else error.__cause__
    return isinstance(cause, RateLimitError | ApiError | NoAnswerError)
