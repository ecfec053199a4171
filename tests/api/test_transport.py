"""One exchange over real sockets: what leaves this machine, what is accepted back, and what is certain when it fails."""

from __future__ import annotations

import contextlib
import copy
import gzip
import http.client
import io
import logging
import os
import pickle
import socket
import ssl
import threading
import time
import zlib
from datetime import UTC, datetime

import pytest
import trustme
import urllib3.connection

from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import AnswerTooLargeError, Transport, TransportError, is_loopback

MEGABYTE = 1024 * 1024
FAST = (0.3, 0.3)


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


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# What leaves this machine


def test_a_post_carries_exactly_what_it_should(answering, connect, test_key):
    gateway = answering()
    body = Secret('{"amount":4999}')
    send(
        connect(gateway),
        "POST",
        headers={"Idempotency-Key": "k-1", "Content-Type": "application/json", "Accept": "application/json"},
        body=body,
    )
    line, headers = head_of(gateway.requests[0])
    assert line == "POST /v1/payments HTTP/1.1"
    assert headers.pop("user-agent").startswith("django-flowlix/")
    assert headers == {
        "host": f"127.0.0.1:{gateway.port}",
        "accept-encoding": "identity",
        "accept": "application/json",
        "connection": "keep-alive",
        "idempotency-key": "k-1",
        "content-type": "application/json",
        "content-length": "15",
        "authorization": f"Bearer {test_key}",
    }
    assert gateway.requests[0].endswith(b'\r\n\r\n{"amount":4999}')


def test_a_post_without_a_body_says_so(answering, connect):
    gateway = answering()
    send(connect(gateway), "POST")
    assert head_of(gateway.requests[0])[1]["content-length"] == "0"


def test_query_parameters_are_encoded(answering, connect):
    gateway = answering()
    send(connect(gateway), params={"limit": 100, "created[gte]": 5})
    assert head_of(gateway.requests[0])[0] == "GET /v1/payments?limit=100&created%5Bgte%5D=5 HTTP/1.1"


