"""Strict where money is concerned, tolerant everywhere else, and nothing unmasked."""

from __future__ import annotations

import pytest

from django_flowlix.api import Card
from django_flowlix.api.contracts import MalformedObjectError, reading


@pytest.mark.parametrize("amount", [0, 1, 4999, 2**53 + 1, 2**63 - 1])
def test_m5_an_integer_amount_is_taken_exactly(amount):
    assert reading.require_amount({"amount": amount}, "amount") == amount


@pytest.mark.parametrize(
    "amount", ["19.99", "1999", 19.99, 1999.0, True, False, None, -1, 2**63, 10**30, [], {}, "", float("nan")]
)
def test_m5_anything_else_is_refused_and_never_coerced(amount):
    with pytest.raises(MalformedObjectError, match="amount is not an integer amount in minor units"):
        reading.require_amount({"amount": amount}, "amount")


@pytest.mark.parametrize(
    "id_",
    [
        "pay_8f14e45f-ceea-467f-a3dc-5c1a3e4b1c2d",
        "pay_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "pay_abcdefghijklmnopqrstuvwx",
        "1",
        "A_b-9",
        "x" * 255,
    ],
)
def test_m9_an_id_is_opaque_text(id_):
    assert reading.require_id({"id": id_}) == id_


@pytest.mark.parametrize(
    "id_", ["", "x" * 256, "a/b", "..", "a b", "a\n", "ü", "\u0430", "٣", 5, None, True, ["a"], "a?b=c"]
)
def test_m9_an_id_that_could_not_stand_in_an_address_is_refused(id_):
    with pytest.raises(MalformedObjectError, match="id"):
        reading.require_id({"id": id_})


@pytest.mark.parametrize("id_", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "4242424242424242", "x" * 255])
def test_m9_an_optional_id_is_taken_as_it_is(id_):
    assert reading.optional_id({"id": id_}) == id_


@pytest.mark.parametrize("id_", [None, "", 5, "a/b", "..", "x" * 256, ["a"]])
def test_m8_an_optional_id_of_another_form_is_empty(id_):
    assert reading.optional_id({"id": id_}) == reading.optional_id({}) == ""


def test_required_texts_are_safe_to_store():
    assert reading.require_text({"status": "pend\ning"}, "status") == "pend\\ning"
    assert reading.require_text({"status": "4242 4242 4242 4242"}, "status") == "****4242"
    assert len(reading.require_text({"status": "x" * 5000}, "status")) == 64


@pytest.mark.parametrize("value", [None, "", 5, True, [], {}])
def test_required_texts_are_required(value):
    with pytest.raises(MalformedObjectError, match="status is missing or is not a text"):
        reading.require_text({"status": value}, "status")


def test_l6_optional_texts_are_masked_before_they_are_cut():
    assert reading.optional_text({"m": "card 4242\n4242 4242-4242"}, "m") == "card ****4242"
    assert reading.optional_text({"m": "x" * 56 + " 4242424242424242"}, "m", 64) == "x" * 56 + " ****42…"
    assert reading.optional_text({"m": "a\ud800\x00b"}, "m") == "a\\ud800\\x00b"


@pytest.mark.parametrize("value", [None, 5, True, [], {}])
def test_m8_optional_texts_of_another_type_are_empty(value):
    assert reading.optional_text({"m": value}, "m") == ""
    assert reading.optional_text({}, "m") == ""


@pytest.mark.parametrize(
    ("value", "expected"), [(5, 5), (0, 0), (-1, -1), (5.0, None), ("5", None), (True, None), (None, None)]
)
def test_m8_optional_integers_are_integers_or_unknown(value, expected):
    assert reading.optional_int({"n": value}, "n") == expected


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), (1, None), ("true", None), (None, None)])
def test_m8_optional_booleans_are_booleans_or_unknown(value, expected):
    assert reading.optional_bool({"b": value}, "b") is expected


def test_m8_of_metadata_the_texts_are_kept():
    assert reading.text_entries({"a": "1", "b": 2, "c": None, "d": ["x"]}) == {"a": "1"}
    assert reading.text_entries(None) == reading.text_entries(["a"]) == reading.text_entries("a") == {}


def test_m8_a_card_that_is_still_incomplete_is_read():
    assert reading.optional_card({"last4": "4242", "brand": None}) == Card(last4="4242")
    assert reading.optional_card({}) == Card()
    assert reading.optional_card(None) is reading.optional_card("visa") is None


@pytest.mark.parametrize(
    "card",
    [
        {"last4": "4242424242424242"},
        {"last4": "42"},
        {"last4": "42a2"},
        {"last4": 4242},
        {"exp_month": 0},
        {"exp_month": 13},
        {"exp_month": "12"},
        {"exp_year": 30},
        {"exp_year": 10_000},
        {"exp_year": 2030.0},
        {"brand": 5, "country": ["DE"]},
    ],
    ids=repr,
)
def test_m8_a_card_field_that_cannot_be_is_left_out(card):
    assert reading.optional_card(card) == Card()
