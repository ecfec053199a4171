"""Parameters that several contracts share, and the card that is read from them.

Source: guides/direct-api and guides/hosted-payment-page of docs.flowlix.eu and docs.flowlix.dev
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import schema
from ..answers import invalid
from ..charging import EnteredCard

MAX_AMOUNT_MINOR = 2**63 - 1

AMOUNT = schema.integer(1, MAX_AMOUNT_MINOR)
DESCRIPTION = schema.text(max_length=500, blank=True)
CUSTOMER = schema.mapping(
    {
        "email": schema.text(pattern=r"[^@\s]+@[^@\s]+", says="an e-mail address"),
        "first_name": schema.text(),
        "last_name": schema.text(),
        "country": schema.text(pattern=r"[A-Z]{2}", says="an ISO 3166-1 alpha-2 code such as DE"),
        "phone": schema.text(pattern=r"\+?[0-9][0-9 ()./\-]{5,30}", says="an international phone number"),
        "address": schema.text(),
        "city": schema.text(),
        "zip": schema.text(),
    }
)
CARD = schema.mapping(
    {
        "number": schema.text(pattern=r"[0-9]{12,19}", says="12 to 19 digits without spaces"),
        "exp_month": schema.integer(1, 12),
        "exp_year": schema.integer(1000, 9999),
        "cvc": schema.text(pattern=r"[0-9]{3,4}", says="3 or 4 digits"),
        "holder_name": schema.text(),
    }
)


def entered_card(values: Mapping[str, Any]) -> EnteredCard:
    """Return the card of a direct payment. Raises: RefusalError (400) if its code has the wrong length."""
    card = EnteredCard(values["number"], values["exp_month"], values["exp_year"])
    if len(values["cvc"]) != card.cvc_length:
        raise invalid("card[cvc]", f"card[cvc] must have {card.cvc_length} digits for this card.")
    return card
