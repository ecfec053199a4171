"""What an order's pages say in each state of its payment, and what they never say."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

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


@pytest.fixture
def refund(order: Order, add_payment: Callable[..., Payment]) -> Callable[[str], None]:
    """Note so much of a paid order as refunded."""
    add_payment("succeeded", paid_order_reference=order.reference)
    order.mark_paid()

    def note(amount: str) -> None:
        order.note_refunded(Decimal(amount))

    return note


def test_nothing_is_said_of_refunds_before_there_is_one(
    owner: Client, order: Order, refund: Callable[[str], None]
) -> None:
    assert [name for name in ("", "receipt/") if "efunded" in page(owner, order, name)] == []


def test_a_partial_refund_stands_on_the_orders_page(owner: Client, order: Order, refund: Callable[[str], None]) -> None:
    refund("12.00")
    text = page(owner, order)

    assert "Refunded: €12.00" in text
    assert "This order is paid" in text
    assert "packing your parcel" not in text


def test_a_partial_refund_stands_on_the_receipt(owner: Client, order: Order, refund: Callable[[str], None]) -> None:
    refund("12.00")
    text = page(owner, order, "receipt/")

    assert '<dt>Refunded</dt><dd class="refunded">€12.00</dd>' in text
    assert "we have refunded a part of it" in text
    assert "€82.80" in text


def test_a_full_refund_is_not_called_paid(owner: Client, order: Order, refund: Callable[[str], None]) -> None:
    refund("82.80")

    assert "This order has been refunded" in page(owner, order)
    assert "Refunded: €82.80" in page(owner, order)
    assert "We have refunded this order" in page(owner, order, "receipt/")


def test_an_order_refunded_before_it_was_booked_is_not_being_booked(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded", paid_order_reference=order.reference)
    order.note_refunded(Decimal("82.80"))
    text = page(owner, order)

    assert "Refunded: €82.80" in text
    assert not [word for word in ("We are booking it", "Pay €82.80", "packing") if word in text]


def test_of_two_payments_the_one_that_paid_the_order_is_on_the_receipt(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded", gateway_id="pay_first", paid_order_reference=order.reference)
    add_payment("succeeded", gateway_id="pay_twice")
    order.mark_paid()
    text = page(owner, order, "receipt/")

    assert "pay_first" in text
    assert "pay_twice" not in text
