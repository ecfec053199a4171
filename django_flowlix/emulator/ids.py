"""Identifiers as the gateway's pages show them."""

from __future__ import annotations

import secrets
import string
import uuid

_ALPHABET = string.ascii_letters + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def uuid_id(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4()}"


def ulid(now: float) -> str:
    """Return 26 characters: 48 bits of milliseconds, 80 bits of chance. Source: github.com/ulid/spec"""
    number = int(now * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
