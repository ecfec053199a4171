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


@pytest.fixture
def live(emulator: EmulatorServer) -> Iterator[Merchant]:
    shop = Merchant(emulator, LIVE_KEY)
    with shop.session:
        yield shop


@pytest.fixture
def control(emulator: EmulatorServer) -> Iterator[Any]:
    """Call the control API: control("POST", "/clock", {...})."""
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, path: str, body: Any = None) -> requests.Response:
            return session.request(method, f"{emulator.url}/_emulator{path}", json=body, timeout=TIMEOUT_SECONDS)

        yield call
