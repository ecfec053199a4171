"""What the client's tests share: a clock that moves only when told, gateways to talk to, and documented objects."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import responses

from django_flowlix.api import FlowlixClient, HostedPaymentRequest, Money
from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import Transport
from tests.api.sockets import Peer, SocketGateway, http_answer
from tests.conftest import CUSTOMER

TEST_KEY = "_".join(["fl", "test", "sk", "5eNt1neLk3yForTheTests"])
LIVE_KEY = "_".join(["fl", "live", "sk", "5eNt1neLk3yForTheTests"])

API = "https://api.flowlix.eu"
PAYMENTS = f"{API}/v1/payments"
RETURN = "https://shop.example/flowlix/return/t0k3n/"
HOSTED = HostedPaymentRequest(
    amount=Money(4999, "EUR"),
    redirect_url=RETURN,
    customer=CUSTOMER,
    description="Two bags of coffee",
    metadata={"order_reference": "1001"},
)

# As the payment object is documented in api-reference/payments of contract `eu`.
PAYMENT: dict[str, Any] = {
    "id": "pay_8f14e45f-ceea",
    "object": "payment",
    "amount": 4999,
    "currency": "eur",
    "status": "pending",
    "description": "Two bags of coffee",
    "card": None,
    "customer": {"email": "ada@example.com", "name": "Ada Lovelace"},
    "metadata": {"order_reference": "1001"},
    "decline_code": None,
    "decline_message": None,
    "hpp_url": "https://pay.flowlix.eu/s/abc",
    "redirect_url": None,
    "refunded_at": None,
    "succeeded_at": None,
    "failed_at": None,
    "created": 1_700_000_000,
    "livemode": False,
}


def an_error(type: str = "invalid_request_error", **fields: Any) -> dict[str, Any]:  # noqa: A002
    """An error body with all documented keys."""
    empty = {
        "code": None,
        "message": "No.",
        "param": None,
        "decline_code": None,
        "doc_url": None,
        "request_id": "req_1",
    }
    return {"error": {"type": type, **empty, **fields}}


@pytest.fixture
def test_key() -> str:
    return TEST_KEY


@pytest.fixture
def live_key() -> str:
    return LIVE_KEY


@pytest.fixture
def payment() -> dict[str, Any]:
    return json.loads(json.dumps(PAYMENT))


@pytest.fixture
def error_body() -> Callable[..., dict[str, Any]]:
    return an_error


@dataclass
class Clock:
    """Seconds that pass only by sleeping or by `advance`."""

    seconds: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[..., SocketGateway]]:
    """Start socket gateways: `serve(behave)` or `serve(behave, tls=context)`."""
    gateways: list[SocketGateway] = []

    def start(behave: Callable[[Peer, int], None], tls: ssl.SSLContext | None = None) -> SocketGateway:
        gateways.append(SocketGateway(behave, tls))
        return gateways[-1]

    yield start
    for gateway in gateways:
        gateway.stop()


@pytest.fixture
def whole_answer() -> Callable[..., bytes]:
    return http_answer


@pytest.fixture
def connect(test_key):
    return lambda gateway, **options: Transport(gateway.url, Secret(test_key), **options)


@pytest.fixture
def answering(serve, whole_answer):
    """Start a gateway that gives the same answer to every request of every connection."""

    def start(*answer, tls=None):
        reply = whole_answer(*answer)

        def behave(peer, number):
            while peer.read_request():
                peer.send(reply)

        return serve(behave, tls=tls)

    return start


@pytest.fixture
def sending(serve):
    """Start a gateway that reads a request, lets `act(peer)` answer it, and closes the connection."""

    def start(act):
        def behave(peer, number):
            if peer.read_request():
                act(peer)

        return serve(behave)

    return start


@pytest.fixture
def wire():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def make_client(test_key, clock):
    def make(secret_key=test_key, **options):
        times = {"sleep": clock.sleep, "monotonic": clock.monotonic, "now": lambda: 0.0, "chance": lambda: 0.0}
        return FlowlixClient(secret_key, **times | options)

    return make


@pytest.fixture
def client(make_client):
    return make_client()
