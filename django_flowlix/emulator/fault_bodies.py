"""Answers gone wrong: each function takes the answer that was due and returns what arrives instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from .answers import Answer, Delivery, RefusalError
from .idempotency import in_flight
from .rate_limit import rate_limited

Options = Mapping[str, Any]
Spoiler = Callable[[Options, Answer], Answer | RefusalError]
Replacement = Callable[[Options, float], Answer | RefusalError]

_HTML = b"<!doctype html><title>Attention required</title><h1>Please sign in to the network</h1>"
_TYPES = {401: "authentication_error", 402: "card_error", 403: "authentication_error", 409: "idempotency_error"}
_CODES = {401: "invalid_api_key", 404: "resource_missing", 409: "idempotency_key_in_use", 429: "rate_limit_exceeded"}
# What stands between client and gateway knows neither request ids nor rate limits.
_GATEWAY_HEADERS = frozenset(
    {"Flowlix-Request-Id", "Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
)


def refusal(options: Options) -> RefusalError:
    """Return the error object that fits a bare HTTP status."""
    status = options["status"]
    kind = "api_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")
    if status == 429:
        kind = "rate_limit_error"
    decline_code = "generic_decline" if status == 402 else None
    message = f"Injected fault: HTTP {status}."
    return RefusalError(status, kind, _CODES.get(status), message, decline_code=decline_code)


def html_page(options: Options) -> Answer:
    return Answer(options["status"], _HTML, content_type="text/html", withheld=_GATEWAY_HEADERS)


def redirect(options: Options, now: float) -> Answer:
    location = {"Location": options["location"]}
    return Answer(options["status"], b"", content_type="text/html", headers=location)


def too_many_requests(options: Options, now: float) -> RefusalError:
    """Return a 429 whose Retry-After has the chosen form; `retry_after` gives the header's text literally."""
    if options["retry_after"] is not None:
        return rate_limited(options["retry_after"])
    seconds = options["retry_after_seconds"]
    forms = {
        "seconds": str(seconds),
        "http_date": formatdate(now + seconds, usegmt=True),
        "rubbish": "in a while",
        "absent": None,
    }
    return rate_limited(forms[options["form"]])


def still_in_flight(options: Options, now: float) -> RefusalError:
    return in_flight()


def card_refused(options: Options, now: float) -> RefusalError:
    """Return the rare decline that is told at once. Source: docs.flowlix.dev/api-reference/errors (422)"""
    code, message = options["decline_code"], "Injected fault: the card was declined."
    return RefusalError(options["status"], "card_error", "card_declined", message, decline_code=code)


def dropped(options: Options) -> Answer:
    return Answer(500, b"", delivery=Delivery.DROPPED)


def truncated_answer(options: Options, answer: Answer) -> Answer:
    return replace(answer, delivery=Delivery.TRUNCATED)


def dripped(options: Options, answer: Answer) -> Answer:
    return replace(answer, delivery=Delivery.DRIPPED, drip_pause_seconds=options["pause_seconds"])


def truncated_json(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def empty_body(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=b"")


def json_null(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=b"null")


def json_array(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=b"[]")


def not_a_number(options: Options, answer: Answer) -> Answer:
    """Return an amount that Python's own JSON reader accepts although it is not JSON."""
    return overridden({"fields": {"amount": float("nan")}}, answer)


def huge_body(options: Options, answer: Answer) -> Answer:
    """Return a valid answer with so much white space behind it that reading it all would be a mistake."""
    return replace(answer, body=answer.body.ljust(options["size_bytes"]))


def nested_body(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=b"[" * options["depth"] + b"]" * options["depth"])


def overridden(options: Options, answer: Answer) -> Answer:
    return replace(answer, body=json.dumps({**_document(answer), **options["fields"]}).encode())


def omitted(options: Options, answer: Answer) -> Answer:
    kept = {name: value for name, value in _document(answer).items() if name not in options["fields"]}
    return replace(answer, body=json.dumps(kept).encode())


def without_request_id(options: Options, answer: Answer) -> Answer:
    return replace(answer, withheld=frozenset({"Flowlix-Request-Id", "Request-Id"}))


def unchanged(options: Options, answer: Answer) -> Answer:
    return answer


def _document(answer: Answer) -> dict[str, Any]:
    document = json.loads(answer.body)
    return document if isinstance(document, dict) else {}
