"""Which API keys are let in, and which mode they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .answers import RefusalError

_SECRET_PART = re.compile(r"[A-Za-z0-9_-]{16,}")


@dataclass(frozen=True)
class ApiKey:
    """An accepted key. Its value is needed as a scope and must never be printed."""

    value: str
    livemode: bool

    def __repr__(self) -> str:
        return f"ApiKey({masked_key(self.value)})"


class Keyring:
    """Accepts every well-formed key, or only those listed in `accepted`; revoked keys are refused at once.

    Source: docs.flowlix.eu/api-reference/authentication
    """

    def __init__(self, prefixes: Mapping[str, bool], accepted: Iterable[str] = ()) -> None:
        self._prefixes = prefixes
        self._accepted = frozenset(accepted)
        self.revoked: set[str] = set()
        for key in self._accepted:
            if self._mode(key) is None:
                known = " or ".join(prefixes)
                raise ValueError(f"a key to accept must start with {known}, then 16 or more letters, digits, - or _")

    def authenticate(self, authorization: str | None) -> ApiKey:
        """Return the key of an `Authorization: Bearer` header.

        Raises: RefusalError (401) if it is missing, malformed, not accepted or revoked.
        """
        if authorization is None:
            raise _unauthenticated("No API key provided. Send it as 'Authorization: Bearer <secret key>'.")
        scheme, _, value = authorization.partition(" ")
        livemode = self._mode(value)
        if scheme.lower() != "bearer" or livemode is None:
            raise _unauthenticated("Invalid API key provided.")
        if value in self.revoked or (self._accepted and value not in self._accepted):
            raise _unauthenticated("This API key is unknown or has been revoked.")
        return ApiKey(value, livemode)

    def _mode(self, value: str) -> bool | None:
        for prefix, livemode in self._prefixes.items():
            if value.startswith(prefix) and _SECRET_PART.fullmatch(value.removeprefix(prefix)):
                return livemode
        return None


def masked_key(value: str) -> str:
    """Return a key's prefix and last four characters: enough to tell keys apart, useless to whoever reads it."""
    prefix, separator, secret = value.rpartition("_sk_")
    return f"{prefix}{separator}...{secret[-4:]}" if separator and len(secret) > 8 else "..."


def _unauthenticated(message: str) -> RefusalError:
    return RefusalError(401, "authentication_error", "invalid_api_key", message)
