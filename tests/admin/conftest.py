"""Who looks at the admin, and a payment to look at."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import start_payment, sync_payment
from tests.conftest import FakeClock, a_request


@pytest.fixture
def payment(emulator: EmulatorServer, fake_clock: FakeClock) -> Payment:
    return start_payment(a_request())


def _paid(gateway: EmulatorServer) -> Payment:
    payment = start_payment(a_request())
    gateway.pay(str(payment.gateway_id))
    return sync_payment(payment)


@pytest.fixture
def paid(emulator: EmulatorServer, fake_clock: FakeClock) -> Payment:
    """Order 1001, 49.99 EUR, paid under contract `eu`: to be refunded once and in full."""
    return _paid(emulator)


@pytest.fixture
def paid_dev(dev_emulator: EmulatorServer, fake_clock: FakeClock) -> Payment:
    """The same under contract `dev`: to be refunded in parts, with a reason; the gateway takes its time."""
    dev_emulator.set_refund_delay(None)
    return _paid(dev_emulator)


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.fixture
def viewer() -> Client:
    """Staff who may look at payments."""
    user = get_user_model().objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def refunder() -> Client:
    """Anna, who may look at payments and refund them."""
    user = get_user_model().objects.create_user("anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_payment", "refund_payment"]))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def almighty() -> Client:
    """Staff with every permission on payments there is."""
    user = get_user_model().objects.create_user("almighty", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="django_flowlix"))
    client = Client()
    client.force_login(user)
    return client
