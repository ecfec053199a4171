"""The running server: connections, ports, command lines, and what it must not import."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from django_flowlix.emulator.command_line import main
from django_flowlix.emulator.server import EmulatorServer

ROOT = Path(__file__).parents[2]


def test_n4_a_session_needs_one_connection(emulator: EmulatorServer, merchant: Any) -> None:
    for _ in range(20):
        merchant.get("/v1/payments")
        merchant.create()
    assert {entry.client_port for entry in emulator.log()} == {emulator.log()[0].client_port}
    assert len(emulator.log()) == 40


def test_a_chunked_request_is_read_to_its_end(merchant: Any) -> None:
    answer = merchant.send(
        "POST", "/v1/payments/hpp", data=iter([b'{"amo', b'unt": 0}']), headers={"Content-Type": "application/json"}
    )
    assert answer.json()["error"]["param"] == "currency"
    assert merchant.get("/v1/payments").status_code == 200


def test_half_a_request_is_not_worked_on(emulator: EmulatorServer, merchant: Any) -> None:
    with socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2])), timeout=5) as raw:
        head = f"POST /v1/payments/hpp HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {merchant.key}\r\n"
        raw.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{}}".encode())
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert emulator.log() == []


@pytest.mark.parametrize("length", ["-1", "ten", "99999999999"])
def test_a_length_that_cannot_be_is_413(emulator: EmulatorServer, length: str) -> None:
    with socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2])), timeout=5) as raw:
        raw.sendall(f"POST /v1/payments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_foreign_host_name_is_refused(emulator: EmulatorServer) -> None:
    for name in ("evil.example", "127.0.0.1.evil.example"):
        answer = requests.get(f"{emulator.url}/_emulator/state", headers={"Host": name}, timeout=5)
        assert answer.status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        EmulatorServer(host=host)


def test_localhost_and_ipv6_are_loopback() -> None:
    with EmulatorServer(host="localhost") as server:
        assert requests.get(f"{server.url}/_emulator/", timeout=5).status_code == 200
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with EmulatorServer(host="::1") as server:
            assert requests.get(f"{server.url}/_emulator/", timeout=5).status_code == 200
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")


def test_an_unknown_contract_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="eu"):
        EmulatorServer("xx")


def test_stopping_frees_the_port_although_clients_hold_on() -> None:
    with requests.Session() as session:
        with EmulatorServer() as server:
            session.get(server.url, timeout=5)
            port = int(server.url.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            assert server.url.endswith(str(port))


def test_the_root_leads_to_the_index(emulator: EmulatorServer) -> None:
    assert requests.get(emulator.url, timeout=5).json()["contract"] == "eu"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [["-m", "django_flowlix.emulator"], ["manage"]])
def test_it_says_where_it_is_and_stops_when_told(stop: signal.Signals, command: list[str]) -> None:
    if command == ["manage"]:
        command = ["-m", "django", "flowlix_emulator", "--settings", "tests.settings"]
    process = subprocess.Popen(
        [sys.executable, *command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"Flowlix emulator \(eu\) on (http://127\.0\.0\.1:[0-9]+)\n", line)
        assert found, line
        assert requests.get(found[1], timeout=5).status_code == 200
        process.send_signal(stop)
        assert process.wait(timeout=10) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_requests_are_printed_on_demand() -> None:
    command = [sys.executable, "-m", "django_flowlix.emulator", "--contract", "dev", "--port", "0", "--log-requests"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Flowlix emulator (dev) on http://127.0.0.1:")
        address = line.split()[-1]
        requests.get(f"{address}/v1/payments", timeout=5)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().startswith("GET /v1/payments 401 req_")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "127.0.0.1"),
        (["--contract", "xx"], "eu, dev"),
        (["--port", "70000"], "65535"),
        (["--rate-limit", "0"], "at least 1"),
        (["--accept-key", "secret"], "fl_test_sk_"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
    with pytest.raises(CommandError, match=re.escape(says)):
        call_command("flowlix_emulator", *arguments)


def test_a_port_in_use_is_said_with_the_remedy(emulator: EmulatorServer, capsys: pytest.CaptureFixture[str]) -> None:
    port = emulator.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert "--port" in capsys.readouterr().err


def test_it_knows_neither_django_nor_the_client() -> None:
    code = (
        "import sys; from django_flowlix.emulator.server import EmulatorServer;"
        "print([m for m in sys.modules if m == 'django' or m.startswith(('django.', 'django_flowlix.api'))])"
    )
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_without_flask_the_remedy_is_said(tmp_path: Path) -> None:
    code = "raise ModuleNotFoundError(\"No module named 'flask'\", name='flask')"
    (tmp_path / "flask.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    process = subprocess.run(
        [sys.executable, "-m", "django_flowlix.emulator"], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert process.returncode == 2
    assert process.stderr == 'The emulator needs Flask: pip install "django-flowlix[emulator]"\n'
