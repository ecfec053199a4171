"""What leaves this machine, over which connection, and what is shown of it. Over real sockets."""

from __future__ import annotations

import contextlib
import copy
import gzip
import http.client
import io
import logging
import os
import pickle
import threading

import pytest
import urllib3.connection

from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import Transport, is_loopback
from tests.api.sockets import closed_port, failure_of, head_of, send

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
