"""The receiver of `payment_succeeded`: the only way an order becomes paid, and only once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_flowlix.models import Payment
from django_flowlix.signals import payment_failed, payment_succeeded
from example_project.shop.models import Order, Product

pytestmark = pytest.mark.django_db


def announce(payment: Payment) -> None:
    payment_succeeded.send(sender=Payment, payment=payment, change=None)


def test_a_success_books_the_order(order: Order, add_payment: Callable[..., Payment]) -> None:
    announce(add_payment("succeeded"))
    order.refresh_from_db()

    assert order.paid_at is not None


def test_c7_a_second_call_changes_nothing(order: Order, add_payment: Callable[..., Payment]) -> None:
    payment = add_payment("succeeded")
    announce(payment)
    order.refresh_from_db()
    first = order.paid_at
    announce(payment)
    order.refresh_from_db()

    assert first is not None
    assert order.paid_at == first


def test_i1_only_the_first_booking_is_news(order: Order) -> None:
    assert [order.mark_paid(), order.mark_paid()] == [True, False]


@pytest.mark.parametrize("other", [{"amount_minor": 8279}, {"amount_minor": 8281}, {"currency": "USD"}])
def test_s5_s9_another_amount_does_not_pay_the_order(
    order: Order, add_payment: Callable[..., Payment], other: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    announce(add_payment("succeeded", **other))
    order.refresh_from_db()

    assert order.paid_at is None
    assert order.reference in caplog.text


def test_a_failure_does_not_book_the_order(order: Order, add_payment: Callable[..., Payment]) -> None:
    payment_failed.send(sender=Payment, payment=add_payment("failed"), change=None)
    order.refresh_from_db()

    assert order.paid_at is None


def test_a_payment_for_something_else_is_left_alone(pen: Product, add_payment: Callable[..., Payment]) -> None:
    announce(add_payment("succeeded", order=pen))

    assert not Order.objects.filter(paid_at__isnull=False).exists()
