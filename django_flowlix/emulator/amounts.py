"""Amounts as the hosted page shows them: major units with the currency's own number of decimals."""

from __future__ import annotations

from decimal import Decimal

from iso4217 import Currency

_DEFAULT_EXPONENT = 2


def displayed_amount(amount_minor: int, currency: str) -> str:
    """Return for example "1,234.50 EUR", "500 JPY", "1.250 KWD". Source: ISO 4217"""
    exponent = _exponent(currency)
    major = Decimal(amount_minor).scaleb(-exponent)
    return f"{major:,.{exponent}f} {currency.upper()}"


def _exponent(currency: str) -> int:
    try:
        exponent = Currency(currency.upper()).exponent
    except ValueError:  # the contract accepts any three letters
        return _DEFAULT_EXPONENT
    return _DEFAULT_EXPONENT if exponent is None else int(exponent)
