"""The command around the background's work: options, bad input, what it prints, how it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.db import OperationalError
from django.utils import timezone

from django_flowlix.emulator.request_log import RequestLog
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.management.commands import flowlix_sync
from django_flowlix.models import ApiCall, CommandRun, Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_succeeded
from tests.conftest import BASE_URL, TEST_KEY, FakeClock, a_request

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    """Run the command in this process and return what it printed."""
    stdout = io.StringIO()
    call_command("flowlix_sync", *arguments, stdout=stdout, stderr=io.StringIO())
    return stdout.getvalue()


@pytest.fixture
def started(db: None, emulator: EmulatorServer, fake_clock: FakeClock) -> list[Payment]:
    """Three payments a day, the oldest first, all of them due."""
    payments = []
    for number in range(3):
        payments.append(start_payment(a_request(order_reference=str(number))))
        fake_clock.advance(days=1)
    return payments


def everything() -> str:
    """Return every row of ours as text."""
    rows = [*Payment.objects.order_by("pk"), *StatusChange.objects.order_by("pk"), *ApiCall.objects.all()]
    return str(serialize("json", rows))


def log_of(emulator: EmulatorServer) -> list[str]:
    return [entry.path for entry in emulator.log() if entry.method == "GET"]


# --- Bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--limit", "--loop"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "", "٣", "1e3", "1000000", "9" * 5000])
def test_a_number_that_is_none_is_refused(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=f"argument {option}: write a whole number from 1 to 999999"):
        run(f"{option}={value}")


@pytest.mark.parametrize("value", ["rubbish", "24", "24 h", "-1h", "1.5h", "999999d", "2026-13-01", "2026-02-30", ""])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(CommandError, match=r"argument --since: write an age such as 90m, 24h or 7d, or a time"):
        run(f"--since={value}")


def test_a_time_in_the_future_is_refused() -> None:
    with pytest.raises(CommandError, match="argument --since: lies in the future"):
        run("--since=2999-01-01")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"]])
def test_an_unknown_option_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="unrecognized arguments"):
        run(*arguments)


def test_a_fault_of_the_settings_is_an_error_of_one_line(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "TIMEOUTS": 3}}

    with pytest.raises(CommandError, match=r"unknown setting 'TIMEOUTS'. Did you mean TIMEOUT\?") as raised:
        run()

    assert TEST_KEY not in str(raised.value)


# --- What is taken up ----------------------------------------------------------------------------------------


def test_s1_what_was_paid_is_booked_without_the_customer(started: list[Payment], emulator: EmulatorServer) -> None:
    told: list[str] = []

    def fulfil(payment: Payment, **kwargs: object) -> None:
        told.append(payment.order_reference)

    emulator.pay(str(started[1].gateway_id))
    payment_succeeded.connect(fulfil)
    try:
        text = run()
    finally:
        payment_succeeded.disconnect(fulfil)

    assert text == "1 changed, 2 unchanged, 0 not settled, 0 notifications delivered, 0 to be repeated\n"
    assert told == ["1"]
    assert StatusChange.objects.latest("pk").source == "sync"


def test_nothing_to_do_is_said_and_asks_nobody(db: None, emulator: EmulatorServer) -> None:
    assert run() == "0 changed, 0 unchanged, 0 not settled, 0 notifications delivered, 0 to be repeated\n"
    assert emulator.log() == []


def test_limit_takes_the_newest_customers_first(started: list[Payment], emulator: EmulatorServer) -> None:
    assert run("--limit", "1").startswith("0 changed, 1 unchanged")
    assert log_of(emulator) == [f"/v1/payments/{started[2].gateway_id}"]


@pytest.mark.usefixtures("real_since")
@pytest.mark.parametrize(("since", "numbers"), [("36h", [2]), ("2d", [2, 1]), ("7d", [2, 1, 0]), ("60m", [])])
def test_since_takes_the_payments_made_since(
    started: list[Payment], emulator: EmulatorServer, since: str, numbers: list[int]
) -> None:
    run("--since", since)

    assert log_of(emulator) == [f"/v1/payments/{started[number].gateway_id}" for number in numbers]


@pytest.fixture
def real_since(monkeypatch: pytest.MonkeyPatch, fake_clock: FakeClock) -> None:
    """The command reads the time of the wall; here it is the time of the test."""
    monkeypatch.setattr(timezone, "now", fake_clock.now)


def test_since_takes_an_iso_time(started: list[Payment], emulator: EmulatorServer, real_since: None) -> None:
    run("--since", started[1].created_at.isoformat())

    assert len(log_of(emulator)) == 2


def test_dry_run_makes_no_request_and_no_change(
    started: list[Payment], emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.pay(str(started[0].gateway_id))
    Payment.objects.filter(pk=started[1].pk).update(status="created", gateway_id=None, first_sent_at=fake_clock.now())
    StatusChange.objects.filter(payment=started[2]).update(signal="payment_failed", deliver_at=fake_clock.now())
    before = everything()
    requests = len(emulator.log())

    lines = run("--dry-run").splitlines()

    assert lines == [
        f"2 (attempt 1): ask the gateway about {started[2].gateway_id}",
        "1 (attempt 1): send the create again under its key",
        f"0 (attempt 1): ask the gateway about {started[0].gateway_id}",
        "2: call the receivers of payment_failed",
        "4 to do; nothing was done (--dry-run).",
    ]
    assert (everything(), len(emulator.log())) == (before, requests)


def test_dry_run_respects_the_limit(started: list[Payment]) -> None:
    assert run("--dry-run", "--limit", "2").splitlines()[-1] == "2 to do; nothing was done (--dry-run)."


# --- How it ends ---------------------------------------------------------------------------------------------


def test_n1_an_unreachable_gateway_is_one_line_and_not_asked_three_times(
    started: list[Payment], emulator: EmulatorServer, settings: Any, fake_clock: FakeClock
) -> None:
    settings.FLOWLIX = {"default": {**settings.FLOWLIX["default"], "API_URL": "http://127.0.0.1:9"}}

    with pytest.raises(CommandError) as raised:
        run()

    assert str(raised.value).startswith("default: retrieve: ")
    assert "\n" not in str(raised.value)
    assert ApiCall.objects.filter(outcome="not_sent").values("payment").distinct().count() == 1


def test_k5_a_refused_key_is_one_line(started: list[Payment], emulator: EmulatorServer) -> None:
    emulator.revoke_key(TEST_KEY)

    with pytest.raises(CommandError, match=r"^default: retrieve: .*HTTP 401") as raised:
        run()

    assert "\n" not in str(raised.value)
    assert len(log_of(emulator)) == 1


def test_a_receiver_that_raises_is_counted_and_called_again(
    started: list[Payment], emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    tries: list[str] = []

    def fails_twice(payment: Payment, **kwargs: object) -> None:
        tries.append(payment.order_reference)
        if len(tries) < 3:
            raise RuntimeError("not yet")

    emulator.pay(str(started[0].gateway_id))
    payment_succeeded.connect(fails_twice)
    try:
        first = run()
        fake_clock.advance(hours=7)
        second = run()
    finally:
        payment_succeeded.disconnect(fails_twice)

    assert first.startswith("1 changed")
    assert "0 notifications delivered, 1 to be repeated" in first
    assert "1 notifications delivered, 0 to be repeated" in second
    assert tries == ["0", "0", "0"]


# --- The loop ------------------------------------------------------------------------------------------------


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[float]]:
    """Make the loop stop after so many rounds; returns the pauses it made."""

    def stop_after(rounds: int) -> list[float]:
        pauses: list[float] = []
        event = Event()

        def wait(seconds: float) -> bool:
            pauses.append(seconds)
            if len(pauses) == rounds:
                event.set()
            return event.is_set()

        monkeypatch.setattr(event, "wait", wait)
        monkeypatch.setattr(flowlix_sync, "_stop_on_signals", lambda: event)
        return pauses

    return stop_after


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("arguments", "pause"), [(["--loop"], 30), (["--loop", "5"], 5)])
def test_the_loop_goes_on_until_it_is_stopped(
    started: list[Payment], loop: Callable[[int], list[float]], arguments: list[str], pause: int
) -> None:
    pauses = loop(3)

    assert len(run(*arguments).splitlines()) == 3
    assert pauses == [pause] * 3


@pytest.mark.django_db(transaction=True)
def test_the_loop_outlives_gateway_and_database(
    started: list[Payment],
    emulator: EmulatorServer,
    fake_clock: FakeClock,
    loop: Callable[[int], list[float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outages: list[Exception] = [OperationalError("server closed the connection: password=hunter2")]
    execute = Run.execute

    def sometimes(self: Run) -> Any:
        if outages:
            raise outages.pop()
        return execute(self)

    monkeypatch.setattr(Run, "execute", sometimes)
    emulator.revoke_key(TEST_KEY)
    loop(2)
    stdout, stderr = io.StringIO(), io.StringIO()

    call_command("flowlix_sync", "--loop", stdout=stdout, stderr=stderr)

    first, second = stderr.getvalue().splitlines()
    assert first == "database: OperationalError"
    assert second.startswith("default: retrieve: ")
    assert len(stdout.getvalue().splitlines()) == 1


def a_shop(emulator: EmulatorServer, database: Path, script: str) -> subprocess.Popen[str]:
    """Start another process with a shop and a database of its own."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "FLOWLIX_SECRET_KEY": TEST_KEY,
        "FLOWLIX_API_URL": emulator.url,
        "FLOWLIX_BASE_URL": BASE_URL,
        "PYTHONUNBUFFERED": "1",
    }
    prelude = "import django; django.setup()\nfrom django.core.management import call_command\n"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", prelude + script],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


