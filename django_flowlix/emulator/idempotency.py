"""What a repeated Idempotency-Key gets: the stored answer, a conflict, or a fresh start.

Source: flowlix.mintlify.app/api-reference/idempotency, docs.flowlix.dev/api-reference/idempotency
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .answers import Answer, RefusalError, invalid

LIFE_SECONDS = 24 * 60 * 60
MAX_KEY_LENGTH = 255


@dataclass
class Slot:
    fingerprint: str
    claimed_at: float
    answer: Answer | None = None


class IdempotencySlots:
    """One slot per (scope, key); a slot without an answer belongs to a request that is still in flight."""

    def __init__(self) -> None:
        self.slots: dict[tuple[str, str], Slot] = {}

    def claim(self, scope: str, key: str, fingerprint: str, now: float) -> Answer | None:
        """Return the stored answer of an equal request, or None after reserving the slot for this one.

        Raises: RefusalError (409) if the key belongs to other parameters or its first request is in flight.
        """
        slot = self.slots.get((scope, key))
        if slot is None or now >= slot.claimed_at + LIFE_SECONDS:
            self.slots[scope, key] = Slot(fingerprint, now)
            return None
        if slot.fingerprint != fingerprint:
            raise conflict("This Idempotency-Key was already used with other parameters.")
        if slot.answer is None:
            raise in_flight()
        return slot.answer

    def store(self, scope: str, key: str, answer: Answer) -> None:
        slot = self.slots.get((scope, key))
        if slot is not None:  # a reset in mid-flight has forgotten it
            slot.answer = answer

    def release(self, scope: str, key: str) -> None:
        self.slots.pop((scope, key), None)


def fingerprint(method: str, path: str, parameters: object) -> str:
    """Return a text that is equal for equal parameters, however their JSON was written down."""
    return f"{method} {path} {json.dumps(parameters, sort_keys=True)}"


def validated_key(key: str | None) -> str | None:
    """Return the key of a request, or None without one.

    Raises: RefusalError (400) if it is empty, too long or not printable ASCII.
    """
    if key is None:
        return None
    if not key or len(key) > MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        message = f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        raise invalid("Idempotency-Key", message)
    return key


def in_flight() -> RefusalError:
    return conflict("A request with this Idempotency-Key is still being processed. Try again shortly.")


def conflict(message: str) -> RefusalError:
    return RefusalError(409, "idempotency_error", "idempotency_key_in_use", message, param="Idempotency-Key")
