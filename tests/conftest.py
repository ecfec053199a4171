"""What all tests share: the emulator as the gateway, and a clock that moves only when told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from django_flowlix.api import Customer, Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.services import PaymentRequest, clock

pytest_plugins = ["django_flowlix.testing.plugin"]

TEST_KEY = "_".join(["fl", "test", "sk", "forTheTestSuiteOnly"])
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[EmulatorServer]:
    with EmulatorServer() as server:
        yield server


@pytest.fixture(scope="session")
def dev_emulator_server() -> Iterator[EmulatorServer]:
    with EmulatorServer(contract="dev") as server:
        yield server


@pytest.fixture
def emulator(emulator_server: EmulatorServer, settings: Any) -> EmulatorServer:
    """The gateway: a fresh emulator, and the FLOWLIX setting that points to it."""
    emulator_server.reset()
    settings.FLOWLIX = {
        "default": {"SECRET_KEY": TEST_KEY, "API_URL": emulator_server.url, "BASE_URL": BASE_URL},
    }
    cache.clear()
    return emulator_server


@pytest.fixture
def dev_emulator(dev_emulator_server: EmulatorServer, settings: Any) -> EmulatorServer:
    """The gateway of contract `dev`, with refunds in parts that take their time, and the setting that points to it."""
    dev_emulator_server.reset()
    settings.FLOWLIX = {
        "default": {
            "SECRET_KEY": TEST_KEY,
            "CONTRACT": "dev",
            "API_URL": dev_emulator_server.url,
            "BASE_URL": BASE_URL,
        },
    }
    cache.clear()
    return dev_emulator_server


@dataclass
class FakeClock:
    """The services' clock: `now` stands still, sleeping moves it and is remembered."""

    current: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    slept: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.current

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds=seconds)

    def advance(self, **age: float) -> None:
        delta = timedelta(**age)
        self.current += delta
        self.seconds += delta.total_seconds()


@pytest.fixture
def fake_clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    for name in ("now", "monotonic", "sleep"):
        monkeypatch.setattr(clock, name, getattr(fake, name))
    return fake


CUSTOMER = Customer(
    email="ada@example.com",
    first_name="Ada",
    last_name="Lovelace",
    country="DE",
    phone="+49 30 901820",
    address="Unter den Linden 1",
    city="Berlin",
    zip="10117",
)


def a_request(**changes: Any) -> PaymentRequest:
    """A request that breaks no rule: order 1001 over 49.99 EUR."""
    values: dict[str, Any] = {
        "order_reference": "1001",
        "amount": Money.from_major("49.99", "EUR"),
        "customer": CUSTOMER,
        "description": "Two bags of coffee",
    }
    return PaymentRequest(**values | changes)


@pytest.fixture
def make_request() -> Any:
    return a_request
