"""Who sees an order: the session that made it and staff with permission; nobody learns that it exists (S16)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from django_flowlix.models import Payment
from example_project.shop.models import Order

pytestmark = pytest.mark.django_db
PAGES = ["", "receipt/", "not-paid/"]


@pytest.fixture
def staff(django_user_model: type[User]) -> Client:
    user = django_user_model.objects.create_user("clerk", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order", content_type__app_label="shop"))
    return logged_in(user)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_s16_another_session_learns_nothing(order: Order, page: str) -> None:
    answer = Client().get(f"/orders/{order.public_id}/{page}")
    text = answer.content.decode()

    assert answer.status_code == 404
    assert not [secret for secret in ("Ada", "Lovelace", "ada@example.com", order.reference) if secret in text]


@pytest.mark.parametrize("page", PAGES)
def test_s16_a_foreign_order_and_no_order_look_the_same(order: Order, page: str) -> None:
    foreign = Client().get(f"/orders/{order.public_id}/{page}")
    absent = Client().get(f"/orders/{uuid.uuid4()}/{page}")

    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)


def test_s16_the_session_that_made_it_sees_it(owner: Client, order: Order) -> None:
    text = owner.get(f"/orders/{order.public_id}/").content.decode()

    assert "Ada Lovelace" in text
    assert "Pay €82.80" in text


def test_s16_staff_may_look_and_not_pay(staff: Client, order: Order) -> None:
    text = staff.get(f"/orders/{order.public_id}/").content.decode()

    assert "Ada Lovelace" in text
    assert "Pay €82.80" not in text
    assert staff.post(f"/orders/{order.public_id}/pay/").status_code == 404


def test_s16_staff_without_the_permission_see_nothing(django_user_model: type[User], order: Order) -> None:
    clerk = logged_in(django_user_model.objects.create_user("new-clerk", is_staff=True))

    assert clerk.get(f"/orders/{order.public_id}/").status_code == 404


def test_s16_a_customer_account_does_not_help(django_user_model: type[User], order: Order) -> None:
    somebody = logged_in(django_user_model.objects.create_user("somebody"))

    assert somebody.get(f"/orders/{order.public_id}/").status_code == 404


def test_s16_paying_for_a_foreign_order_starts_nothing(order: Order) -> None:
    assert Client().post(f"/orders/{order.public_id}/pay/").status_code == 404
    assert not Payment.objects.exists()


def test_f9_a4_paying_needs_a_post(owner: Client, order: Order) -> None:
    assert owner.get(f"/orders/{order.public_id}/pay/").status_code == 405
    assert not Payment.objects.exists()


def test_a3_paying_needs_a_csrf_token(order: Order) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(f"/orders/{order.public_id}/pay/").status_code == 403
    assert not Payment.objects.exists()


def test_pages_of_an_order_are_never_cached(owner: Client, order: Order) -> None:
    assert "no-store" in owner.get(f"/orders/{order.public_id}/")["Cache-Control"]


def test_an_order_that_is_not_paid_has_no_receipt(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("pending")

    assert owner.get(f"/orders/{order.public_id}/receipt/")["Location"] == f"/orders/{order.public_id}/"


def test_an_order_that_is_paid_has_no_failure_page(
    owner: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("failed")
    order.mark_paid()

    assert owner.get(f"/orders/{order.public_id}/not-paid/")["Location"] == f"/orders/{order.public_id}/"
