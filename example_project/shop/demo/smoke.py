"""The smoke test: a purchase and its refund over HTTP, and the database asked afterwards what became of them."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from .customer import Customer
from .programme import paying_card
from .stage import Stage

_CONFIRMATION_SECONDS = 30
_REFUNDED = {"eu": "98.00", "dev": "12.00"}  # two pens are 98 euros, and eu refunds in full only


def perform(stage: Stage, database: Path, password: str, tell: Callable[[str], None]) -> list[str]:
    """Buy, refund as the staff login `admin`, and return what is wrong afterwards; an empty list means that it worked.

    Raises: LookupError when a page, a link or a form is missing.
    """
    customer = buy(stage.shop_url, paying_card(stage.contract), tell)
    if found := faults(database, customer):
        return found
    tell("The order is paid and its payment has succeeded.")
    amount = _REFUNDED[stage.contract]
    refund(Customer(stage.shop_url), password, customer, amount, tell)
    if found := faults_of_the_refund(database, customer, amount):
        return found
    tell(f"€{amount} are refunded and stand on the customer's receipt.")
    return []


def buy(shop_url: str, card_number: str, tell: Callable[[str], None]) -> Customer:
    """Buy two pens as a customer would, until the receipt or until nothing moves any more.

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
    customer.submit(cc_number=card_number, cc_exp="12/34", cc_csc="123", cc_name="Ada Lovelace")
    _wait_for_receipt(customer)
    tell(f"Back at {customer.url}")
    return customer


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


def refund(clerk: Customer, password: str, customer: Customer, amount: str, tell: Callable[[str], None]) -> None:
    """Refund the customer's order in the admin as staff would, until the receipt says so.

    Raises: LookupError when a page, a link or a form is missing.
    """
    tell("Refunding it in the admin ...")
    clerk.open("/admin/")
    clerk.submit(username="admin", current_password=password)
    clerk.open("/admin/django_flowlix/payment/")
    reference = _order_reference(customer)
    clerk.submit(q=reference)
    clerk.follow(reference)
    clerk.follow("Refund")
    clerk.submit(amount=amount, reason="Returned unused")
    clerk.submit(step="refund")
    deadline = time.monotonic() + _CONFIRMATION_SECONDS
    customer.open(customer.url)
    while "Refunded" not in customer.page and time.monotonic() < deadline:
        time.sleep(1)
        clerk.submit("/ask/")  # the button "Ask the gateway now"; flowlix_sync would do it a little later
        customer.open(customer.url)


def _order_reference(customer: Customer) -> str:
    found = re.search(r"M-[0-9A-Z]{10}", customer.page)
    if found is None:
        raise LookupError(f"{customer.url} does not show the order's reference")
    return found[0]


def faults_of_the_refund(database: Path, customer: Customer, amount: str) -> list[str]:
    """Return what is wrong after the refund of `amount`, read from the database file as well."""
    with closing(sqlite3.connect(database)) as connection:
        refunds = connection.execute("SELECT amount_minor, status FROM django_flowlix_refund").fetchall()
        (noted,) = connection.execute("SELECT amount_refunded FROM shop_order").fetchone()
    minor = int(Decimal(amount) * 100)
    found = []
    if refunds != [(minor, "succeeded")]:
        found.append(f"one succeeded refund of {amount} was expected, there is {refunds}")
    if round(noted * 100) != minor:
        found.append(f"the order was to know of {amount} refunded, it knows of {noted}")
    if f"€{amount}" not in customer.page or "Refunded" not in customer.page:
        found.append(f"{customer.url} does not show the refund")
    return found
