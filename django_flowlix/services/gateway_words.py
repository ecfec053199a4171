"""Which of the gateway's codes are told to logs and traces: words a program wrote, because a text may name somebody."""

from __future__ import annotations

import re

from ..api import errors
from ..api.redaction import contains_card_number

OTHER = "other"
_WORD = re.compile(r"[a-z0-9_]{1,64}")
# Where the gateway sent no word, an exchange has the name of our own error.
_OUR_ERRORS = frozenset(
    kind.__name__ for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.FlowlixError)
)


def gateway_word(word: str) -> str:
    """Return a code of the gateway, or the class of one of our errors, as it is; "" as "", anything else as `other`."""
    if not word or word in _OUR_ERRORS:
        return word
    return word if _WORD.fullmatch(word) and not contains_card_number(word) else OTHER
