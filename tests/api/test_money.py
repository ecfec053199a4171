"""Money is exact or it is an error. The oracle is `fractions.Fraction`, which never rounds."""

from __future__ import annotations

import copy
import decimal
import doctest
import pickle
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_flowlix.api.money import Money, MoneyError, exponent_of

LARGEST = 9_223_372_036_854_775_807
amounts_minor = st.integers(min_value=0, max_value=LARGEST)
# ISO 4217, list one: minor units as published, one currency per number of decimals.
PUBLISHED = {"JPY": 0, "EUR": 2, "HUF": 2, "KWD": 3, "CLF": 4}
denominations = st.sampled_from(sorted(PUBLISHED.items()))


@pytest.mark.parametrize(("code", "exponent"), PUBLISHED.items())
def test_exponents_are_those_of_iso_4217(code: str, exponent: int) -> None:
    assert exponent_of(code) == exponent
    assert Money(1, code).exponent == exponent


@pytest.mark.parametrize(
    ("value", "currency", "amount_minor", "text"),
    [
        ("49.99", "EUR", 4999, "49.99 EUR"),
        ("49.990", "EUR", 4999, "49.99 EUR"),
        ("0049.9", "EUR", 4990, "49.90 EUR"),
        (Decimal("49.99"), "eur", 4999, "49.99 EUR"),
        (Decimal("5E+2"), "JPY", 500, "500 JPY"),
        (500, "JPY", 500, "500 JPY"),
        (7, "EUR", 700, "7.00 EUR"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
        ("0.01", "USD", 1, "0.01 USD"),
        (Decimal("-0.00"), "EUR", 0, "0.00 EUR"),
        ("0", "CLF", 0, "0.0000 CLF"),
        ("92233720368547758.07", "EUR", LARGEST, "92233720368547758.07 EUR"),
    ],
)
def test_major_units_become_minor_units(
    value: Decimal | int | str, currency: str, amount_minor: int, text: str
) -> None:
    money = Money.from_major(value, currency)
    assert (money.amount_minor, str(money)) == (amount_minor, text)


def test_s10_surplus_digits_are_refused_and_counted() -> None:
    with pytest.raises(MoneyError, match=r"49\.999 EUR has 3 decimals, EUR has 2"):
        Money.from_major("49.9990", "EUR")
    with pytest.raises(MoneyError, match=r"0\.5 JPY has 1 decimal, JPY has 0"):
        Money.from_major(Decimal("0.5"), "JPY")


@pytest.mark.parametrize("value", [49.99, 5.0, float("nan"), True, False, None, b"5", Fraction(1, 2), 1j])
def test_s10_other_types_are_refused_with_the_remedy(value: Any) -> None:
    with pytest.raises(MoneyError, match=r"Decimal\('49\.99'\)"):
        Money.from_major(value, "EUR")


@pytest.mark.parametrize("value", [49.0, True, "4999", Decimal(4999), None])
def test_s10_minor_units_are_whole_numbers(value: Any) -> None:
    with pytest.raises(MoneyError, match=r"amount_minor must be an int.*Money\.from_major"):
        Money(value, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        *("1_000", "1,000", "1.000,00", "\u0664\u0669", "\uff14\uff19", "5.\u0664", "\u20ac5", "0x10"),
        *("1e3", "5E2", " 5", "5 ", "5\n", "", ".", ".5", "5.", "+5", "5.0.0", "--5", "5\x00", "\ud800"),
        *("NaN", "sNaN", "Infinity", "-Infinity"),
    ],
)
def test_s10_only_plain_ascii_digits_are_read(text: str) -> None:
    with pytest.raises(MoneyError, match=r"digits with at most one dot"):
        Money.from_major(text, "EUR")


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_s10_decimals_that_are_no_number_are_refused(value: Decimal) -> None:
    with pytest.raises(MoneyError, match="not a finite number"):
        Money.from_major(value, "EUR")


@pytest.mark.parametrize("value", ["-1", "-0.01", -1, Decimal("-0.01"), Decimal("-1E+999999")])
def test_s10_negative_amounts_are_refused(value: Decimal | int | str) -> None:
    with pytest.raises(MoneyError, match="negative"):
        Money.from_major(value, "EUR")


def test_s10_negative_minor_units_are_refused() -> None:
    with pytest.raises(MoneyError, match="negative"):
        Money(-1, "EUR")


