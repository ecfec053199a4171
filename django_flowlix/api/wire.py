"""JSON on the wire: the body that is stored and sent byte for byte, and strict reading of what comes back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from .secret import Secret


def body_text(body: Mapping[str, Any]) -> Secret:
    """Return the request body, wrapped because it holds the customer's details."""
    return Secret(json.dumps(body, separators=(",", ":")))


def parse_json(body: bytes) -> object:
    """Return the JSON value; NaN, infinities, numbers beyond any use and bottomless nesting are refused.

    Of duplicate keys the last one counts. Raises: ValueError. Source: RFC 8259
    """
    try:
        value: object = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        pass
    else:
        return value
    # Outside the handler: a JSONDecodeError carries the whole text, a RecursionError a thousand frames.
    raise ValueError("not JSON, or nested too deeply, or with a number out of range")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number
