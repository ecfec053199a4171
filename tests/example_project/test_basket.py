"""The basket: what is in it, what it costs, and what strange requests do to it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from example_project.shop.models import Product

pytestmark = pytest.mark.django_db


def add(client: Client, product: Product, quantity: object) -> str:
    answer = client.post(reverse("shop:add", args=[product.slug]), {"quantity": quantity}, follow=True)
    return answer.content.decode()


def test_quantities_add_up_and_the_total_is_exact(client: Client, pen: Product, ink: Product) -> None:
    add(client, pen, 1)
    add(client, ink, 1)
    page = add(client, ink, 2)

    assert "€49.00" in page
    assert "€50.70" in page  # 3 x 16.90
    assert "€99.70" in page


@pytest.mark.parametrize("quantity", ["0.5", "-1", "21", "", "many", "1e1"])
def test_a_strange_quantity_is_refused_with_a_reason(client: Client, pen: Product, quantity: str) -> None:
    page = add(client, pen, quantity)

    assert "quantity from 0 to 20" in page
    assert "There is nothing in it yet" in page


def test_the_quantity_never_exceeds_the_limit(client: Client, pen: Product) -> None:
    add(client, pen, 15)
    page = add(client, pen, 15)

    assert 'value="20"' in page
    assert "€980.00" in page


def test_quantity_zero_removes_a_product(client: Client, pen: Product, ink: Product) -> None:
    add(client, pen, 1)
    add(client, ink, 1)
    client.post(reverse("shop:quantity", args=["pen"]), {"quantity": 0})
    page = client.get(reverse("shop:basket")).content.decode()

    assert "Pen" not in page
    assert "€16.90" in page


def test_a_product_that_is_gone_is_left_out(client: Client, pen: Product, ink: Product) -> None:
    add(client, pen, 1)
    add(client, ink, 1)
    pen.delete()

    assert "Pen" not in client.get(reverse("shop:basket")).content.decode()


def test_an_unknown_product_is_not_found(client: Client) -> None:
    assert client.post(reverse("shop:add", args=["nothing"]), {"quantity": 1}).status_code == 404


def test_f9_reading_changes_nothing(client: Client, pen: Product) -> None:
    assert client.get(reverse("shop:add", args=["pen"])).status_code == 405
    assert client.session.get("basket") is None
