"""The table of fault kinds: what each does to an exchange, and which options it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import fault_bodies as bodies

MAX_PAUSE_SECONDS = 600


@dataclass(frozen=True)
class Option:
    """An option of a fault kind: what it is without being told, which values fit, and how to say so."""

    default: Any
    fits: Callable[[Any], bool]
    says: str


def whole_option(default: int, minimum: int, maximum: int) -> Option:
    def fits(value: Any) -> bool:
        return type(value) is int and minimum <= value <= maximum

    return Option(default, fits, f"a whole number from {minimum} to {maximum}")


def seconds_option(default: float) -> Option:
    def fits(value: Any) -> bool:
        return type(value) in (int, float) and 0 <= value <= MAX_PAUSE_SECONDS

    return Option(default, fits, f"a number of seconds from 0 to {MAX_PAUSE_SECONDS}")


def choice_option(default: Any, *values: Any) -> Option:
    def fits(value: Any) -> bool:
        return type(value) is type(default) and value in values

    return Option(default, fits, f"one of {', '.join(map(str, values))}")


def _header_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.isprintable() and value.isascii())


TIMES = whole_option(1, 1, 10_000)
_ERROR_STATUS = {"status": whole_option(500, 400, 599)}
_PAGE_STATUS = {"status": whole_option(200, 200, 599)}
_LOCATION = Option("https://elsewhere.invalid/", lambda v: _header_text(v) and bool(v), "an address")
_REDIRECT = {"status": choice_option(307, 301, 302, 303, 307, 308), "location": _LOCATION}
_RETRY_AFTER = {
    "form": choice_option("seconds", "seconds", "http_date", "rubbish", "absent"),
    "retry_after_seconds": whole_option(1, 0, 10**9),
    "retry_after": Option(None, _header_text, "the header's text in ASCII"),
}
_CARD_REFUSED = {
    "status": choice_option(422, 402, 422),
    "decline_code": Option("generic_decline", lambda v: isinstance(v, str) and bool(v), "a decline code"),
}
_FIELDS = {"fields": Option({}, lambda v: isinstance(v, dict) and bool(v), 'an object such as {"amount": 1}')}
_NAMES = {
    "fields": Option(
        ["id"], lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v), "a list of field names"
    )
}


@dataclass(frozen=True)
class Kind:
    """One kind of fault: `instead` answers without any work, `spoil` lets the work be done and ruins its answer."""

    options: Mapping[str, Option] = field(default_factory=dict)
    instead: bodies.Replacement | None = None
    spoil: bodies.Spoiler = bodies.unchanged
    delays_work: bool = False
    delay_seconds: float = 0.0


KINDS: dict[str, Kind] = {
    "status_before": Kind(_ERROR_STATUS, instead=lambda options, now: bodies.refusal(options)),
    "status_after": Kind(_ERROR_STATUS, spoil=lambda options, answer: bodies.refusal(options)),
    "drop_before": Kind(instead=lambda options, now: bodies.dropped(options)),
    "drop_after": Kind(spoil=lambda options, answer: bodies.dropped(options)),
    "delay_before": Kind(delays_work=True, delay_seconds=1.0),
    "delay_after": Kind(delay_seconds=1.0),
    "html_before": Kind(_PAGE_STATUS, instead=lambda options, now: bodies.html_page(options)),
    "html_after": Kind(_PAGE_STATUS, spoil=lambda options, answer: bodies.html_page(options)),
    "rate_limited": Kind(_RETRY_AFTER, instead=bodies.too_many_requests),
    "card_refused": Kind(_CARD_REFUSED, instead=bodies.card_refused),
    "in_flight": Kind(instead=bodies.still_in_flight),
    "redirect": Kind(_REDIRECT, instead=bodies.redirect),
    "truncated_answer": Kind(spoil=bodies.truncated_answer),
    "drip": Kind({"pause_seconds": seconds_option(1.0)}, spoil=bodies.dripped),
    "truncated_json": Kind(spoil=bodies.truncated_json),
    "empty_body": Kind(spoil=bodies.empty_body),
    "json_null": Kind(spoil=bodies.json_null),
    "json_array": Kind(spoil=bodies.json_array),
    "not_a_number": Kind(spoil=bodies.not_a_number),
    "huge_body": Kind({"size_bytes": whole_option(2_000_000, 1, 200_000_000)}, spoil=bodies.huge_body),
    "nested_body": Kind({"depth": whole_option(100_000, 1, 1_000_000)}, spoil=bodies.nested_body),
    "override": Kind(_FIELDS, spoil=bodies.overridden),
    "omit": Kind(_NAMES, spoil=bodies.omitted),
    "no_request_id": Kind(spoil=bodies.without_request_id),
}