@pytest.mark.parametrize(
    "value",
    [
        "92233720368547758.08",
        Decimal("92233720368547758.08"),
        10**17,
        10**40,
        Decimal("1E+999999"),
        "9" * 400,
    ],
)
def test_s10_amounts_beyond_64_bits_are_refused(value: Decimal | int | str) -> None:
    with pytest.raises(MoneyError, match="64 bits"):
        Money.from_major(value, "EUR")


def test_s10_minor_units_beyond_64_bits_are_refused() -> None:
    assert Money(LARGEST, "EUR").amount_minor == LARGEST
    with pytest.raises(MoneyError, match="64 bits"):
        Money(LARGEST + 1, "EUR")


def test_a_vanishing_decimal_is_refused_without_being_written_out() -> None:
    with pytest.raises(MoneyError, match="has 999999 decimals") as caught:
        Money.from_major(Decimal("1E-999999"), "EUR")
    assert len(str(caught.value)) < 300
    assert Money.from_major(Decimal("0E-999999"), "EUR").amount_minor == 0
    assert Money.from_major(Decimal("0E+999999"), "EUR").amount_minor == 0


def test_rubbish_is_not_quoted_because_it_may_be_a_card_number() -> None:
    for currency, value in (("EUR", "4242 4242 4242 4242"), ("4242424242424242", "1")):
        with pytest.raises(MoneyError) as caught:
            Money.from_major(value, currency)
        assert "4242" not in str(caught.value)


@pytest.mark.parametrize("code", ["", "EU", "EURO", "EU1", "\u0415UR", "E R", "EUR\n", "ßA", None, 978, b"EUR"])
def test_s10_what_is_no_currency_code_is_refused_with_the_remedy(code: Any) -> None:
    with pytest.raises(MoneyError, match="three ASCII letters, such as EUR"):
        Money(1, code)


def test_s10_unknown_currencies_are_refused_and_named() -> None:
    with pytest.raises(MoneyError, match=r"EUX is not in ISO 4217.*exponent"):
        Money(1, "eux")


@pytest.mark.parametrize("code", ["XAU", "XXX", "XDR", "XTS"])
def test_s10_non_monetary_codes_are_refused_even_with_an_exponent(code: str) -> None:
    for exponent in (None, 2):
        with pytest.raises(MoneyError, match=f"{code} is no currency"):
            Money(1, code, exponent)
    with pytest.raises(MoneyError, match=f"{code} is no currency"):
        exponent_of(code, {code: 2})


def test_an_explicit_exponent_wins() -> None:
    assert str(Money.from_major("1500", "HUF", exponent=0)) == "1500 HUF"
    assert Money(1500, "HUF", 0) != Money(1500, "HUF")


def test_rows_in_a_withdrawn_currency_stay_readable() -> None:
    assert str(Money(1999, "DEM", exponent=2)) == "19.99 DEM"


@pytest.mark.parametrize("exponent", [-1, 7, True, 2.0, "2"])
def test_exponents_are_between_0_and_6(exponent: Any) -> None:
    with pytest.raises(MoneyError, match="between 0 and 6"):
        Money(1, "EUR", exponent)
    with pytest.raises(MoneyError, match="between 0 and 6"):
        exponent_of("EUR", {"EUR": exponent})


def test_overrides_name_currencies_in_either_case() -> None:
    assert [exponent_of("huf", {name: 0}) for name in ("HUF", "huf", "EUR")] == [0, 0, 2]


def test_rescaling_is_exact_or_an_error() -> None:
    forints = Money(150_000, "HUF")
    assert forints.rescaled(0) == Money(1500, "HUF", 0)
    assert forints.rescaled(0).rescaled(2) == forints
    with pytest.raises(MoneyError, match=r"1500\.01 HUF has 2 decimals"):
        Money(150_001, "HUF").rescaled(0)
    with pytest.raises(MoneyError, match="64 bits"):
        Money(LARGEST, "HUF").rescaled(3)


def test_equal_money_is_equal_and_hashes_alike() -> None:
    assert Money(4999, "eur") == Money.from_major("49.99", "EUR")
    assert len({Money(4999, "eur"), Money(4999, "EUR"), Money(4999, "USD"), Money(4999, "EUR", 3)}) == 3
    others: list[object] = [4999, "49.99 EUR"]
    assert Money(4999, "EUR") not in others


def test_order_and_sums_stay_within_a_currency() -> None:
    small, large = Money(1, "EUR"), Money(2, "EUR")
    assert (small < large, small <= large, large > small, large >= small) == (True, True, True, True)
    assert (large < small, large <= small, small > large, small >= large) == (False, False, False, False)
    assert small + large == Money(3, "EUR")
    assert large - small == Money(1, "EUR")
    assert Money(5, "HUF", 0) + Money(5, "HUF", 0) == Money(10, "HUF", 0)


