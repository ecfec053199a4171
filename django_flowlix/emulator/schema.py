"""Strict reading of request parameters: what is not documented is refused, and nothing is coerced.

A check takes a value and its path (`customer[email]`) and returns the value or raises a 400 that names the path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .answers import RefusalError, invalid

Check = Callable[[Any, str], Any]

_PATH_LENGTH = 120


def integer(minimum: int, maximum: int) -> Check:
    def check(value: Any, path: str) -> int:
        # bool is an int to Python and not to the wire, hence `type` instead of isinstance.
        if type(value) is not int or not minimum <= value <= maximum:
            raise invalid(path, f"{path} must be an integer from {minimum} to {maximum}.")
        return value

    return check


def text(max_length: int | None = None, pattern: str | None = None, says: str = "", blank: bool = False) -> Check:
    """Return a check for text; `says` completes the sentence "... must be" of its error message."""
    limit = f"text of at most {max_length} characters" if max_length else "text that is not empty"

    def check(value: Any, path: str) -> str:
        fits = isinstance(value, str) and (blank or bool(value.strip()))
        fits = fits and (max_length is None or len(value) <= max_length)
        if not fits or (pattern is not None and not re.fullmatch(pattern, value)):
            raise invalid(path, f"{path} must be {says or limit}.")
        return str(value)

    return check


def one_of(*words: str) -> Check:
    def check(value: Any, path: str) -> str:
        if value not in words:
            raise invalid(path, f"{path} must be one of {', '.join(words)}.")
        return str(value)

    return check


def text_map(max_entries: int, max_length: int | None = None) -> Check:
    def check(value: Any, path: str) -> dict[str, str]:
        if not isinstance(value, dict):
            raise invalid(path, f"{path} must be an object of texts.")
        if len(value) > max_entries:
            raise invalid(path, f"{path} must have at most {max_entries} keys.")
        for key, entry in value.items():
            if not isinstance(entry, str):
                raise invalid(_below(path, key), f"{_below(path, key)} must be text.")
            if max_length is not None and len(entry) > max_length:
                raise invalid(_below(path, key), f"{_below(path, key)} must have at most {max_length} characters.")
        return dict(value)

    return check


def absolute_url(value: Any, path: str) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        usable = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # urlsplit refuses some malformed hosts by raising
        usable = False
    if not usable or re.search(r"[\s\x00-\x20\\]", value):
        raise invalid(path, f"{path} must be an absolute http or https address.")
    return str(value)


def mapping(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return a check for an object: unknown fields first, then missing ones, then each value; null means absent."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise invalid(path or None, f"{path or 'The request body'} must be an object.")
        for name in value:
            if name not in known:
                param = _below(path, name)
                raise invalid(param, f"Received unknown parameter: {param}.", "parameter_unknown")
        for name in required:
            if value.get(name) is None:
                param = _below(path, name)
                raise invalid(param, f"Missing required parameter: {param}.", "parameter_missing")
        return {n: known[n](entry, _below(path, n)) for n, entry in value.items() if entry is not None}

    return check


def parsed_json(body: bytes, content_type: str) -> Any:
    """Return the parameters of a request body; an empty body is an empty object.

    Raises: RefusalError (400) if the body is not JSON of the declared type; NaN and lone surrogates are not JSON.
    """
    if not body:
        return {}
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise invalid("Content-Type", "Content-Type must be application/json.")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _not_json() from error
    return value


def _below(path: str, name: str) -> str:
    name = name[:_PATH_LENGTH]
    return f"{path}[{name}]" if path else name


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _not_json() -> RefusalError:
    return invalid(None, "The request body is not valid JSON.", "request_malformed")
