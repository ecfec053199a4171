"""Gateways and shops that answer as a test says, over HTTP and over TLS."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tests.conftest import BASE_URL, TEST_KEY

LIMIT_HEADERS = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99", "X-RateLimit-Reset": "1790000000"}
HEADERS = {"Flowlix-Request-Id": "req_list1", **LIMIT_HEADERS}


def a_payment(**changes: Any) -> dict[str, Any]:
    return {"id": "pay_1", "amount": 100, "currency": "eur", "status": "succeeded", "livemode": False} | changes


def a_list(*payments: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/payments", "data": list(payments), "has_more": False}


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Answers 500 to everything it was not told about."""
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def gateway(server: HTTPServer, settings: Any) -> Callable[..., None]:
    """Let a gateway on this machine answer the list of payments so: status, headers, body."""
    address = server.url_for("").rstrip("/")
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "API_URL": address, "BASE_URL": BASE_URL}}

    def answer(status: int = 200, headers: dict[str, str] = HEADERS, body: Any = None) -> None:
        server.expect_request("/v1/payments").respond_with_json(
            a_list(a_payment()) if body is None else body, status=status, headers=headers
        )

    return answer


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def over_tls(authority: trustme.CA) -> Iterator[Callable[..., HTTPServer]]:
    """Start a server whose certificate is good until then, and which answers everything with `response`."""
    started: list[HTTPServer] = []

    def start(until: datetime | None = None, response: Response | None = None, name: str = "127.0.0.1") -> HTTPServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=until).configure_cert(context)
        server = HTTPServer(host="127.0.0.1", ssl_context=context)
        server.expect_request(re.compile(".*")).respond_with_handler(lambda _: response or Response("ok"))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
