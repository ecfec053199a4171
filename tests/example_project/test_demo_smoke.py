"""`manage.py demo --smoke` as a person would run it, and the verdict it reaches on other outcomes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from example_project.shop.demo.customer import Customer
from example_project.shop.demo.smoke import faults, faults_of_the_refund
from example_project.shop.models import Product

ROOT = Path(__file__).resolve().parents[2]
RECEIPT = "http://127.0.0.1:1/orders/x/receipt/"


@pytest.mark.parametrize(("contract", "refunded"), [("eu", "€98.00"), ("dev", "€12.00")])
def test_the_demo_buys_something_by_itself_and_refunds_it(contract: str, refunded: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO"))}
    done = subprocess.run(
        [sys.executable, "example_project/manage.py", "demo", "--smoke", "--contract", contract],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The order is paid and its payment has succeeded." in done.stdout
    assert f"{refunded} are refunded and stand on the customer's receipt." in done.stdout
    assert "0 fail, 4 warn, 1 person, 4 skip, 24 pass." in done.stdout


def verdict(directory: Path, orders: list[tuple[str, str | None]], payments: list[tuple[str, str]], url: str) -> str:
    database = directory / "smoke.sqlite3"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE shop_order (reference, paid_at)")
        connection.execute("CREATE TABLE django_flowlix_payment (order_reference, status)")
        connection.executemany("INSERT INTO shop_order VALUES (?, ?)", orders)
        connection.executemany("INSERT INTO django_flowlix_payment VALUES (?, ?)", payments)
    return "; ".join(faults(database, Customer(url)))


def test_the_verdict_is_good_only_when_order_and_payment_agree(tmp_path: Path) -> None:
    assert verdict(tmp_path, [("M-1", "2026-01-01")], [("M-1", "succeeded")], RECEIPT) == ""


@pytest.mark.parametrize(
    ("orders", "payments", "url", "words"),
    [
        ([], [], RECEIPT, "one paid order"),
        ([("M-1", None)], [("M-1", "succeeded")], RECEIPT, "one paid order"),
        ([("M-1", "now")], [("M-1", "pending")], RECEIPT, "one succeeded payment"),
        ([("M-1", "now")], [("M-2", "succeeded")], RECEIPT, "one succeeded payment"),
        ([("M-1", "now")], [("M-1", "succeeded"), ("M-1", "succeeded")], RECEIPT, "one succeeded payment"),
        ([("M-1", "now")], [("M-1", "succeeded")], "http://127.0.0.1:1/flowlix/pending/x/", "instead of the receipt"),
    ],
)
def test_the_verdict_names_what_is_wrong(
    tmp_path: Path,
    orders: list[tuple[str, str | None]],
    payments: list[tuple[str, str]],
    url: str,
    words: str,
) -> None:
    assert words in verdict(tmp_path, orders, payments, url)


def verdict_on_refund(directory: Path, refunds: list[tuple[int, str]], noted: float, page: str) -> str:
    database = directory / "smoke.sqlite3"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE shop_order (amount_refunded)")
        connection.execute("CREATE TABLE django_flowlix_refund (amount_minor, status)")
        connection.execute("INSERT INTO shop_order VALUES (?)", [noted])
        connection.executemany("INSERT INTO django_flowlix_refund VALUES (?, ?)", refunds)
    customer = Customer(RECEIPT)
    customer.page = page
    return "; ".join(faults_of_the_refund(database, customer, "12.00"))


def test_the_verdict_on_the_refund_is_good_only_when_all_agree(tmp_path: Path) -> None:
    assert verdict_on_refund(tmp_path, [(1200, "succeeded")], 12, "Refunded €12.00") == ""


@pytest.mark.parametrize(
    ("refunds", "noted", "page", "words"),
    [
        ([], 12, "Refunded €12.00", "one succeeded refund"),
        ([(1200, "pending")], 12, "Refunded €12.00", "one succeeded refund"),
        ([(1201, "succeeded")], 12, "Refunded €12.00", "one succeeded refund"),
        ([(1200, "succeeded")] * 2, 12, "Refunded €12.00", "one succeeded refund"),
        ([(1200, "succeeded")], 0, "Refunded €12.00", "it knows of 0"),
        ([(1200, "succeeded")], 12, "Total €12.00", "does not show the refund"),
        ([(1200, "succeeded")], 12, "Refunded €98.00", "does not show the refund"),
    ],
)
def test_the_verdict_on_the_refund_names_what_is_wrong(
    tmp_path: Path, refunds: list[tuple[int, str]], noted: float, page: str, words: str
) -> None:
    assert words in verdict_on_refund(tmp_path, refunds, noted, page)


def test_links_are_followed_by_their_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, opened = Customer("http://127.0.0.1:1/admin/"), []
    monkeypatch.setattr(Customer, "open", lambda self, address: opened.append(address))
    visitor.page = (
        '<a href="/refunds/">Refunds</a> text <a href="/first/"> <b>Refund</b></a> <a href="/second/">Refund</a>'
    )
    visitor.follow("Refund")

    assert opened == ["/first/"]
    with pytest.raises(LookupError, match="no link 'Ref'"):
        visitor.follow("Ref")


@pytest.mark.django_db
def test_seeding_twice_keeps_one_shelf() -> None:
    call_command("seed_shop", stdout=StringIO())
    call_command("seed_shop", stdout=StringIO())
    static = ROOT / "example_project" / "shop" / "static"

    assert Product.objects.count() == 8
    assert [product.slug for product in Product.objects.all() if not (static / product.picture_path).is_file()] == []


@pytest.mark.django_db
def test_the_admin_gets_a_new_password_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for password in ("first", "second"):
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        call_command("seed_shop", "--admin", stdout=StringIO())

    assert authenticate(username="admin", password="first") is None
    user = authenticate(username="admin", password="second")
    assert user is not None
    assert user.is_superuser


@pytest.mark.django_db
def test_a_random_password_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
    out = StringIO()
    call_command("seed_shop", "--admin", stdout=out)
    password = out.getvalue().strip().rpartition("password ")[2]

    assert len(password) >= 16
    assert authenticate(username="admin", password=password) is not None
