"""Query strings and cursor pagination: newest first, one cursor at most.

Source: api-reference/pagination and api-reference/payments/list-payments of docs.flowlix.eu and docs.flowlix.dev
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from .answers import invalid
from .payments import Payment

QueryCheck = Callable[[str, str], Any]

DEFAULT_LIMIT = 10
MAX_LIMIT = 100


def one_of(words: Sequence[str]) -> QueryCheck:
    def check(value: str, name: str) -> str:
        if value not in words:
            raise invalid(name, f"{name} must be one of {', '.join(words)}.")
        return value

    return check


def whole_number(minimum: int, maximum: int) -> QueryCheck:
    def check(value: str, name: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value) or not minimum <= int(value) <= maximum:
            raise invalid(name, f"{name} must be a whole number from {minimum} to {maximum}.")
        return int(value)

    return check


def cursor(value: str, name: str) -> str:
    return value


# What every contract has; the backward cursor and the statuses differ.
LIST_PARAMETERS: Mapping[str, QueryCheck] = {
    "limit": whole_number(1, MAX_LIMIT),
    "starting_after": cursor,
    "created[gte]": whole_number(0, 10**18),
    "created[lt]": whole_number(0, 10**18),
}


def read_query(pairs: Sequence[tuple[str, str]], allowed: Mapping[str, QueryCheck]) -> dict[str, Any]:
    """Return the parameters of a query string.

    Raises: RefusalError (400) for an unknown parameter, a repeated one, or a value that does not fit.
    """
    query: dict[str, Any] = {}
    for name, value in pairs:
        if name not in allowed:
            raise invalid(name[:100], f"Received unknown parameter: {name[:100]}.", "parameter_unknown")
        if name in query:
            raise invalid(name, f"{name} was given more than once.")
        query[name] = allowed[name](value, name)
    if "starting_after" in query and "ending_before" in query:
        raise invalid("ending_before", "Use either starting_after or ending_before, not both.")
    return query


def page_of(newest_first: Sequence[Payment], query: Mapping[str, Any]) -> tuple[list[Payment], bool]:
    """Return one page, newest first, and whether more payments lie behind it in the direction of travel."""
    limit = query.get("limit", DEFAULT_LIMIT)
    if "ending_before" in query:
        newer = newest_first[: _position(newest_first, query, "ending_before")]
        found = list(islice((p for p in reversed(newer) if _matches(p, query)), limit + 1))
        return found[:limit][::-1], len(found) > limit
    start = _position(newest_first, query, "starting_after") + 1 if "starting_after" in query else 0
    found = list(islice((p for p in newest_first[start:] if _matches(p, query)), limit + 1))
    return found[:limit], len(found) > limit


def _position(payments: Sequence[Payment], query: Mapping[str, Any], name: str) -> int:
    for position, payment in enumerate(payments):
        if payment.id == query[name]:
            return position
    raise invalid(name, f"{name} is not the id of a payment.")


def _matches(payment: Payment, query: Mapping[str, Any]) -> bool:
    status = query.get("status", payment.status)
    since, before = query.get("created[gte]", 0), query.get("created[lt]")
    return payment.status == status and since <= payment.created and (before is None or payment.created < before)
