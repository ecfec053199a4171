"""From a payment to its order: a link where the order has a page that the person may see, plain text otherwise."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment
from example_project.shop.models import Order
from tests.admin.reading import glance, page, text_of
from tests.conftest import a_request

pytestmark = pytest.mark.django_db


def an_order() -> Order:
    return Order.objects.create(first_name="Ada", last_name="Lovelace", email="ada@example.com")


def test_the_order_leads_to_its_own_page(emulator: EmulatorServer, superuser: Client, viewer: Client) -> None:
    order = an_order()
    payment = start_payment(a_request(order=order))
    link = f'<a href="/admin/shop/order/{order.pk}/change/">1001</a>'

    assert link in text_of(superuser, page(payment))
    assert link not in text_of(viewer, page(payment)), "who may not see orders gets no link to one"
    assert "Order 1001" in glance(text_of(viewer, page(payment)))


def test_an_order_without_a_page_of_its_own_is_plain_text(emulator: EmulatorServer, superuser: Client) -> None:
    permission = Permission.objects.get(codename="view_payment")  # its model is not registered
    payment = start_payment(a_request(order=permission))

    assert "Order 1001" in glance(text_of(superuser, page(payment)))
    assert "1001</a></dd>" not in text_of(superuser, page(payment))


def test_an_order_of_an_app_that_is_gone_is_plain_text(payment: Payment, superuser: Client) -> None:
    gone = ContentType.objects.create(app_label="gone", model="order")
    Payment.objects.update(order_content_type=gone, order_object_id="7")

    assert "Order 1001" in glance(text_of(superuser, page(payment)))
