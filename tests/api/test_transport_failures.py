"""What is certain when an exchange fails, and that it always ends. Over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import zlib

import pytest
import urllib3.connection

from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import AnswerTooLargeError, Transport
from tests.api.sockets import FAST, MEGABYTE, closed_port, failure_of, send

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
