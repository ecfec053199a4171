"""What staff see of an order in the admin, and where it leads them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from django_flowlix.models import Payment
from example_project.shop.models import Order

pytestmark = pytest.mark.django_db


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page_of(order: Order, client: Client) -> str:
    return client.get(f"/admin/shop/order/{order.pk}/change/").content.decode()


def test_staff_see_what_was_refunded_and_cannot_change_it(admin_client: Client, order: Order) -> None:
    order.note_refunded(Decimal("12.00"))
    answer = admin_client.post(f"/admin/shop/order/{order.pk}/change/", {"amount_refunded": "0"})
    order.refresh_from_db()

    assert answer.status_code == 403
    assert order.amount_refunded == Decimal("12.00")
    assert "12.00" in page_of(order, admin_client)
    assert "12.00" in admin_client.get("/admin/shop/order/").content.decode()


def test_the_order_leads_to_its_payments(
    admin_client: Client, order: Order, add_payment: Callable[..., Payment]
) -> None:
    add_payment("succeeded", gateway_id="pay_of_this_order")
    add_payment("succeeded", gateway_id="pay_of_another", order_reference="M-ANOTHER")
    address = f"/admin/django_flowlix/payment/?q={order.reference}"

    assert f'href="{address}"' in page_of(order, admin_client)
    found = admin_client.get(address).content.decode()
    assert "pay_of_this_order" in found
    assert "pay_of_another" not in found


def test_the_link_is_for_those_who_may_look_at_payments(order: Order) -> None:
    page = page_of(order, clerk("view_order", "view_orderline"))

    assert order.reference in page
    assert "/admin/django_flowlix/payment/" not in page
