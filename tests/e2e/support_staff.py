"""Support staff with browsers of their own, and payments for them to look after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment, sync_payment
from tests.conftest import a_request
from tests.e2e.conftest import Visitor

LIST = "/admin/django_flowlix/payment/"
ORDER = "HERON-1001"
Staff = Callable[..., Visitor]


def a_paid_payment(gateway: EmulatorServer, order_reference: str = ORDER, **changes: Any) -> Payment:
    payment = start_payment(a_request(order_reference=order_reference, **changes))
    gateway.pay(str(payment.gateway_id))
    return sync_payment(payment)


@pytest.fixture
def staff(browser: Any, live_server: Any) -> Iterator[Staff]:
    """Browsers of staff who are logged in; the browser's complaints must be none at the end."""
    visitors: list[Visitor] = []
    client = Client()

    def make(**options: Any) -> Visitor:
        if not visitors:
            client.force_login(User.objects.create_superuser("anna"))
        visitor = Visitor(browser, live_server.url, **options)
        session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}
        visitor.context.add_cookies([cookie])
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
