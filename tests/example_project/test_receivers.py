"""The receivers: the only way an order becomes paid, and only once; and how it learns what was given back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from django_flowlix.models import Payment, Refund
from django_flowlix.signals import payment_failed, payment_succeeded, refund_failed, refund_succeeded
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


@pytest.fixture
def paid(order: Order, add_payment: Callable[..., Payment]) -> Payment:
    """The payment that the order is paid with."""
    return add_payment("succeeded", paid_order_reference=order.reference)


def announce_refund(payment: Payment, refunded_minor: int) -> None:
    refund = Refund(payment=payment, amount_minor=refunded_minor, currency=payment.currency, exponent=2)
    payment.amount_refunded_minor = refunded_minor
    refund_succeeded.send(sender=Refund, payment=payment, refund=refund, change=None)


def refunded(order: Order) -> Decimal:
    order.refresh_from_db()
    return order.amount_refunded


def test_an_order_begins_with_nothing_refunded(order: Order) -> None:
    assert refunded(order) == Decimal("0.00")


def test_a_refund_is_noted_at_the_order(order: Order, paid: Payment) -> None:
    announce_refund(paid, 1200)

    assert refunded(order) == Decimal("12.00")


def test_a_second_call_for_a_refund_changes_nothing(order: Order, paid: Payment) -> None:
    announce_refund(paid, 1200)
    announce_refund(paid, 1200)

    assert refunded(order) == Decimal("12.00")
    assert order.note_refunded(Decimal("12.00")) is False


@pytest.mark.parametrize("sums", [[1200, 1700], [1700, 1200]])
def test_refunds_told_in_any_order_leave_the_whole_sum(order: Order, paid: Payment, sums: list[int]) -> None:
    for refunded_minor in sums:
        announce_refund(paid, refunded_minor)

    assert refunded(order) == Decimal("17.00")


def test_a_refund_leaves_the_order_paid(order: Order, paid: Payment) -> None:
    announce(paid)
    announce_refund(paid, 8280)

    assert refunded(order) == Decimal("82.80")
    assert order.paid_at is not None


def test_the_refund_of_a_payment_made_twice_is_not_the_orders(
    order: Order, paid: Payment, add_payment: Callable[..., Payment]
) -> None:
    announce_refund(add_payment("succeeded"), 8280)

    assert refunded(order) == Decimal("0.00")


def test_a_refund_in_another_currency_is_not_the_orders(order: Order, add_payment: Callable[..., Payment]) -> None:
    announce_refund(add_payment("succeeded", paid_order_reference=order.reference, currency="USD"), 1200)

    assert refunded(order) == Decimal("0.00")


def test_a_refund_that_failed_is_logged_and_booked_nowhere(
    order: Order, paid: Payment, caplog: pytest.LogCaptureFixture
) -> None:
    refund = Refund(payment=paid, amount_minor=1200, currency="EUR", exponent=2)
    refund_failed.send(sender=Refund, payment=paid, refund=refund, change=None)

    assert refunded(order) == Decimal("0.00")
    assert order.reference in caplog.text
    assert "12.00 EUR failed" in caplog.text


def test_refunds_of_something_else_are_left_alone(pen: Product, add_payment: Callable[..., Payment]) -> None:
    payment = add_payment("succeeded", order=pen)
    announce_refund(payment, 1200)
    refund_failed.send(sender=Refund, payment=payment, refund=Refund(payment=payment), change=None)

    assert not Order.objects.exclude(amount_refunded=0).exists()
