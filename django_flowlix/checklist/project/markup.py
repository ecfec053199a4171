"""What stands in the project's pages that must not: fields for card data, and the settings of its accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import CARD_FIELD

MARKUP_SUFFIXES = frozenset(
    {".html", ".htm", ".xhtml", ".jinja", ".jinja2", ".j2", ".djhtml", ".vue", ".svelte", ".jsx", ".tsx"}
)
SCRIPT_SUFFIXES = frozenset({".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"})
# HTML's own words for what to fill in, and the names that forms have: up to the next tag, not to the next `>`, which an
# arrow in JSX has. Source: html.spec.whatwg.org, "Autofilling form controls"
_CARD_INPUT = re.compile(
    r"auto-?complete[\"']?\s*[=:,]\s*[\"'`{]*(?:[\w-]+\s+)*cc-(?:number|csc)\b"
    rf"|<input\b[^<]*?\bname\s*=\s*[\"'{{]*(?:(?P<pan>pan)|{CARD_FIELD.replace('_?', '[_-]?')})[\"'\s/>}}]",
    re.IGNORECASE,
)
# A page that asks for none of these takes a "pan" for a tax number.
_BESIDE_A_PAN = re.compile(r"cvc|cvv|csc|expir|exp[_-](?:month|year)|card[_ -]?(?:holder|number)|cc-", re.IGNORECASE)
_SETTINGS_USE = re.compile(
    r"\{[{%](?:(?![%}]\}).){0,300}?(?:\bFLOWLIX\b|(?i:\b(?:\w+_)?secret_key\b|\b(?:\w+_)?webhook_secrets?\b))"
)


def card_inputs_in(text: str) -> Iterator[int]:
    """Yield the lines in which a page or a script asks for a card's number or code."""
    for match in _CARD_INPUT.finditer(text):
        if not match["pan"] or _BESIDE_A_PAN.search(text):
            yield _line(text, match)


def settings_uses_in(text: str) -> Iterator[int]:
    """Yield the lines in which a template shows an account's settings."""
    for match in _SETTINGS_USE.finditer(text):
        yield _line(text, match)


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