def test_m16_nothing_is_taken_from_the_environment(answering, connect, test_key, monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login joe password hunter2\ndefault login joe password hunter2\n")
    netrc.chmod(0o600)
    nowhere = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    gateway = answering()
    assert send(connect(gateway)).status == 200
    assert head_of(gateway.requests[0])[1]["authorization"] == f"Bearer {test_key}"


def test_cookies_are_never_sent_back(answering, connect):
    gateway = answering(b"{}", "200 OK", "Set-Cookie: session=1; Path=/", "Set-Cookie: b=2; Domain=127.0.0.1")
    transport = connect(gateway)
    send(transport)
    send(transport)
    assert len(gateway.requests) == 2
    assert "cookie" not in head_of(gateway.requests[1])[1]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_m14_a_redirect_is_handed_over_and_the_other_host_hears_nothing(status, answering, connect):
    other = answering()
    gateway = answering(b"moved", status, f"Location: {other.url}/v1/payments")
    answer = send(connect(gateway), "POST", body=Secret("{}"))
    assert (answer.status, answer.body) == (int(status[:3]), b"moved")
    assert (len(gateway.requests), other.accepted) == (1, 0)


@pytest.mark.parametrize("location", ["http://[::1", "//", "javascript:alert(1)", "http://a b/", "\x7f"])
def test_m14_a_location_that_is_no_address_harms_nobody(location, answering, connect):
    gateway = answering(b"", "302 Found", f"Location: {location}")
    assert send(connect(gateway)).status == 302


# Keep-alive, threads, processes


def test_1000_calls_in_a_row_use_one_connection(answering, connect):
    gateway = answering(b'{"id": "pay_1"}')
    transport = connect(gateway)
    for _ in range(1000):
        assert send(transport).body == b'{"id": "pay_1"}'
    assert (gateway.accepted, len(gateway.requests)) == (1, 1000)


def test_error_answers_and_compressed_ones_keep_the_connection_too(serve, connect, whole_answer):
    answers = [
        whole_answer(b'{"error": {}}', "500 Oops"),
        whole_answer(b"", "302 Found", "Location: /x"),
        whole_answer(gzip.compress(b"{}"), "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        whole_answer(),
    ]

    def behave(peer, number):
        for answer in answers:
            peer.read_request()
            peer.send(answer)

    gateway = serve(behave)
    transport = connect(gateway)
    bodies = [send(transport).body for _ in answers]
    assert bodies == [b'{"error": {}}', b"", b"{}", b"{}", b"", b"{}"]
    assert gateway.accepted == 1


def test_n4_an_idle_connection_closed_by_the_gateway_is_replaced_unnoticed(serve, connect, whole_answer):
    closed = threading.Event()

    def behave(peer, number):
        peer.read_request()
        peer.send(whole_answer())
        peer.close()
        closed.set()

    gateway = serve(behave)
    transport = connect(gateway)
    for _ in range(3):
        closed.clear()
        assert send(transport, "POST", body=Secret("{}")).status == 200
        assert closed.wait(5)
    assert (gateway.accepted, len(gateway.requests)) == (3, 3)


def test_n4_a_kept_connection_dropped_after_the_request_is_not_posted_again(serve, connect, whole_answer):
    def behave(peer, number):
        peer.read_request()
        peer.send(whole_answer())
        peer.read_request()

    gateway = serve(behave)
    transport = connect(gateway)
    send(transport)
    assert failure_of(transport, method="POST", body=Secret("{}")).sent is True
    assert len(gateway.requests) == 2


def test_a_too_short_deadline_of_one_call_does_not_linger_on_the_connection(serve, connect, whole_answer):
    def behave(peer, number):
        while peer.read_request():
            peer.pause(0.15)
            peer.send(whole_answer())

    gateway = serve(behave)
    transport = connect(gateway)
    send(transport, timeout=(2.0, 0.2))
    assert send(transport, timeout=(2.0, 2.0)).status == 200
    assert gateway.accepted == 1


def test_every_thread_has_a_connection_of_its_own(answering, connect):
    gateway = answering()
    transport = connect(gateway)
    statuses = []

    def work():
        statuses.extend(send(transport).status for _ in range(5))

    for _ in range(3):  # one after the other: a shared session would hand its connection on
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
    assert statuses == [200] * 15
    assert gateway.accepted == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_worker_does_not_share_its_parents_connection(answering, connect):
    gateway = answering(b"parent and child")
    transport = connect(gateway)
    send(transport)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os._exit(0 if send(transport).body == b"parent and child" else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert send(transport).body == b"parent and child"
    assert (gateway.accepted, len(gateway.requests)) == (2, 3)


# No answer: what is certain


def test_n1_a_refused_connection_is_not_sent(test_key):
    error = failure_of(Transport(f"http://127.0.0.1:{closed_port()}", Secret(test_key)))
    assert error.sent is False
    assert str(error) == "ConnectionError: ConnectionRefusedError"


def test_n1_an_unknown_host_is_not_sent(test_key, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure_of(Transport("https://api.flowlix.invalid", Secret(test_key)))
    assert error.sent is False
    assert str(error) == "ConnectionError: gaierror"


def test_n1_a_connection_that_is_never_accepted_is_not_sent(test_key):
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):  # fill the backlog, so that the kernel leaves the next one waiting
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        error = failure_of(Transport(f"http://127.0.0.1:{listener.getsockname()[1]}", Secret(test_key)), timeout=FAST)
    assert error.sent is False
    assert "Timeout" in str(error)


@pytest.mark.parametrize("header", ["a\r\nX-Evil: 1", " leading", "ü€"])
def test_i15_a_header_that_cannot_be_sent_is_not_sent(header, answering, connect):
    gateway = answering()
    error = failure_of(connect(gateway), method="POST", headers={"Idempotency-Key": header})
    assert error.sent is False
    assert gateway.requests == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_n2_a_gateway_that_does_not_answer_is_left_after_the_read_timeout(method, sending, connect):
    gateway = sending(lambda peer: peer.pause(5))
    began = time.monotonic()
    error = failure_of(connect(gateway), method=method, timeout=(2.0, 0.2))
    assert error.sent is True
    assert 0.2 <= time.monotonic() - began < 1.0
    assert len(gateway.requests) == 1


DRIPS = {
    "header": lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 500, 0.05),
    "headers": lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100, 0.02),
    "continue": lambda peer: [(peer.send(b"HTTP/1.1 100 Continue\r\n\r\n"), peer.pause(0.05)) for _ in range(100)],
    "body": lambda peer: peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500, 0.005),
    "chunks": lambda peer: (
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        peer.drip(b"1\r\nx\r\n" * 100, 0.01),
    ),
    "endless": lambda peer: (peer.send(b"HTTP/1.1 200 OK\r\n\r\n"), peer.drip(b"x" * 1000, 0.05)),
    "redirect": lambda peer: (
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 900\r\n\r\n"),
        peer.drip(b"x" * 900, 0.05),
    ),
}


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_n7_a_slow_drip_is_bounded_in_total(drip, sending, connect):
    gateway = sending(drip)
    began = time.monotonic()
    error = failure_of(connect(gateway), method="POST", timeout=(2.0, 0.3))
    assert error.sent is True
    assert time.monotonic() - began < 1.0


