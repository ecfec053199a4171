"""A gateway made of a bare socket, for all that a mocked library cannot do; and single exchanges with it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.api.transport import TransportError

MEGABYTE = 1024 * 1024
FAST = (0.3, 0.3)


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


def http_answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def send(transport, method="GET", path="/v1/payments", timeout=(2.0, 2.0), headers=None, **request):
    return transport.send(method, path, headers=headers or {}, timeout_seconds=timeout, **request)


def failure_of(transport, **request):
    with pytest.raises(TransportError) as caught:
        send(transport, **request)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


def head_of(request):
    lines = request.split(b"\r\n\r\n")[0].decode().split("\r\n")
    return lines[0], {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
