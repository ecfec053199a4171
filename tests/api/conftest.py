"""What the client's tests share: a clock that moves only when told, and a gateway made of a bare socket."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

TEST_KEY = "_".join(["fl", "test", "sk", "5eNt1neLk3yForTheTests"])
LIVE_KEY = "_".join(["fl", "live", "sk", "5eNt1neLk3yForTheTests"])

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


class Peer:
    """The gateway's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self._sock = sock
        self._file = sock.makefile("rb")
        self._stopped = stopped

    def read_request(self) -> bytes:
        """Return head and body of the next request, b"" when the client has gone."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return b""
            head += line
        length = next(
            (int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")), 0
        )
        return head + self._file.read(length)

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def pause(self, seconds: float) -> None:
        """Let real time pass, or less if the test is over."""
        self._stopped.wait(seconds)

    def drip(self, data: bytes, seconds: float) -> None:
        """Send a byte at a time with a pause after each."""
        for byte in data:
            if self._stopped.is_set():
                return
            self.send(bytes([byte]))
            self.pause(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close()

    def close(self) -> None:
        self._file.close()
        self._sock.close()


class SocketGateway:
    """Serves each connection with `behave(peer, number)` in a thread; counts connections, keeps raw requests."""

    def __init__(self, behave: Callable[[Peer, int], None], tls: ssl.SSLContext | None) -> None:
        self._behave, self._tls = behave, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._socks: list[socket.socket] = []
        self.accepted = 0
        self.requests: list[bytes] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._socks.append(sock)
            self._start(self._serve, sock, self.accepted)

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(5)
        with sock, contextlib.suppress(OSError, ValueError):
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._socks.append(sock)
            peer = Peer(sock, self._stopped)
            read = peer.read_request

            def noted() -> bytes:
                request = read()
                if request:
                    self.requests.append(request)
                return request

            peer.read_request = noted  # type: ignore[method-assign]
            try:
                self._behave(peer, number)
            finally:
                peer.close()

    def stop(self) -> None:
        self._stopped.set()
        for sock in (self._listener, *self._socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=6)


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


def http_answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def whole_answer() -> Callable[..., bytes]:
    return http_answer
