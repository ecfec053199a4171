"""What may be written down of a request: everything except card numbers, card codes and API keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .cards import passes_luhn
from .keys import masked_key

# Digits and what people put between them, also in the escapes that JSON and query strings make of them.
_DIGIT = r"(?:[0-9\uff10-\uff19]|\\uff1[0-9])"
_SEPARATOR = r"(?:[\s.,\-_/+·\u2010-\u2015\u00a0]|%20|\\u00(?:a0|b7)|\\u20[0-9a-f]{2}){0,3}"
_LENGTHS = range(19, 12, -1)
# Overlapping matches, each from the edge of a group of digits to the edge of another.
_CANDIDATES = [
    re.compile(rf"(?<![0-9])(?=({_DIGIT}(?:{_SEPARATOR}{_DIGIT}){{{length - 1}}})(?![0-9]))") for length in _LENGTHS
]
# First digits of the card networks: without them, one order number in ten would pass for a card.
_ISSUED = re.compile(r"4|5[0-8]|2[2-7]|3[04-9]|6")
_CARD_FIELD = re.compile(r'("(?:number|cvc)"\s*:\s*)("[^"]*"|[0-9]+)')


def masked_text(body: str) -> str:
    """Return a body for the log: exact, except that card numbers keep four digits and card fields none."""
    body = _CARD_FIELD.sub(r'\1"***"', body)
    untouched = len(body)
    for start, end in sorted(_card_numbers(body), reverse=True):
        if end <= untouched:
            body = f"{body[:start]}***{_digits(body[start:end])[-4:]}{body[end:]}"
            untouched = start
    return body


def masked_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: _masked_header(name, value) for name, value in headers}


def _card_numbers(body: str) -> Iterator[tuple[int, int]]:
    for candidate in _CANDIDATES:
        for match in candidate.finditer(body):
            digits = _digits(match[1])
            if _ISSUED.match(digits) and passes_luhn(digits):
                yield match.span(1)


def _digits(text: str) -> str:
    text = re.sub(r"\\uff1([0-9])", r"\1", text)
    text = re.sub(r"\\u[0-9a-f]{4}|%20", "", text)
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdecimal())


def _masked_header(name: str, value: str) -> str:
    if name.lower() == "authorization":
        scheme, _, key = value.partition(" ")
        return f"{scheme} {masked_key(key)}"
    return masked_text(value)
