"""An amount of money: whole minor units, a currency and its number of decimals. Exact, or an error.

Nothing is rounded and no arithmetic depends on the decimal context, because the amount is what a person pays.

Source: ISO 4217 through the `iso4217` package; docs.flowlix.eu/guides/direct-api (integers in minor units)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from types import MappingProxyType

from iso4217 import Currency

MAX_AMOUNT_MINOR = 2**63 - 1
MAX_EXPONENT = 6

_CODE = re.compile(r"[A-Za-z]{3}")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NO_OVERRIDES: Mapping[str, int] = MappingProxyType({})


class MoneyError(ValueError):
    """An amount or a currency that cannot be taken exactly; the message names the fault and the remedy."""


@total_ordering
@dataclass(frozen=True, slots=True, init=False)
class Money:
    """A quantity of money to be collected or returned.

    `amount_minor` is 0 to 2^63-1, `currency` is stored in capitals, `exponent` is the number of decimals
    (0 to 6); without one, ISO 4217 decides.
    Raises: MoneyError.
    """

    amount_minor: int
    currency: str
    exponent: int

    def __init__(self, amount_minor: int, currency: str, exponent: int | None = None) -> None:
        code = _currency_code(currency)
        decimals = exponent_of(code) if exponent is None else exponent_of(code, {code: exponent})
        object.__setattr__(self, "amount_minor", _checked_minor(amount_minor))
        object.__setattr__(self, "currency", code)
        object.__setattr__(self, "exponent", decimals)

    @classmethod
    def from_major(cls, value: Decimal | int | str, currency: str, exponent: int | None = None) -> Money:
        """Return `Money` for an amount in major units, such as `Decimal("49.99")`, `"49.99"` or `50`.

        Raises: MoneyError for floats, for texts other than plain ASCII digits with at most one dot, for
        decimals that the currency does not have, and for negative or too large amounts.
        """
        zero = cls(0, currency, exponent)
        return cls(_minor_units(_decimal(value), zero), zero.currency, zero.exponent)

    @property
    def major(self) -> Decimal:
        """The amount in major units with all decimals of the currency: `Decimal("49.90")`."""
        return Decimal((0, tuple(map(int, str(self.amount_minor))), -self.exponent))

    def rescaled(self, exponent: int) -> Money:
        """Return the same value with another number of decimals.

        Raises: MoneyError if a digit other than 0 would be lost.
        """
        return Money.from_major(self.major, self.currency, exponent)

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.amount_minor < self._alike(other).amount_minor

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.amount_minor + self._alike(other).amount_minor, self.currency, self.exponent)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.amount_minor - self._alike(other).amount_minor, self.currency, self.exponent)

    def _alike(self, other: Money) -> Money:
        if (self.currency, self.exponent) != (other.currency, other.exponent):
            kinds = [f"{money.currency} with {_decimals(money.exponent)}" for money in (self, other)]
            raise MoneyError(f"{' and '.join(kinds)} do not mix: convert or rescale one of them first")
        return other


def exponent_of(currency: str, overrides: Mapping[str, int] = _NO_OVERRIDES) -> int:
    """Return how many decimals a currency has: what `overrides` says (`{"HUF": 0}`), else ISO 4217.

    An override also admits a code that ISO 4217 does not list any more, so that old payments stay readable.
    Raises: MoneyError for unknown codes and for codes that are no money (gold, testing, drawing rights).
    """
    code = _currency_code(currency)
    listed = code in Currency.__members__
    published = Currency[code].exponent if listed else None
    if listed and published is None:
        raise MoneyError(f"{code} is no currency one can pay with: use the code of a currency, such as EUR")
    for name, exponent in overrides.items():
        if name.upper() == code:
            return _checked_exponent(exponent, code)
    if published is None:
        raise MoneyError(f"{code} is not in ISO 4217: correct the code, or state the currency's exponent")
    return published


def _currency_code(currency: object) -> str:
    if not isinstance(currency, str) or not _CODE.fullmatch(currency):
        raise MoneyError("A currency is three ASCII letters, such as EUR")
    return currency.upper()


def _checked_exponent(exponent: object, code: str) -> int:
    if type(exponent) is not int or not 0 <= exponent <= MAX_EXPONENT:
        raise MoneyError(f"The exponent of {code} must be an int between 0 and {MAX_EXPONENT}")
    return exponent


def _checked_minor(amount_minor: object) -> int:
    if type(amount_minor) is not int:  # bool is an int to isinstance, and True is not one cent
        found = type(amount_minor).__name__
        raise MoneyError(f"amount_minor must be an int, not {found}: for major units use Money.from_major")
    if amount_minor < 0:
        raise _negative()
    if amount_minor > MAX_AMOUNT_MINOR:
        raise _too_large()
    return amount_minor


def _decimal(value: object) -> Decimal:
    """Return a finite decimal that is not negative, exactly."""
    if isinstance(value, str):
        return _decimal_of_text(value)
    if type(value) is int:
        # Checked before Decimal sees it, which takes quadratic time for huge integers.
        return Decimal(_checked_minor(value))
    if not isinstance(value, Decimal):
        found = type(value).__name__
        raise MoneyError(f"The amount must be a Decimal, int or str, not {found}: write Decimal('49.99')")
    if not value.is_finite():
        raise MoneyError("The amount is not a finite number: write Decimal('49.99')")
    if value.is_signed() and value:
        raise _negative()
    return value


def _decimal_of_text(text: str) -> Decimal:
    if not _PLAIN_NUMBER.fullmatch(text):
        raise MoneyError(
            "The amount must be digits with at most one dot, such as '49.99': no spaces, signs or exponents"
        )
    if text.startswith("-"):
        raise _negative()
    return Decimal(text)


def _minor_units(value: Decimal, unit: Money) -> int:
    """Return `value` in minor units of `unit`, on its digits alone: no operation of `decimal` rounds here."""
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
    if not digits:
        return 0
    # adjusted() is the place of the first digit: 0 for 4.9, 1 for 49, -2 for 0.049.
    if value.adjusted() >= len(str(MAX_AMOUNT_MINOR)):  # or 1E+999999 would be written out below
        raise _too_large()
    decimals = len(digits) - 1 - value.adjusted()
    if decimals > unit.exponent:
        raise _surplus(digits, decimals, unit)
    return int(digits + "0" * (unit.exponent - decimals))


def _decimals(count: int) -> str:
    return f"{count} decimal{'' if count == 1 else 's'}"


def _surplus(digits: str, decimals: int, unit: Money) -> MoneyError:
    padded = digits.rjust(decimals + 1, "0") if decimals <= 40 else ""
    shown = f"{padded[:-decimals]}.{padded[-decimals:]} {unit.currency}" if padded else "The amount"
    return MoneyError(
        f"{shown} has {_decimals(decimals)}, {unit.currency} has {unit.exponent}: round the amount before"
    )


def _negative() -> MoneyError:
    return MoneyError("The amount is negative: collect or return a positive amount")


def _too_large() -> MoneyError:
    return MoneyError(f"The amount is too large: at most {MAX_AMOUNT_MINOR} minor units (64 bits)")