MIGRATE = "call_command('migrate', verbosity=0)\n"
START = """
from tests.conftest import a_request
from django_flowlix.models import Payment
from django_flowlix.services import start_payment
for number in range(2):
    start_payment(a_request(order_reference=str(number)))
Payment.objects.update(next_sync_at='2020-01-01T00:00Z')
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_c8_the_loop_finishes_the_payment_at_hand_and_stops_on_a_signal(
    emulator: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    asked = Event()
    real_open = RequestLog.open

    def watched(self: RequestLog, **request: Any) -> Any:
        if request["method"] == "GET":
            asked.set()
        return real_open(self, **request)

    monkeypatch.setattr(RequestLog, "open", watched)
    emulator.fault("retrieve", "delay_after", delay_seconds=0.5)
    script = MIGRATE + START + "call_command('flowlix_sync', '--loop', '600')"

    with a_shop(emulator, tmp_path / "shop.sqlite3", script) as process:
        assert asked.wait(60), "the loop began"
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 0, stderr
    assert stdout.startswith("0 changed, 1 unchanged, 0 not settled")
    assert "Traceback" not in stderr
    assert len(emulator.log("retrieve")) == 1, "the second payment is left to the next run"


def test_n1_from_a_shell_an_unreachable_gateway_is_exit_code_1_and_no_traceback(
    emulator: EmulatorServer, tmp_path: Path
) -> None:
    script = (
        MIGRATE
        + START
        + "import sys\nfrom django.conf import settings\nfrom django.core.management import execute_from_command_line\n"
        + "settings.FLOWLIX['default'] |= {'API_URL': 'http://127.0.0.1:9', 'BACKGROUND_RETRY_BUDGET': 1}\n"
        + "from django_flowlix import conf\nconf.accounts.cache_clear()\n"
        + "execute_from_command_line(['manage.py', 'flowlix_sync'])"
    )

    with a_shop(emulator, tmp_path / "shop.sqlite3", script) as process:
        stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 1
    assert stdout == "0 changed, 0 unchanged, 2 not settled, 0 notifications delivered, 0 to be repeated\n"
    assert [line for line in stderr.splitlines() if line.startswith("CommandError: default: retrieve:")] != []
    assert "Traceback" not in stderr
    assert "[" not in stdout, "no progress bar in a pipe"


# --- The note that it has run --------------------------------------------------------------------------------


def test_a_run_that_came_to_its_end_is_noted(started: list[Payment], fake_clock: FakeClock) -> None:
    before = timezone.now()
    run()
    (first,) = CommandRun.objects.all()
    assert (first.command, first.completed_at >= before) == ("flowlix_sync", True)

    run()

    (second,) = CommandRun.objects.all()
    assert second.completed_at > first.completed_at


def test_a_run_with_nothing_to_do_is_noted_too(db: None, emulator: EmulatorServer) -> None:
    run()
    assert CommandRun.objects.filter(command="flowlix_sync").exists()


def test_a_run_that_only_says_what_it_would_do_is_not_noted(started: list[Payment]) -> None:
    run("--dry-run")
    assert not CommandRun.objects.exists()


def test_a_run_that_breaks_off_is_not_noted(
    db: None, emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(self: Run) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(Run, "execute", break_off)
    with pytest.raises(OperationalError):
        run()
    assert not CommandRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_loop_notes_every_round(
    started: list[Payment], loop: Callable[[int], list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = []
    save = CommandRun.save

    def watched(self: CommandRun, **options: Any) -> None:
        noted.append(self.command)
        save(self, **options)

    monkeypatch.setattr(CommandRun, "save", watched)
    loop(3)

    run("--loop")

    assert noted == ["flowlix_sync"] * 3
    assert CommandRun.objects.count() == 1
