"""Who pays where nobody does: the made-up customer of rehearsals and of payments with test cards."""

from __future__ import annotations

from ..api import Customer

PAYER = Customer(
    email="flowlix-check@example.com",
    first_name="Flowlix",
    last_name="Check",
    country="DE",
    phone="+49 30 901820",
    address="Teststrasse 1",
    city="Berlin",
    zip="10117",
)
