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
from example_project.shop.demo.smoke import faults
from example_project.shop.models import Product

ROOT = Path(__file__).resolve().parents[2]
RECEIPT = "http://127.0.0.1:1/orders/x/receipt/"


def test_the_demo_buys_something_by_itself() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO"))}
    done = subprocess.run(
        [sys.executable, "example_project/manage.py", "demo", "--smoke"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The order is paid and its payment has succeeded." in done.stdout


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
