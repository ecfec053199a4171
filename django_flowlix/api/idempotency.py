"""Idempotency keys: how they are derived, how long they are, how long they live.

The gateway makes one payment per key. So two attempts must never share a key, and one attempt must never have
two: a key is derived once, stored, and never derived again for something already sent.

Source: flowlix.mintlify.app/api-reference/idempotency, docs.flowlix.dev/api-reference/idempotency
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

MAX_KEY_LENGTH = 255
KEY_LIFE = timedelta(hours=24)
"""After this the gateway forgets a key, and sending it again charges again."""
REPLAY_MARGIN = timedelta(hours=1)
"""For clocks that disagree and requests that dawdle; also the hour that a local clock gains in autumn."""

_MAX_NUMBER = 2**31 - 1
NAMESPACE_PATTERN = re.compile(r"[A-Za-z0-9_]{1,32}")
# May stand in a key as it is: printable ASCII, neither like our hashes nor with the end of a later attempt.
_PLAIN = re.compile(r"(?!sha256\.)(?!.*-attempt-[0-9]+\Z)[\x21-\x7e]+")


def payment_key(order_reference: str, attempt: int, namespace: str = "") -> str:
    """Return the key of an attempt (1, 2, …) to collect for an order: `payment-order-1042`, `…-attempt-2`.

    Different (namespace, reference, attempt) have different keys. `namespace` keeps installations apart that
    share an API key.
    Raises: ValueError.
    """
    _check_number("attempt", attempt)
    return _key("payment", order_reference, "" if attempt == 1 else f"-attempt-{attempt}", namespace)


def refund_key(order_reference: str, sequence: int, namespace: str = "") -> str:
    """Return the key of the refund number `sequence` (1, 2, …) for an order: `refund-order-1042-1`.

    Different (namespace, reference, sequence) have different keys, and none of them is a payment's.
    Raises: ValueError.
    """
    _check_number("sequence", sequence)
    return _key("refund", order_reference, f"-{sequence}", namespace)


def may_replay(first_sent_at: datetime, now: datetime) -> bool:
    """Tell whether a key is still known to the gateway, so that sending it again cannot charge again.

    A clock that stands before `first_sent_at` by more than the margin was set back: nobody knows the age.
    """
    return -REPLAY_MARGIN <= now - first_sent_at < KEY_LIFE - REPLAY_MARGIN


def _key(operation: str, order_reference: str, suffix: str, namespace: str) -> str:
    if not isinstance(order_reference, str) or not order_reference:
        raise ValueError("order_reference must be a text that is not empty, such as the order's number")
    if namespace and not NAMESPACE_PATTERN.fullmatch(namespace):
        raise ValueError("The idempotency namespace must be 1 to 32 ASCII letters, digits or underscores")
    start = f"{namespace}-{operation}-order-" if namespace else f"{operation}-order-"
    key = f"{start}{order_reference}{suffix}"
    if len(key) <= MAX_KEY_LENGTH and _PLAIN.fullmatch(order_reference):
        return key
    return f"{start}{_hashed(order_reference)}{suffix}"


def _hashed(order_reference: str) -> str:
    # surrogatepass: a reference with half a surrogate pair must not crash a checkout.
    return f"sha256.{hashlib.sha256(order_reference.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _check_number(name: str, number: object) -> None:
    if type(number) is not int or not 1 <= number <= _MAX_NUMBER:
        raise ValueError(f"{name} must be a whole number from 1 to {_MAX_NUMBER}")
