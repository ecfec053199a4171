"""One request, and the cause in a few words when there is no answer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from django_flowlix.checklist import network
from django_flowlix.checklist.network import Unreachable, ask


def test_what_an_address_says(httpserver: Any) -> None:
    httpserver.expect_request("/there", method="OPTIONS").respond_with_data("", status=405, headers={"Allow": "GET"})
    reply = ask("OPTIONS", httpserver.url_for("/there"))
    assert (reply.status, reply.headers["allow"], reply.certificate_until) == (405, "GET", None)


def test_a_redirect_is_not_followed(httpserver: Any) -> None:
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": "/there"})
    assert ask("GET", httpserver.url_for("/")).status == 302
    assert len(httpserver.log) == 1


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def talking_rubbish() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_a_port_that_says_nothing_is_given_up(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(Unreachable, match="no answer within"):
        ask("GET", f"http://127.0.0.1:{silent}/")


def test_what_is_not_http_is_said(talking_rubbish: int) -> None:
    with pytest.raises(Unreachable, match="no answer that is HTTP"):
        ask("GET", f"http://127.0.0.1:{talking_rubbish}/")


def test_a_proxy_that_is_not_there_is_a_refused_connection(silent: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="the connection was refused"):
        ask("GET", "https://api.flowlix.eu/", proxy=f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved"),
        (TimeoutError("timed out"), "no answer within 8 s"),
        (ConnectionRefusedError(111, "Connection refused"), "the connection was refused"),
        (OSError(101, "Network is unreachable"), "network is unreachable"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), r"TLS failed \(SSLError\)"),
        (ValueError("anything"), r"no answer that is HTTP \(ValueError\)"),
    ],
)
def test_every_cause_has_its_words(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(network, "_connection", fail)
    with pytest.raises(Unreachable, match=f"^{words}$"):
        ask("GET", "https://api.flowlix.eu/")


@pytest.fixture
def dripping() -> Iterator[int]:
    """A port that sends a byte of a header now and then, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not ended.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join(5)


def test_an_answer_that_never_ends_is_given_up(dripping: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(Unreachable, match="no answer within"):
        ask("GET", f"http://127.0.0.1:{dripping}/")


def test_a_proxy_is_asked_for_the_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []

        def refuse() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        with pytest.raises(Unreachable):
            ask("GET", "https://api.flowlix.eu/", proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}")
        thread.join(5)
    assert asked[0].startswith(b"CONNECT api.flowlix.eu:443 ")
