"""Keys: two different payments or refunds never share one, whatever merchants call their orders."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_flowlix.api.idempotency import (
    KEY_LIFE,
    MAX_KEY_LENGTH,
    REPLAY_MARGIN,
    may_replay,
    payment_key,
    refund_key,
)

SENT_AT = datetime(2025, 3, 30, 0, 30, tzinfo=UTC)

# Pieces from which a reference can be built that imitates another key's end, start or hash.
_PIECES = ["a", "-", "1", "2", "-attempt-", "attempt", "payment-order-", "refund-order-", "order-", "sha256."]
_PIECES += [hashlib.sha256(text.encode()).hexdigest() for text in ("a b", "a-attempt-2")]
_PIECES += [" ", "é", "\r\n", "\x00", "\ud800", "\ud83d\ude00", "😀", "\u0661", "x" * 120]
references = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join) | st.text(min_size=1)
namespaces = st.sampled_from(["", "a", "payment", "refund", "order", "A_1", "n" * 32])
numbers = st.integers(min_value=1, max_value=12) | st.just(2**31 - 1)
payments = st.tuples(st.just(payment_key), namespaces, references, numbers)
refunds = st.tuples(st.just(refund_key), namespaces, references, numbers)


def key_of(identity: tuple[Any, str, str, int]) -> str:
    derive, namespace, reference, number = identity
    key: str = derive(reference, number, namespace=namespace)
    return key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (payment_key("1042", 1), "payment-order-1042"),
        (payment_key("1042", 2), "payment-order-1042-attempt-2"),
        (payment_key("A/7#x", 1, namespace="staging_2"), "staging_2-payment-order-A/7#x"),
        (payment_key("1042", 3, "shop"), "shop-payment-order-1042-attempt-3"),
        (refund_key("1042", 1), "refund-order-1042-1"),
        (refund_key("1042", 2, namespace="shop"), "shop-refund-order-1042-2"),
    ],
)
def test_keys_tell_what_they_are_for(key: str, expected: str) -> None:
    assert key == expected


def test_i4_the_next_attempt_has_another_key() -> None:
    assert payment_key("1042", 1) != payment_key("1042", 2)
    # An order that is itself called "1042-attempt-2" must not meet the second attempt of order 1042.
    assert payment_key("1042-attempt-2", 1) != payment_key("1042", 2)


def test_i11_a_payment_and_a_refund_never_share_a_key() -> None:
    assert payment_key("1042-1", 1) != refund_key("1042", 1)


def test_i12_installations_with_one_api_key_do_not_meet() -> None:
    assert len({payment_key("1", 1), payment_key("1", 1, "a"), payment_key("1", 1, "b")}) == 3


@pytest.mark.parametrize(
    "reference",
    [
        "o" * 300,
        "two words",
        "tab\tbed",
        "café",
        "\r\nX-Injected: 1",
        "\x00",
        "\x7f",
        "x-attempt-9",
        "sha256.ff",
    ],
)
def test_i15_what_cannot_travel_is_hashed(reference: str) -> None:
    digest = hashlib.sha256(reference.encode()).hexdigest()
    assert payment_key(reference, 1) == f"payment-order-sha256.{digest}"
    assert refund_key(reference, 4) == f"refund-order-sha256.{digest}-4"


def test_i15_a_reference_is_hashed_exactly_where_the_key_would_grow_too_long() -> None:
    longest = "o" * (255 - len("payment-order-"))
    assert payment_key(longest, 1) == f"payment-order-{longest}"
    assert len(payment_key(longest, 1)) == 255
    assert payment_key(longest + "o", 1).startswith("payment-order-sha256.")
    assert payment_key(longest, 2).startswith("payment-order-sha256.")
    assert payment_key(longest, 1, "n").startswith("n-payment-order-sha256.")


@given(payments | refunds, payments | refunds)
@example((payment_key, "", "a-attempt-2", 1), (payment_key, "", "a", 2))
@example((payment_key, "", "a-attempt-2", 3), (payment_key, "", "a-attempt-3", 2))
@example((payment_key, "payment", "a", 1), (payment_key, "", "payment-order-a", 1))
@example((refund_key, "", "a-1", 2), (refund_key, "", "a", 1))
@example((payment_key, "", "\ud83d\ude00", 1), (payment_key, "", "😀", 1))
@example((payment_key, "", "\ud800 ", 1), (payment_key, "", "? ", 1))
@example(
    (payment_key, "", "a b", 1),
    (payment_key, "", "sha256." + hashlib.sha256(b"a b").hexdigest(), 1),
)
def test_i15_keys_are_injective(first: tuple[Any, str, str, int], second: tuple[Any, str, str, int]) -> None:
    assert (key_of(first) == key_of(second)) == (first == second)


@given(payments | refunds)
def test_i15_keys_are_short_printable_ascii_without_spaces(identity: tuple[Any, str, str, int]) -> None:
    assert MAX_KEY_LENGTH == 255
    assert re.fullmatch(r"[\x21-\x7e]{1,255}", key_of(identity))


@pytest.mark.parametrize("namespace", ["a-b", "", "n" * 33, "a b", "é", "a\n", "a.b"])
def test_namespaces_are_letters_digits_and_underscores(namespace: str) -> None:
    if not namespace:
        assert payment_key("1", 1, namespace) == "payment-order-1"
        return
    for derive in (payment_key, refund_key):
        with pytest.raises(ValueError, match=r"namespace.*letters, digits or underscores"):
            derive("1", 1, namespace=namespace)


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None, 2**31])
def test_attempts_and_sequences_count_from_one(number: Any) -> None:
    with pytest.raises(ValueError, match=r"attempt must be a whole number from 1"):
        payment_key("1042", number)
    with pytest.raises(ValueError, match=r"sequence must be a whole number from 1"):
        refund_key("1042", number)


@pytest.mark.parametrize("reference", ["", None, 1042, b"1042"])
def test_a_reference_is_a_text(reference: Any) -> None:
    with pytest.raises(ValueError, match=r"order_reference must be a text that is not empty"):
        payment_key(reference, 1)


def test_i8_a_key_is_replayed_only_within_its_life() -> None:
    assert timedelta(hours=24) == KEY_LIFE
    assert timedelta(hours=1) == REPLAY_MARGIN
    second = timedelta(seconds=1)
    ages = [
        timedelta(0),
        timedelta(hours=23) - second,
        timedelta(hours=23),
        timedelta(hours=24),
        timedelta(days=400),
    ]
    assert [may_replay(SENT_AT, SENT_AT + age) for age in ages] == [True, True, False, False, False]


def test_i14_a_clock_that_ran_backwards_is_not_trusted() -> None:
    ages = [timedelta(minutes=-1), timedelta(hours=-1), timedelta(hours=-1, seconds=-1), timedelta(days=-2)]
    assert [may_replay(SENT_AT, SENT_AT + age) for age in ages] == [True, True, False, False]
