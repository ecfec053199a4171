"""What card brands are called: the gateway's word for one, as its owner writes it."""

from __future__ import annotations

_NAMES = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "american_express": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "diners_club": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "maestro": "Maestro",
    "mir": "Mir",
    "cartes_bancaires": "Cartes Bancaires",
}


def brand_name(brand: str) -> str:
    """Return the proper name of a brand; one that is not known keeps the gateway's word."""
    return _NAMES.get(brand.lower(), brand.replace("_", " "))