def test_n7_connecting_counts_and_nothing_is_sent_once_the_time_is_up(answering, connect, monkeypatch):
    gateway = answering()
    connected = urllib3.connection.HTTPConnection.connect

    def slow(self):
        connected(self)
        threading.Event().wait(0.15)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", slow)
    assert failure_of(connect(gateway), timeout=(2.0, 0.1)).sent is False
    assert gateway.requests == []


BREAKS = {
    "closed before the answer": lambda peer: None,
    "reset before the answer": lambda peer: peer.reset(),
    "closed in the status line": lambda peer: peer.send(b"HTTP/1.1 2"),
    "closed in the headers": lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"),
    "closed in the body": lambda peer: peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id":'),
    "reset in the body": lambda peer: (
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        peer.reset(),
    ),
    "closed in a chunk": lambda peer: peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc",
    ),
    "closed before the last chunk": lambda peer: peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ),
    "chunk size is rubbish": lambda peer: peer.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ),
    "not HTTP": lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "too many headers": lambda peer: peer.send(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n"),
    "an endless header": lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000),
    "gzip that is none": lambda peer: peer.send(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ),
}


@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS)
def test_n3_an_answer_that_breaks_off_leaves_open_what_happened(breaks, sending, connect):
    gateway = sending(breaks)
    assert failure_of(connect(gateway), method="POST", body=Secret("{}")).sent is True
    assert len(gateway.requests) == 1


# Size


def bomb():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(b"x" * 100 * MEGABYTE) + packer.flush()


def chunked(data):
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(200):
        yield b"%x\r\n%s\r\n" % (len(data), data)


FLOODS = {
    "length announced": lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n", *[b"x" * MEGABYTE] * 200],
    "no length": lambda: [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * MEGABYTE] * 200],
    "chunked": lambda: chunked(b"x" * MEGABYTE),
    "gzip": lambda: [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", bomb()],
    "redirect": lambda: [
        b"HTTP/1.1 307 Temporary\r\nLocation: /elsewhere\r\nContent-Length: 209715200\r\n\r\n",
        *[b"x" * MEGABYTE] * 200,
    ],
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_m3_more_than_a_megabyte_is_refused_without_reading_on(flood, sending, connect):
    sent = []

    def act(peer):
        for part in flood():
            peer.send(part)
            sent.append(len(part))

    gateway = sending(act)
    error = failure_of(connect(gateway), timeout=(2.0, 10.0))
    assert isinstance(error, AnswerTooLargeError)
    assert error.sent is True
    assert sum(sent) < 40 * MEGABYTE


def test_m3_a_megabyte_is_read(answering, connect):
    gateway = answering(b"x" * MEGABYTE)
    assert len(send(connect(gateway), timeout=(2.0, 10.0)).body) == MEGABYTE


def test_m3_after_a_refused_answer_a_fresh_connection_is_used(serve, connect, whole_answer):
    def behave(peer, number):
        while peer.read_request():
            peer.send(whole_answer(b"x" * 2 * MEGABYTE if number == 1 else b"{}"))

    gateway = serve(behave)
    transport = connect(gateway)
    failure_of(transport, timeout=(2.0, 10.0))
    assert send(transport).body == b"{}"
    assert gateway.accepted == 2


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


# What is shown


def test_l1_neither_http_clients_debug_switch_nor_urllib3s_log_prints_the_key(
    answering, connect, test_key, monkeypatch, caplog, capsys
):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(urllib3.connection.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(urllib3.connection.HTTPSConnection, "debuglevel", 1)
    gateway = answering()
    with caplog.at_level(logging.DEBUG):
        send(connect(gateway), "POST", body=Secret('{"email":"ada@example.com"}'))
    assert f"127.0.0.1:{gateway.port}" in caplog.text
    shown = caplog.text + "".join(capsys.readouterr())
    assert test_key not in shown
    assert "ada@example.com" not in shown


def test_l2_nothing_that_shows_a_transport_shows_the_key_or_the_proxys_password(test_key):
    transport = Transport("https://api.flowlix.eu", Secret(test_key), proxy="http://joe:hunter2@proxy.example")
    shown = f"{transport} {transport!r} {vars(transport)} {vars(copy.copy(transport))} {vars(transport._auth)}"
    assert "<Transport api.flowlix.eu>" in shown
    assert test_key not in shown
    assert "hunter2" not in shown
    with pytest.raises(TypeError):
        pickle.dump(transport, io.BytesIO())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "api.flowlix.eu", "127.1"],
)
def test_m17_every_other_host_is_not(host):
    assert not is_loopback(host)
