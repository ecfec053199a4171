"""Values that must never be shown: API keys, signing secrets, bodies with personal data.

The value is usable (`"Bearer " + secret`, `secret.encode()`) but every way of *showing* it gives a mask, because
error reports print local variables with `repr`, log records with `str`, and queues with `pickle`.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, Self

_KEY_PREFIX = re.compile(r"(?:fl|api)_(?:test|live)_sk_|whsec_")


class Secret(str):
    """A string whose `repr`, `str` and `format` are masked and which refuses to be pickled."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        # str() of a Secret is its mask: wrapping one twice must keep the value.
        return super().__new__(cls, value.reveal() if isinstance(value, Secret) else value)

    def __repr__(self) -> str:
        return f"'{self}'"

    def __str__(self) -> str:
        prefix = _KEY_PREFIX.match(self)
        return f"{prefix.group() if prefix else ''}****"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def reveal(self) -> str:
        """Return the plain value, for the one place that sends it."""
        return "".join(self)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A Secret is not pickled: pass the account's name and read the secret where it is used.")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self
