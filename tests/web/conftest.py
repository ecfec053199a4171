"""The strictest project the pages must work in: LoginRequiredMiddleware, ATOMIC_REQUESTS, CSRF enforced."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django.contrib.admin
import pytest
from django.db import connection
from django.test import Client

import django_flowlix
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.conftest import CUSTOMER, FakeClock

TEMPLATES = [Path(str(package.__file__)).parent / "templates" for package in (django_flowlix, django.contrib.admin)]


@pytest.fixture(autouse=True)
def strict_project(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.web.shop"
    # The pages as they come, without the example project's override.
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False, "DIRS": TEMPLATES}]
    login_required = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    position = settings.MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:position], login_required, *settings.MIDDLEWARE[position:]]
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)


def a_client() -> Client:
    return Client(enforce_csrf_checks=True)


@dataclass
class Customer:
    """A browser that sends the CSRF token of the page it was on; `client` sends what it is told.

    Time moves only when told.
    """

    clock: FakeClock
    client: Client = field(default_factory=a_client)

    def get(self, path: str, data: Any = None, **headers: Any) -> Any:
        return self.client.get(path, data, headers=headers)

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        token = self.client.get("/token/").content.decode()
        return self.client.post(path, {"csrfmiddlewaretoken": token, **(data or {})})

    def come_back(self, payment: Payment, **hints: Any) -> Any:
        """Return from the hosted page half a minute later."""
        self.clock.advance(seconds=30)
        return self.get(addresses(payment).returned, hints or None)

    def pay(self, reference: str = "1001", **data: Any) -> Any:
        return self.post(f"/pay/{reference}/", data)

    def start(self, reference: str = "1001", **data: Any) -> Payment:
        """Press Pay and return the payment that was made."""
        assert self.pay(reference, **data).status_code == 302
        return Payment.objects.for_order(reference).latest("attempt")


@pytest.fixture
def customer(db: None, emulator: EmulatorServer, fake_clock: FakeClock) -> Customer:
    return Customer(fake_clock)


@pytest.fixture
def stranger(customer: Customer) -> Customer:
    """Another browser, with no session of the first."""
    return Customer(customer.clock)


@pytest.fixture
def started(customer: Customer) -> Payment:
    """Order 1001, started; the customer is on the hosted page."""
    return customer.start()


@dataclass(frozen=True)
class Addresses:
    """The addresses of one payment."""

    returned: str
    pending: str
    status: str
    onward: str
    result: str


def addresses(payment: Payment | str) -> Addresses:
    token = payment if isinstance(payment, str) else payment.return_token
    names = ("return", "pending", "status", "continue", "result")
    return Addresses(*(f"/flowlix/{name}/{token}/" for name in names))


def gateway_calls(emulator: EmulatorServer) -> dict[str, int]:
    """Count what the gateway was asked, by operation."""
    counted: dict[str, int] = {}
    for entry in emulator.log():
        counted[str(entry.operation)] = counted.get(str(entry.operation), 0) + 1
    return counted


def personal_details_in(response: Any) -> list[str]:
    """Return what of the customer's details stands in an answer: body or headers."""
    text = response.content.decode() + repr(dict(response.headers))
    values = [value for name, value in CUSTOMER.as_dict().items() if name != "country"]
    # As words: one in a thousand random tokens has an "Ada" inside.
    return [value for value in values if re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text)]


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
