"""What stands in the project's pages that must not: fields for card data, and the settings of its accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import CARD_FIELD

MARKUP_SUFFIXES = frozenset(
    {".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".djhtml", ".vue", ".svelte", ".jsx", ".tsx"}
)
# HTML's own words for what to fill in, and the names that forms have: up to the next tag, not to the next `>`, which an
# arrow in JSX has. Source: html.spec.whatwg.org, "Autofilling form controls"
_CARD_INPUT = re.compile(
    r"auto-?complete\s*=\s*[\"'{]*(?:[\w-]+\s+)*cc-(?:number|csc)\b"
    rf"|<input\b[^<]*?\bname\s*=\s*[\"'{{]*(?:{CARD_FIELD.replace('_?', '[_-]?')})[\"'\s/>}}]",
    re.IGNORECASE,
)
_SETTINGS_USE = re.compile(
    r"\{[{%](?:(?![%}]\}).){0,300}?(?:\bFLOWLIX\b|(?i:\b(?:\w+_)?secret_key\b|\b(?:\w+_)?webhook_secrets?\b))"
)


def card_inputs_in(text: str) -> Iterator[int]:
    """Yield the lines in which a page asks for a card's number or code."""
    yield from _lines(_CARD_INPUT, text)


def settings_uses_in(text: str) -> Iterator[int]:
    """Yield the lines in which a template shows an account's settings."""
    yield from _lines(_SETTINGS_USE, text)


def _lines(pattern: re.Pattern[str], text: str) -> Iterator[int]:
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1
