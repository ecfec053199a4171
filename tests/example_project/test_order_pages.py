"""What an order's pages say in each state of its payment, and what they never say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from django_flowlix.models import Payment
from example_project.shop.models import Order

pytestmark = pytest.mark.django_db


def page(client: Client, order: Order, name: str = "") -> str:
    return client.get(f"/orders/{order.public_id}/{name}").content.decode()


@pytest.mark.parametrize("status", ["created", "pending", "requires_action", "processing"])
def test_p5_an_open_payment_is_neither_paid_nor_failed(
    owner: Client, order: Order, add_payment: Callable[..., Payment], status: str
) -> None:
    payment = add_payment(status)
    text = page(owner, order)

    assert f'href="/flowlix/pending/{payment.return_token}/"' in text
    assert "Go on paying" in text
    assert not [word for word in ("This order is paid", "did not go through", "failed") if word in text]


def test_p5_a_payment_that_is_not_booked_yet_cannot_be_made_again(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded")
    text = page(owner, order)

    assert "Your payment has arrived" in text
    assert f"/orders/{order.public_id}/pay/" not in text


@pytest.mark.parametrize("status", ["failed", "canceled", "expired", "rejected"])
def test_a_payment_without_success_can_be_tried_again(
    owner: Client, order: Order, add_payment: Callable[..., Payment], status: str
) -> None:
    add_payment(status)
    text = page(owner, order, "not-paid/")

    assert f'<form method="post" action="/orders/{order.public_id}/pay/">' in text
    assert "Try again: pay €82.80" in text
    assert "csrfmiddlewaretoken" in text


def test_the_failure_page_says_what_the_customer_can_do(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("failed", decline_code="insufficient_funds")

    assert "not enough funds" in page(owner, order, "not-paid/")


@pytest.mark.parametrize("code", ["stolen_card", "lost_card", "suspect_fraud", "fraudulent", "pickup_card"])
def test_the_failure_page_never_reveals_why_a_card_is_blocked(
    owner: Client, order: Order, add_payment: Callable[..., Payment], code: str
) -> None:
    add_payment("failed", decline_code=code, decline_message="Card reported stolen, suspected fraud")
    text = page(owner, order, "not-paid/").lower()

    assert not [word for word in ("stolen", "lost", "fraud", "suspect", "your fault") if word in text]


def test_the_receipt_shows_lines_total_card_and_reference(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded", card_brand="visa", card_last4="4242", gateway_id="pay_abc123")
    order.mark_paid()
    text = page(owner, order, "receipt/")

    for shown in ("Pen", "€49.00", "€33.80", "€82.80", "Visa", "4242", "pay_abc123", order.reference):
        assert shown in text


def test_s7_a_late_success_is_the_payment_on_the_receipt(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded", gateway_id="pay_late")
    add_payment("failed", gateway_id="pay_second")
    order.mark_paid()
    text = page(owner, order, "receipt/")

    assert "pay_late" in text
    assert "pay_second" not in text


def test_f10_a_hostile_name_is_escaped(owner: Client, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(first_name="<script>alert(1)</script>")

    assert "<script>alert" not in page(owner, order)
