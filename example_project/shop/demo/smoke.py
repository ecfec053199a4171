"""The smoke test: one purchase over HTTP, and the database asked afterwards whether the order is paid."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .customer import Customer

_CONFIRMATION_SECONDS = 30


def buy(shop_url: str, tell: Callable[[str], None]) -> Customer:
    """Buy a pen as a customer would, until the receipt or until nothing moves any more.

    Raises: LookupError when a page or a form is missing.
    """
    customer = Customer(shop_url)
    tell("Looking at a pen ...")
    customer.open("/products/heron-pen/")
    customer.submit("/add/", quantity="2")
    tell("Checking out ...")
    customer.open("/checkout/")
    customer.submit(
        given_name="Ada",
        family_name="Lovelace",
        email="ada@example.com",
        tel="+44 20 7946 0000",
        address_line1="12 St James's Square",
        postal_code="SW1Y 4JH",
        address_level2="London",
        country="GB",
    )
    tell("Paying on the hosted page ...")
    customer.submit("/pay/")
    tell(f"  {customer.url}")
    _enter_card(customer)
    _wait_for_receipt(customer)
    tell(f"Back at {customer.url}")
    return customer


def _enter_card(customer: Customer) -> None:
    customer.submit(cc_number="4242 4242 4242 4242", cc_exp="12/34", cc_csc="123", cc_name="Ada Lovelace")


def _wait_for_receipt(customer: Customer) -> None:
    """The receipt comes at once, or after the page that says "we are confirming your payment"."""
    deadline = time.monotonic() + _CONFIRMATION_SECONDS
    while "/flowlix/" in customer.url and time.monotonic() < deadline:
        time.sleep(1)
        customer.open(customer.url)


def faults(database: Path, customer: Customer) -> list[str]:
    """Return what is wrong after the purchase; an empty list means that it worked.

    The database file is read directly, so that no code of the shop or of the app answers for itself.
    """
    with closing(sqlite3.connect(database)) as connection:
        orders = connection.execute("SELECT reference, paid_at FROM shop_order").fetchall()
        payments = connection.execute("SELECT order_reference, status FROM django_flowlix_payment").fetchall()
    found = []
    if "/receipt/" not in customer.url:
        found.append(f"the customer ended at {customer.url} instead of the receipt")
    if len(orders) != 1 or orders[0][1] is None:
        found.append(f"one paid order was expected, there is {orders}")
    elif payments != [(orders[0][0], "succeeded")]:
        found.append(f"one succeeded payment of that order was expected, there is {payments}")
    return found
