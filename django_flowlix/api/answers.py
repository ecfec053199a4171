"""What an HTTP answer means: a JSON value, or the error it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .contracts import MalformedObjectError
from .errors import (
    AnsweredError,
    FlowlixError,
    NotSentError,
    RateLimitError,
    UnreadableAnswerError,
    error_class,
    gateway_text,
)
from .retry import retry_after_seconds
from .transport import Answer
from .wire import parse_json

# Three generations, three names; the oldest documents none, so all are read everywhere.
_REQUEST_ID_HEADERS = ("Flowlix-Request-Id", "Request-Id", "X-Request-Id")
_ID_LENGTH = 255
_WORD_LENGTH = 64


def json_value(answer: Answer, operation: str, *, now: float) -> object:
    """Return the JSON value of a 200 or 201. Raises: FlowlixError for everything else. `now` is Unix time."""
    if answer.status in (200, 201):
        try:
            return parse_json(answer.body)
        except ValueError:
            pass
        raise unreadable(answer, operation, "the answer is not readable JSON")
    if answer.status < 400:
        raise unreadable(answer, operation, f"HTTP {answer.status} is no answer to this request")
    raise _gateway_error(answer, operation, now)


def unreadable(answer: Answer, operation: str, reason: str) -> UnreadableAnswerError:
    """Describe an answer that cannot be used by what may be told of it: type and length, never the body."""
    content_type = gateway_text(answer.headers.get("Content-Type", "none"), _WORD_LENGTH)
    message = f"{reason} (content type {content_type}, {len(answer.body)} bytes)"
    return UnreadableAnswerError(message, operation=operation, status=answer.status, request_id=request_id(answer))


def malformed(answer: Answer, operation: str, error: MalformedObjectError) -> UnreadableAnswerError:
    return unreadable(answer, operation, str(error))


def request_id(answer: Answer) -> str:
    """Return the gateway's id of this exchange, from the headers or else from the error body; "" without one."""
    for name in _REQUEST_ID_HEADERS:
        if value := answer.headers.get(name):
            return gateway_text(value, _ID_LENGTH)
    return _word(_error_object(answer), "request_id", _ID_LENGTH)


def rate_limit_remaining(answer: Answer) -> int | None:
    value = answer.headers.get("X-RateLimit-Remaining", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def outcome(error: FlowlixError | None) -> str:
    """Name a try's outcome for the record: ok, error, unknown or not_sent."""
    if error is None:
        return "ok"
    if isinstance(error, NotSentError):
        return "not_sent"
    return "unknown" if error.ambiguous else "error"


def _gateway_error(answer: Answer, operation: str, now: float) -> AnsweredError:
    body = _error_object(answer)
    message = body.get("message")
    kind = error_class(answer.status, _word(body, "type"))
    waits = kind is RateLimitError
    return kind(
        message if isinstance(message, str) and message else f"the gateway answered HTTP {answer.status}",
        operation=operation,
        status=answer.status,
        type=_word(body, "type"),
        code=_word(body, "code"),
        param=_word(body, "param"),
        decline_code=_word(body, "decline_code"),
        request_id=request_id(answer),
        retry_after_seconds=retry_after_seconds(answer.headers.get("Retry-After"), now=now) if waits else None,
    )


def _error_object(answer: Answer) -> Mapping[str, Any]:
    """Return the `error` object of the body, empty when there is none: a proxy's HTML is classified by its status."""
    if answer.status < 400:
        return {}
    try:
        body = parse_json(answer.body)
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _word(body: Mapping[str, Any], name: str, limit: int = _WORD_LENGTH) -> str:
    value = body.get(name)
    return gateway_text(value, limit) if isinstance(value, str) else ""
