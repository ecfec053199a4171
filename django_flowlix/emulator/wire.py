"""HTTP/1.1 on real sockets: connections that stay open, and answers that break in ways only a socket can.

Werkzeug closes the connection after every answer. Clients that reuse connections have to be measured, so this module
sends the answers itself.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from .answers import Answer, Delivery

# Where the application leaves the answer when it is to be delivered in a way WSGI has no words for.
BROKEN_DELIVERY = "flowlix_emulator.broken_delivery"
MAX_BODY_BYTES = 10_000_000
IDLE_SECONDS = 75
_JOIN_SECONDS = 5


class KeepAliveHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Head and body are written apart: with Nagle's algorithm every answer would take 40 ms longer.
    disable_nagle_algorithm = True
    server: KeepAliveServer

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = self._request_body(environ["wsgi.input"])
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            head[:] = [status, headers]

        answered = self.server.app(environ, start_response)
        self._deliver(head, _joined(answered), environ.get(BROKEN_DELIVERY))

    def _request_body(self, stream: Any) -> bytes | None:
        """Read the whole body before anything is answered: what is left unread would be taken for the next request."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = _dechunked(stream)
            return body if len(body) <= MAX_BODY_BYTES else None
        declared = self.headers.get("Content-Length", "0")
        if not declared.isdecimal() or int(declared) > MAX_BODY_BYTES:
            return None
        body = bytes(stream.read(int(declared)))
        if len(body) < int(declared):
            raise ConnectionAbortedError("the client left in the middle of its request")
        return body

    def _deliver(self, head: list[Any], body: bytes, broken: Answer | None) -> None:
        delivery = broken.delivery if broken else Delivery.WHOLE
        if delivery is Delivery.DROPPED:
            self.close_connection = True
            return
        self._send_head(head[0], head[1], len(body))
        if delivery is Delivery.TRUNCATED:
            self.close_connection = True
            body = body[: len(body) // 2]
        if broken and delivery is Delivery.DRIPPED:
            self._drip(body, broken.drip_pause_seconds)
        elif self.command != "HEAD":
            self.wfile.write(body)

    def _send_head(self, status: str, headers: list[tuple[str, str]], length: int) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _drip(self, body: bytes, pause_seconds: float) -> None:
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            self.server.stopping.wait(pause_seconds)

    def version_string(self) -> str:
        return "flowlix-emulator"

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing here: the request log writes requests down without what must not be printed."""


class KeepAliveServer(ThreadedWSGIServer):
    """A threaded server that can be stopped although its clients keep their connections open."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, app: Any) -> None:
        host, port = listener.getsockname()[:2]
        self._connections: dict[threading.Thread, socket.socket] = {}
        self.stopping = threading.Event()
        super().__init__(host, port, app, KeepAliveHandler, fd=listener.fileno())
        self.stopping.clear()  # werkzeug has just closed the socket that `listener` takes the place of

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        self._connections[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            self._connections.pop(threading.current_thread(), None)

    def server_close(self) -> None:
        super().server_close()
        self.stopping.set()
        for thread, connection in list(self._connections.items()):
            _hang_up(connection)
            thread.join(_JOIN_SECONDS)


def _dechunked(stream: Any) -> bytes:
    try:
        return b"".join(iter(lambda: stream.read(65_536), b""))
    except OSError as error:
        raise ConnectionAbortedError("the chunks of the request are broken") from error


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client, or the connection's own thread, was faster.
        return


def _joined(chunks: Iterable[bytes]) -> bytes:
    try:
        return b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
