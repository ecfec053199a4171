"""Checkout: correct details become one order with today's prices; wrong ones are named where they stand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from example_project.shop.models import Order, Product

pytestmark = pytest.mark.django_db
CHECKOUT = "/checkout/"


@pytest.fixture
def shopper(client: Client, pen: Product, ink: Product) -> Client:
    client.post(reverse("shop:add", args=["pen"]), {"quantity": 1})
    client.post(reverse("shop:add", args=["ink"]), {"quantity": 2})
    return client


def test_an_order_keeps_names_and_prices_of_its_day(shopper: Client, pen: Product, details: dict[str, str]) -> None:
    answer = shopper.post(CHECKOUT, details)
    Product.objects.filter(pk=pen.pk).update(name="Other", price=Decimal("1.00"))
    order = Order.objects.get()

    assert answer["Location"] == f"/orders/{order.public_id}/"
    assert [(line.name, line.unit_price, line.quantity) for line in order.lines.all()] == [
        ("Pen", Decimal("49.00"), 1),
        ("Ink", Decimal("16.90"), 2),
    ]
    assert (order.amount.amount_minor, order.amount.currency) == (8280, "EUR")
    assert order.paid_at is None


def test_the_customer_reaches_the_gateway_in_its_words(shopper: Client, details: dict[str, str]) -> None:
    shopper.post(CHECKOUT, details)

    assert Order.objects.get().customer.as_dict() == details | {"phone": "+4930901820"}


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "phone", "address", "zip", "city", "country"])
def test_every_field_is_required(shopper: Client, details: dict[str, str], field: str) -> None:
    answer = shopper.post(CHECKOUT, details | {field: " "})
    page = answer.content.decode()

    assert answer.status_code == 422
    assert f'href="#id_{field}"' in page
    assert f'id="id_{field}_error"' in page
    assert not Order.objects.exists()


@pytest.mark.parametrize("phone", ["030 901820", "+0 30 901820", "+49", "call me", "+49 30 901820 901820 901820"])
def test_a_phone_number_without_country_code_is_explained(shopper: Client, details: dict[str, str], phone: str) -> None:
    answer = shopper.post(CHECKOUT, details | {"phone": phone})

    assert "country code, such as +49 30 901820" in answer.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize("country", ["XX", "de", "Germany"])
def test_a_country_must_be_one_of_the_list(shopper: Client, details: dict[str, str], country: str) -> None:
    assert shopper.post(CHECKOUT, details | {"country": country}).status_code == 422


def test_l3_a_card_number_in_a_text_field_is_refused(shopper: Client, details: dict[str, str]) -> None:
    page = shopper.post(CHECKOUT, details | {"address": "4242 4242-4242 4242"}).content.decode()

    assert "This looks like a card number" in page
    assert not Order.objects.exists()


def test_what_was_typed_is_kept_and_escaped(shopper: Client, details: dict[str, str]) -> None:
    page = shopper.post(CHECKOUT, details | {"city": "<b>Berlin</b>", "email": "nonsense"}).content.decode()

    assert "&lt;b&gt;Berlin&lt;/b&gt;" in page
    assert "<b>Berlin" not in page


def test_browsers_are_told_what_each_field_asks_for(shopper: Client) -> None:
    page = shopper.get(CHECKOUT).content.decode()
    hints = ["given-name", "family-name", "email", "tel", "address-line1", "postal-code", "address-level2", "country"]

    assert [hint for hint in hints if f'autocomplete="{hint}"' not in page] == []


def test_i1_the_form_sent_twice_makes_one_order(shopper: Client, details: dict[str, str]) -> None:
    first = shopper.post(CHECKOUT, details)
    second = shopper.post(CHECKOUT, details)

    assert second["Location"] == first["Location"]
    assert Order.objects.count() == 1


def test_i1_the_form_sent_twice_at_once_makes_one_order(shopper: Client, details: dict[str, str]) -> None:
    basket = shopper.session["basket"]
    first = shopper.post(CHECKOUT, details)
    session = shopper.session
    session["basket"] = basket  # what the second request read before the first one was done
    session.save()
    second = shopper.post(CHECKOUT, details)

    assert second["Location"] == first["Location"]
    assert [line.quantity for line in Order.objects.get().lines.all()] == [1, 2]


def test_the_next_basket_becomes_another_order(shopper: Client, details: dict[str, str]) -> None:
    shopper.post(CHECKOUT, details)
    shopper.post(reverse("shop:add", args=["ink"]), {"quantity": 1})
    shopper.post(CHECKOUT, details)

    assert sorted(order.total for order in Order.objects.all()) == [Decimal("16.90"), Decimal("82.80")]


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_empty_basket_leads_back(client: Client, db: None, method: str) -> None:
    assert getattr(client, method)(CHECKOUT)["Location"] == "/basket/"


def test_a_csrf_token_is_required(db: None, pen: Product) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(reverse("shop:add", args=["pen"]), {"quantity": 1}).status_code == 403
