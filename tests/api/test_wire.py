"""JSON is written once and read strictly."""

from __future__ import annotations

import traceback

import pytest

from django_flowlix.api.secret import Secret
from django_flowlix.api.wire import body_text, parse_json


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b'{"amount": Infinity}',
        b'{"amount": -Infinity}',
        b"1e400",
        b"-1e999999",
        b"9" * 5000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"",
        b" ",
        b'{"id": "pay_1", "amo',
        b"<!doctype html>",
        b'{"id": "pay_1"} trailing',
        b"\xff\xfe\xfd",
        b'"\xe9"',
        b"{'id': 1}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_m2_m4_what_is_not_json_is_a_value_error_that_holds_none_of_it(body):
    with pytest.raises(ValueError) as caught:
        parse_json(body)
    assert type(caught.value) is ValueError
    assert caught.value.__context__ is None
    assert len(traceback.extract_tb(caught.value.__traceback__)) == 2


def test_m6_of_duplicate_keys_the_last_one_counts():
    assert parse_json(b'{"amount": 1, "amount": 2}') == {"amount": 2}


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"null", None), (b"[]", []), (b'"text"', "text"), (b"1.5", 1.5), (b"-0", 0), ('"ü€"'.encode(), "ü€")],
)
def test_m2_any_json_value_is_read(body, value):
    assert parse_json(body) == value


def test_m5_integers_keep_every_digit_and_floats_stay_floats():
    value = parse_json(b'{"a": 9223372036854775808, "b": 1999.0}')
    assert value == {"a": 9_223_372_036_854_775_808, "b": 1999.0}
    assert isinstance(value, dict)
    assert [type(entry) for entry in value.values()] == [int, float]


def test_i10_a_body_is_plain_ascii_in_the_order_given_and_shown_to_nobody():
    text = body_text({"b": "Grüße", "a": {"n": 1}})
    assert text.reveal() == '{"b":"Gr\\u00fc\\u00dfe","a":{"n":1}}'
    assert isinstance(text, Secret)
    assert "Gr" not in repr(text)
