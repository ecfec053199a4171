"""The command around pruning: options, bad input, what it prints, two at a time."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_flowlix.models import ApiCall, Payment, StatusChange, TalliedHour
from django_flowlix.services.retention import Prune
from tests.admin.rows import a_payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.services.past import LONG_AGO, a_call, a_change, ago

pytestmark = pytest.mark.django_db


def run(*arguments: str, stderr: io.StringIO | None = None) -> list[str]:
    stdout = io.StringIO()
    call_command("flowlix_prune", *arguments, stdout=stdout, stderr=stderr or io.StringIO())
    return stdout.getvalue().splitlines()


@pytest.fixture
def past(settings: Any, fake_clock: FakeClock) -> Payment:
    """Two accounts: in the first everything has an age, in the second nothing but the calls."""
    ages = {"calls_days": 30, "changes_days": 30, "alerts_days": 30, "personal_data_days": 30}
    settings.FLOWLIX = {
        "default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "RETENTION": ages},
        "second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL, "RETENTION": {"alerts_days": None}},
    }
    TalliedHour.objects.create(hour=(fake_clock.now() - timedelta(hours=1)).replace(minute=0, second=0))
    old = ago(fake_clock, 31)
    for name, changes in (("free", {}), ("held", {"legal_hold_since": LONG_AGO}), ("open", {"status": "created"})):
        payment = a_payment(name, created_at=old, **changes)
        a_call(old, payment)
        a_change(old, payment)
    a_call(ago(fake_clock, 401), account="second")
    return Payment.objects.get(order_reference="free")


def counts() -> tuple[int, int, int]:
    erased = Payment.objects.filter(personal_data_erased_at__isnull=False).count()
    return ApiCall.objects.count(), StatusChange.objects.count(), erased


def test_it_says_what_it_did_by_kind(past: Payment) -> None:
    assert run() == [
        "gateway calls: 2 deleted, 1 stay on legal hold, 1 stay until they are settled",
        "status changes: 1 deleted, 1 stay on legal hold, 1 stay until they are settled",
        "alerts: 0 deleted",
        "payments with personal data: 1 erased, 1 stay on legal hold, 1 stay until they are settled",
    ]
    assert counts() == (2, 2, 1)


def test_a_dry_run_says_the_same_and_does_nothing(past: Payment) -> None:
    planned = run("--dry-run")

    assert counts() == (4, 3, 0)
    assert planned.pop() == "Nothing was done (--dry-run)."
    assert [line.replace("would be ", "") for line in planned] == run()


def test_one_account_alone(past: Payment) -> None:
    assert run("--account", "second") == [
        "gateway calls: 1 deleted",
        "status changes: kept for ever",
        "alerts: kept for ever",
        "payments with personal data: kept for ever",
    ]
    assert counts() == (3, 3, 0)


@pytest.mark.parametrize("name", ["third", "", "\x00", "x" * 300])
def test_an_account_that_does_not_exist_is_said(past: Payment, name: str) -> None:
    with pytest.raises(CommandError, match=r"FLOWLIX has no account .*: write one of 'default', 'second'"):
        run("--account", name)
    assert counts() == (4, 3, 0)


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["--account"]])
def test_bad_options_are_refused(past: Payment, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert counts() == (4, 3, 0)


def test_a_fault_of_the_settings_is_an_error_of_one_line(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "RETENTION": {"calls": 3}}}
    with pytest.raises(CommandError, match="'RETENTION'"):
        run()


def test_on_a_terminal_a_bar_shows_the_progress(past: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "17")
    terminal = Terminal()
    run(stderr=terminal)

    assert terminal.getvalue().startswith("\r[..........] 0/10\r[###")
    assert terminal.getvalue().endswith("\r[##########] 10/10\n")


def test_elsewhere_nothing_is_counted_for_it(past: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Prune, "count", lambda self: pytest.fail("nobody would see it"))

    run()


@pytest.mark.parametrize("when", [1, 3, 5])
def test_another_run_at_the_same_time_does_no_harm(past: Payment, monkeypatch: pytest.MonkeyPatch, when: int) -> None:
    """The other run comes after the rows were read and before they are deleted."""
    real, seen, other = Prune._perform, [], []

    def perform(self: Prune, task: Any) -> None:
        seen.append(task)
        if len(seen) == when:
            read = task.remove

            def late(keys: list[int]) -> int:
                other.append(run())
                return int(read(keys))

            object.__setattr__(task, "remove", late)
        real(self, task)

    monkeypatch.setattr(Prune, "_perform", perform)

    run()

    assert counts() == (2, 2, 1)
    assert other
