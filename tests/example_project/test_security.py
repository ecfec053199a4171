"""Headers of every page, and templates that need no exception from the policy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import django_flowlix
import example_project.shop
from example_project.shop.models import Order

PACKAGES = [Path(module.__path__[0]) for module in (django_flowlix, example_project.shop)]
TEMPLATES = [path for package in PACKAGES for path in sorted((package / "templates").rglob("*.html"))]
INLINE = re.compile(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/basket/", "/checkout/", "/admin/login/", "/nothing-here/", "/products/none/"])
def test_f11_every_answer_carries_the_policy(client: Client, settings: Any, path: str) -> None:
    settings.SHOP_HOSTED_PAGE_ORIGINS = ["https://pay.example"]
    answer = client.get(path)

    assert answer["Content-Security-Policy"] == (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' https://pay.example"
    )
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_templates_are_found() -> None:
    names = {path.name for path in TEMPLATES}

    assert {"pending.html", "result.html", "problem.html", "order.html", "receipt.html"} <= names


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_has_inline_script_or_style(path: Path) -> None:
    assert INLINE.findall(path.read_text()) == []


@pytest.mark.parametrize("bad", ["<p style='x'>", "<a onclick=x>", "<style>", "<script>", '<a href="javascript:x">'])
def test_the_search_for_inline_code_finds_it(bad: str) -> None:
    assert INLINE.search(bad)


def test_the_way_back_from_the_hosted_page_keeps_the_session(settings: Any) -> None:
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"


@pytest.mark.django_db
def test_orders_cannot_be_changed_in_the_admin(admin_client: Client, order: Order) -> None:
    address = f"/admin/shop/order/{order.pk}/change/"
    answer = admin_client.post(address, {"reference": "X", "paid_at_0": "2026-01-01", "paid_at_1": "00:00"})
    order.refresh_from_db()

    assert answer.status_code == 403
    assert order.paid_at is None
    assert order.reference in admin_client.get(address).content.decode()
    assert order.reference in admin_client.get("/admin/shop/order/").content.decode()
