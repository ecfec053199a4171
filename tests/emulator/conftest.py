"""A merchant that speaks to the emulator in plain `requests`: no line of the client takes part in these tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer

TEST_KEY = "_".join(["fl", "test", "sk", "aMerchantsFirstKey1"])
OTHER_TEST_KEY = "_".join(["fl", "test", "sk", "aMerchantsOtherKey2"])
LIVE_KEY = "_".join(["fl", "live", "sk", "aMerchantsLiveKey3"])
TIMEOUT_SECONDS = 10
NOW = 1_700_000_000.0
DEV_CARD = "4111111111111111"

CUSTOMER = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "country": "DE",
    "phone": "+49 30 901820",
    "address": "Unter den Linden 1",
    "city": "Berlin",
    "zip": "10117",
}
CARD = {
    "number": "4242424242424242",
    "exp_month": 12,
    "exp_year": 2090,
    "cvc": "123",
    "holder_name": "Ada Lovelace",
}


class Merchant:
    def __init__(self, emulator: EmulatorServer, key: str) -> None:
        self.emulator, self.key = emulator, key
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        address = self.emulator.url + path
        options = {"timeout": TIMEOUT_SECONDS, "allow_redirects": False, **options}
        return self.session.request(method, address, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, key: str | None = None, **options: Any) -> requests.Response:
        if key is not None:
            options["headers"] = {"Idempotency-Key": key, **options.get("headers", {})}
        return self.send("POST", path, json=body, **options)

    def hosted_body(self, **changes: Any) -> dict[str, Any]:
        body = {
            "amount": 4999,
            "currency": "eur",
            "redirect_url": "https://shop.example/return",
            "customer": CUSTOMER,
        }
        return {**body, **changes}

    def direct_body(self, **changes: Any) -> dict[str, Any]:
        return {"amount": 4999, "currency": "eur", "customer": CUSTOMER, "card": CARD, **changes}

    def create(self, key: str | None = None, **changes: Any) -> requests.Response:
        return self.post("/v1/payments/hpp", self.hosted_body(**changes), key)

    def pay_directly(self, number: str = CARD["number"], key: str | None = None, **changes: Any) -> requests.Response:  # type: ignore[assignment]
        return self.post("/v1/payments", self.direct_body(card={**CARD, "number": number}, **changes), key)

    def created(self, **changes: Any) -> dict[str, Any]:
        answer = self.create(**changes)
        assert answer.status_code == 201, answer.text
        return answer.json()


class DevMerchant(Merchant):
    """Sends the bodies of contract `dev`: the customer may stay away."""

    def direct_body(self, **changes: Any) -> dict[str, Any]:
        return {"amount": 4999, "currency": "eur", "card": {**CARD, "number": DEV_CARD}, **changes}

    def hosted_body(self, **changes: Any) -> dict[str, Any]:
        return {"amount": 4999, "currency": "eur", "redirect_url": "https://shop.example/return", **changes}

    def pay_directly(self, number: str = DEV_CARD, key: str | None = None, **changes: Any) -> requests.Response:
        return super().pay_directly(number, key, **changes)

    def paid(self, amount: int = 4999) -> str:
        """Return the id of a payment that has succeeded on the hosted page."""
        return self.emulator.pay(self.created(amount=amount)["id"]).id

    def refund(self, payment_id: str, key: str | None = None, **body: Any) -> requests.Response:
        return self.post(f"/v1/payments/{payment_id}/refund", {"reason": "two cups broken", **body}, key)

    def refunded(self, payment_id: str, **body: Any) -> dict[str, Any]:
        answer = self.refund(payment_id, **body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def read(self, payment_id: str) -> dict[str, Any]:
        return self.get(f"/v1/payments/{payment_id}").json()


@pytest.fixture
def emulator(emulator_server: EmulatorServer) -> EmulatorServer:
    emulator_server.reset()
    return emulator_server


@pytest.fixture
def merchant(emulator: EmulatorServer) -> Iterator[Merchant]:
    shop = Merchant(emulator, TEST_KEY)
    with shop.session:
        yield shop


@pytest.fixture
def merchants(emulator: EmulatorServer) -> Iterator[list[Merchant]]:
    """Return six of them: one API key, six connections."""
    shops = [Merchant(emulator, TEST_KEY) for _ in range(6)]
    yield shops
    for shop in shops:
        shop.session.close()


@pytest.fixture
def in_background() -> Iterator[Any]:
    """Call in another thread: in_background(merchant.create, key="order-1").result(timeout=10)."""
    with ThreadPoolExecutor(max_workers=6) as pool:
        yield pool.submit


@pytest.fixture
def other_key(emulator: EmulatorServer) -> Iterator[Merchant]:
    shop = Merchant(emulator, OTHER_TEST_KEY)
    with shop.session:
        yield shop


@pytest.fixture(scope="session")
def dev_server() -> Iterator[EmulatorServer]:
    with EmulatorServer("dev", read_seconds=lambda: NOW) as server:
        yield server


@pytest.fixture
def dev(dev_server: EmulatorServer) -> EmulatorServer:
    """Return a gateway of contract `dev` whose clock moves only when told."""
    dev_server.reset()
    return dev_server


@pytest.fixture
def dev_merchant(dev: EmulatorServer) -> Iterator[DevMerchant]:
    shop = DevMerchant(dev, TEST_KEY)
    with shop.session:
        yield shop


@pytest.fixture
def live(emulator: EmulatorServer) -> Iterator[Merchant]:
    shop = Merchant(emulator, LIVE_KEY)
    with shop.session:
        yield shop


@pytest.fixture
def control(emulator: EmulatorServer) -> Iterator[Any]:
    """Call the control API: control("POST", "/clock", {...})."""
    yield from _control_of(emulator)


@pytest.fixture
def dev_control(dev: EmulatorServer) -> Iterator[Any]:
    yield from _control_of(dev)


def _control_of(server: EmulatorServer) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, path: str, body: Any = None) -> requests.Response:
            return session.request(method, f"{server.url}/_emulator{path}", json=body, timeout=TIMEOUT_SECONDS)

        yield call