@pytest.mark.parametrize("other", [Money(1, "USD"), Money(1, "EUR", 3)])
@pytest.mark.parametrize("operation", [lambda a, b: a < b, lambda a, b: a >= b, lambda a, b: a + b, lambda a, b: a - b])
def test_s9_money_of_two_kinds_does_not_mix(operation: Callable[[Money, Money], Any], other: Money) -> None:
    with pytest.raises(MoneyError, match="do not mix"):
        operation(Money(1, "EUR"), other)


@pytest.mark.parametrize("operation", [lambda a: a < 1, lambda a: a + 1, lambda a: a - 1, lambda a: 1 + a])
def test_money_and_numbers_do_not_mix(operation: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        operation(Money(1, "EUR"))


def test_sums_and_differences_keep_the_limits() -> None:
    with pytest.raises(MoneyError, match="negative"):
        Money(1, "EUR") - Money(2, "EUR")
    with pytest.raises(MoneyError, match="64 bits"):
        Money(LARGEST, "EUR") + Money(1, "EUR")


def test_money_is_frozen_and_survives_copies_and_pickles() -> None:
    money = Money(4999, "EUR")
    with pytest.raises(AttributeError):
        money.amount_minor = 1  # type: ignore[misc]
    assert copy.deepcopy(money) == pickle.loads(pickle.dumps(money)) == money
    assert repr(money) == "Money(amount_minor=4999, currency='EUR', exponent=2)"


def test_a_narrow_decimal_context_changes_nothing() -> None:
    traps = [decimal.Inexact, decimal.Rounded, decimal.FloatOperation]
    with decimal.localcontext(decimal.Context(prec=2, Emin=-1, Emax=1, traps=traps)):
        money = Money.from_major("00000000000012345678901234.560", "EUR")
        assert money.amount_minor == 1234567890123456
        assert str(money.major) == "12345678901234.56"
        assert str(money) == "12345678901234.56 EUR"
        with pytest.raises(MoneyError, match="64 bits"):
            Money.from_major("123456789012345678901234567890", "EUR")
        with pytest.raises(MoneyError, match="has 28 decimals"):
            Money.from_major("1.2345678901234567890123456789", "EUR")


@given(amounts_minor, denominations, st.integers(min_value=1, max_value=50))
def test_minor_to_major_and_back_in_any_context(
    amount_minor: int, denomination: tuple[str, int], precision: int
) -> None:
    code, exponent = denomination
    with decimal.localcontext(decimal.Context(prec=precision)):
        money = Money(amount_minor, code)
        assert Fraction(str(money.major)) == Fraction(amount_minor, 10**exponent)
        assert Money.from_major(money.major, code) == money
        assert Money.from_major(str(money).removesuffix(f" {code}"), code) == money


@given(st.decimals(allow_nan=False, allow_infinity=False), denominations)
def test_every_decimal_is_exact_or_refused(value: Decimal, denomination: tuple[str, int]) -> None:
    code, exponent = denomination
    if abs(value.adjusted()) > 400:  # the oracle would write out a number of a million digits
        value = value.scaleb(-value.adjusted())
    exact = Fraction(*value.as_integer_ratio()) * 10**exponent
    if exact.denominator == 1 and 0 <= exact <= LARGEST:
        assert Money.from_major(value, code).amount_minor == exact
    else:
        with pytest.raises(MoneyError):
            Money.from_major(value, code)


@given(st.text(alphabet="0123456789.-+eE_ ,٣\n", max_size=24))
def test_every_text_is_exact_or_refused(text: str) -> None:
    try:
        money = Money.from_major(text, "EUR")
    except MoneyError:
        return
    assert set(text) <= set("0123456789.")
    assert Fraction(money.amount_minor, 100) == Fraction(text)


@given(amounts_minor, denominations, st.integers(min_value=0, max_value=6))
def test_rescaling_keeps_the_value(amount_minor: int, denomination: tuple[str, int], exponent: int) -> None:
    money = Money(amount_minor, denomination[0])
    exact = Fraction(amount_minor, 10 ** denomination[1]) * 10**exponent
    if exact.denominator == 1 and exact <= LARGEST:
        assert money.rescaled(exponent).amount_minor == exact
    else:
        with pytest.raises(MoneyError):
            money.rescaled(exponent)


def test_the_examples_of_the_documentation_work() -> None:
    page = Path(__file__).parents[2] / "docs" / "explanation" / "money.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (result.failed, result.attempted) == (0, 10)
