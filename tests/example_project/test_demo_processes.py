"""The demo's children: they are heard, they are stopped, and none survives; with real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from django_flowlix.emulator.contracts import contract_named
from example_project.shop.demo.processes import Household
from example_project.shop.demo.programme import paying_card, welcome
from example_project.shop.demo.stage import CONTRACTS, DemoError, Stage, choose_port, wait_until_it_answers

ROOT = Path(__file__).resolve().parents[2]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = """
import os, signal, sys, threading
from pathlib import Path
from example_project.shop.demo.processes import Household
try:
    with Household() as household:
        command = ["-c", "import time; time.sleep(60)"]
        child = household.start("c", command, env=dict(os.environ), cwd=Path(), tell=print)
        print(child._process.pid, flush=True)
        threading.Event().wait(60)
except KeyboardInterrupt:
    sys.exit(7)
"""


class Heard(list[str]):
    """Collects lines and lets a test wait for the first one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = threading.Event()

    def __call__(self, line: str) -> None:
        self.append(line)
        self.first.set()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_a_child_says_is_told_with_its_name_and_kept() -> None:
    heard = Heard()
    with Household() as household:
        child = household.start("teapot", ["-c", "print('boiling')"], env=dict(os.environ), cwd=ROOT, tell=heard)
        assert heard.first.wait(30)

    assert heard == ["  teapot | boiling"]
    assert list(child.last_lines) == ["boiling"]


def test_a_child_that_ignores_the_request_to_end_is_made_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("example_project.shop.demo.processes._STOP_TIMEOUT_SECONDS", 0.2)
    heard = Heard()
    with Household() as household:
        child = household.start("mule", ["-c", STUBBORN], env=dict(os.environ), cwd=ROOT, tell=heard)
        assert heard.first.wait(30)
        assert child.exit_code is None

    assert child.exit_code == -signal.SIGKILL


def test_children_end_with_an_error_in_the_parent() -> None:
    household = Household()

    def fail_with_a_child() -> None:
        with household:
            household.start("c", ["-c", "import time; time.sleep(60)"], env=dict(os.environ), cwd=ROOT, tell=Heard())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_with_a_child()
    assert household.children[0].exit_code == -signal.SIGTERM


def test_signal_handlers_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Household():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_parent_and_child(number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as output:
        child_pid = int(output.readline())
        assert is_running(child_pid)
        parent.send_signal(number)
        code = parent.wait(30)

    assert code == 7
    assert not is_running(child_pid)


def test_a_child_that_ends_while_it_is_waited_for_is_named_with_its_last_words() -> None:
    with Household() as household:
        child = household.start("shop", ["-c", "exit('no database')"], env=dict(os.environ), cwd=ROOT, tell=Heard())
        child._process.wait(30)
        child._reader.join(30)
        with pytest.raises(DemoError, match=r"shop ended \(exit code 1\):\nno database"):
            wait_until_it_answers(child, "http://127.0.0.1:9")

        assert household.ended_child() is child


def test_a_taken_port_gives_way_to_a_free_one_with_a_notice(taken_port: int) -> None:
    heard = Heard()
    port = choose_port(taken_port, heard)

    assert port != taken_port
    assert heard == [f"Port {taken_port} is taken; using {port} instead."]


def test_a_free_port_is_used_without_a_word(taken_port: int) -> None:
    heard = Heard()
    free = choose_port(0, heard)

    assert choose_port(free, heard) == free
    assert heard == []


@pytest.mark.parametrize("contract", CONTRACTS)
def test_shop_and_emulator_speak_the_contract_that_was_asked_for(contract: str) -> None:
    stage = Stage(shop_port=1, emulator_port=2, contract=contract)

    assert stage.environment()["FLOWLIX_CONTRACT"] == contract
    assert f"(the emulator, contract {contract};" in welcome(stage, "secret")


def test_an_unknown_contract_is_refused_with_the_choices() -> None:
    with pytest.raises(CommandError, match=r"eu.*dev"):
        call_command("demo", "--contract=payments")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_welcome_has_a_way_into_the_admin_and_cards_that_the_emulator_knows(contract: str) -> None:
    told = welcome(Stage(shop_port=1, emulator_port=2, contract=contract), "s3cret")
    declined = {card.number: card.decline_code for card in contract_named(contract).test_cards if card.published}
    numbers = re.findall(r"(?:[0-9]{4} ){3}[0-9]{4}", told)

    assert "http://127.0.0.1:1/admin/   login admin, password s3cret" in told
    assert "refund" in told
    assert len(numbers) == 4
    assert [declined[number.replace(" ", "")] is None for number in numbers] == [True, True, False, False]
    assert numbers[0] == paying_card(contract)


def test_k1_a_real_key_never_reaches_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    real = "_".join(["fl", "live", "sk", "a" * 24])
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", real)
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", "/run/secrets/flowlix")
    monkeypatch.setenv("FLOWLIX_CONTRACT", "payments")
    monkeypatch.setenv("FLOWLIX_WEBHOOK_SECRETS", "whsec_x")
    environment = Stage(shop_port=1, emulator_port=2).environment()

    assert real not in environment.values()
    assert environment["FLOWLIX_SECRET_KEY"].startswith("fl_test_sk_")
    assert environment["FLOWLIX_CONTRACT"] == "eu"
    assert environment["FLOWLIX_API_URL"] == "http://127.0.0.1:2"
    assert (environment["FLOWLIX_SECRET_KEY_FILE"], environment["FLOWLIX_WEBHOOK_SECRETS"]) == ("", "")


def test_the_demo_names_a_command_of_its_own_account() -> None:
    """In another terminal the settings make up the same key: only what differs from their defaults must be written."""
    command = ".venv/bin/python example_project/manage.py flowlix_check"
    assert Stage(shop_port=8000, emulator_port=8900).command("flowlix_check") == command
    moved = Stage(shop_port=8001, emulator_port=8900, contract="dev").command("flowlix_check")
    assert moved == f"FLOWLIX_CONTRACT=dev FLOWLIX_BASE_URL=http://127.0.0.1:8001 {command}"
    assert (
        Stage(shop_port=1, emulator_port=2).environment()["FLOWLIX_SECRET_KEY"]
        == settings.FLOWLIX["default"]["SECRET_KEY"].reveal()
    )
