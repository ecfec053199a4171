"""TLS that cannot be turned off, and what a proxy gets to see. Over real sockets."""

from __future__ import annotations

import contextlib
import ssl
import time
from datetime import UTC, datetime

import pytest
import trustme

from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import Transport
from tests.api.sockets import FAST, failure_of, send

# TLS


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls_context():
    def context(authority, *names):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(made)
        return made

    return context


@pytest.fixture
def ca_bundle(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_tls_with_a_bundle_of_ones_own_works_and_keeps_the_connection(
    answering, connect, authority, tls_context, ca_bundle
):
    gateway = answering(b"over TLS", tls=tls_context(authority, "127.0.0.1"))
    transport = connect(gateway, ca_bundle=ca_bundle)
    assert [send(transport).body for _ in range(5)] == [b"over TLS"] * 5
    assert gateway.accepted == 1


@pytest.mark.parametrize("bundle", ["", False, None])
def test_m15_an_unknown_authority_is_refused_and_nothing_is_sent(bundle, answering, connect, authority, tls_context):
    gateway = answering(tls=tls_context(authority, "127.0.0.1"))
    error = failure_of(connect(gateway, ca_bundle=bundle), method="POST", body=Secret("{}"))
    assert error.sent is False
    assert str(error) == "SSLError: SSLCertVerificationError"
    assert gateway.requests == []


def test_m15_a_certificate_for_another_host_is_refused(answering, connect, authority, tls_context, ca_bundle):
    gateway = answering(tls=tls_context(authority, "other.example"))
    assert failure_of(connect(gateway, ca_bundle=ca_bundle)).sent is False
    assert gateway.requests == []


def test_m15_an_outdated_certificate_is_refused(answering, connect, authority, ca_bundle):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(context)
    gateway = answering(tls=context)
    assert failure_of(connect(gateway, ca_bundle=ca_bundle)).sent is False
    assert gateway.requests == []


def test_m15_a_bundle_that_does_not_exist_is_not_sent(answering, connect, authority, tls_context, tmp_path):
    gateway = answering(tls=tls_context(authority, "127.0.0.1"))
    assert failure_of(connect(gateway, ca_bundle=str(tmp_path / "none.pem"))).sent is False
    assert gateway.requests == []


def test_n1_a_gateway_that_hangs_in_the_handshake_is_not_sent(serve, test_key):
    gateway = serve(lambda peer, number: peer.pause(5))
    began = time.monotonic()
    error = failure_of(Transport(gateway.url.replace("http:", "https:"), Secret(test_key)), timeout=FAST)
    assert error.sent is False
    assert time.monotonic() - began < 1.5


def test_n1_a_gateway_that_speaks_no_tls_is_not_sent(serve, test_key):
    gateway = serve(lambda peer, number: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    error = failure_of(Transport(gateway.url.replace("http:", "https:"), Secret(test_key)))
    assert error.sent is False


def test_m16_the_environment_cannot_switch_verification_off_or_swap_the_authority(
    answering, connect, authority, tls_context, ca_bundle, monkeypatch, tmp_path
):
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    trusting = answering(tls=tls_context(authority, "127.0.0.1"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, ca_bundle)
    assert failure_of(connect(trusting)).sent is False
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(stranger))
    assert send(connect(trusting, ca_bundle=ca_bundle)).status == 200


# Proxy


def test_a_proxy_is_asked_for_https_and_learns_neither_key_nor_path(serve, connect, test_key):
    def behave(peer, number):
        peer.read_request()
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    proxy = serve(behave)
    transport = Transport("https://api.flowlix.eu", Secret(test_key), proxy=proxy.url)
    error = failure_of(transport, method="POST", path="/v1/payments/hpp")
    assert error.sent is False
    assert proxy.requests[0].startswith(b"CONNECT api.flowlix.eu:443 HTTP/1.")
    assert test_key.encode() not in proxy.requests[0]
    assert b"hpp" not in proxy.requests[0]


def test_n7_a_proxy_that_drips_is_bounded_in_total(serve, test_key):
    def behave(peer, number):
        peer.read_request()
        peer.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500, 0.05)

    proxy = serve(behave)
    began = time.monotonic()
    error = failure_of(Transport("https://api.flowlix.eu", Secret(test_key), proxy=proxy.url), timeout=FAST)
    assert error.sent is False
    assert time.monotonic() - began < 1.0


def test_m15_a_certificate_refused_behind_a_proxy_is_not_sent_either(serve, test_key, authority, tls_context):
    context = tls_context(authority, "api.flowlix.eu")

    def behave(peer, number):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(peer._sock, server_side=True).close()

    proxy = serve(behave)
    error = failure_of(Transport("https://api.flowlix.eu", Secret(test_key), proxy=proxy.url))
    assert error.sent is False
    assert str(error) == "SSLError: SSLCertVerificationError"


def test_plain_http_to_this_machine_never_passes_a_proxy(answering, connect, serve):
    gateway, proxy = answering(), answering()
    assert send(connect(gateway, proxy=proxy.url)).status == 200
    assert (len(gateway.requests), proxy.accepted) == (1, 0)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "ftp://proxy.example"])
def test_a_proxy_that_would_be_ignored_is_refused(proxy, test_key):
    with pytest.raises(ValueError, match="proxy must be an http or https address"):
        Transport("https://api.flowlix.eu", Secret(test_key), proxy=proxy)
