"""Reading answers: strict where money is concerned, tolerant everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import gateway_text
from ..money import MAX_AMOUNT_MINOR
from ..objects import Card
from .base import MalformedObjectError

_ID_LENGTH = 255
_WORD_LENGTH = 64
_MESSAGE_LENGTH = 500


def require_object(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise MalformedObjectError(f"expected a JSON object, got {type(data).__name__}")
    return data


def require_id(data: Mapping[str, Any]) -> str:
    """Return the id as opaque text: the published patterns contradict each other, so none is enforced."""
    value = data.get("id")
    if not isinstance(value, str) or not value or len(value) > _ID_LENGTH or not value.isascii():
        raise MalformedObjectError("id is missing or is not a text of at most 255 characters")
    if value.startswith(".") or not all(character.isalnum() or character in "-_.:~" for character in value):
        raise MalformedObjectError("id contains characters that cannot stand in an address")
    return value


def optional_id(data: Mapping[str, Any]) -> str:
    """Return the id under the same rules, "" for one that is missing or breaks them."""
    try:
        return require_id(data)
    except MalformedObjectError:
        return ""


def require_amount(data: Mapping[str, Any], name: str) -> int:
    """Return an amount in minor units; 19.99, "1999", true and 1999.0 are refused, never coerced."""
    value = data.get(name)
    if type(value) is not int or not 0 <= value <= MAX_AMOUNT_MINOR:
        raise MalformedObjectError(f"{name} is not an integer amount in minor units")
    return value


def require_text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedObjectError(f"{name} is missing or is not a text")
    return gateway_text(value, _WORD_LENGTH)


def optional_text(data: Mapping[str, Any], name: str, limit: int = _MESSAGE_LENGTH) -> str:
    value = data.get(name)
    return gateway_text(value, limit) if isinstance(value, str) else ""


def optional_int(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    return value if type(value) is int else None


def optional_bool(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    return value if isinstance(value, bool) else None


def text_entries(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {key: entry for key, entry in value.items() if isinstance(key, str) and isinstance(entry, str)}


def optional_card(value: object) -> Card | None:
    if not isinstance(value, Mapping):
        return None
    last4 = optional_text(value, "last4", 8)
    month, year = optional_int(value, "exp_month"), optional_int(value, "exp_year")
    return Card(
        brand=optional_text(value, "brand", 32),
        last4=last4 if len(last4) == 4 and last4.isdecimal() else "",
        exp_month=month if month is not None and 1 <= month <= 12 else None,
        exp_year=year if year is not None and 1900 <= year <= 9999 else None,
        country=optional_text(value, "country", 2),
    )
