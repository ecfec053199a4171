"""The command that erases a customer's data: which payments it takes, what it asks, what it refuses."""

from __future__ import annotations

import builtins
import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_flowlix.models import Payment
from tests.admin.rows import a_payment
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> list[str]:
    stdout = io.StringIO()
    call_command("flowlix_erase", *arguments, stdout=stdout, stderr=io.StringIO())
    return stdout.getvalue().splitlines()


@pytest.fixture
def payments(fake_clock: FakeClock) -> list[Payment]:
    """Two attempts for order 7, one for order 8, and an order 7 of another account."""
    return [
        a_payment("7", status="failed", description="for Ada"),
        a_payment("7", description="for Ada", livemode=True),
        a_payment("8", description="for Grace"),
        a_payment("9", account="second", description="for Mary"),
    ]


def erased() -> set[int]:
    return set(
        Payment.objects.filter(description="", personal_data_erased_at__isnull=False).values_list("pk", flat=True)
    )


def test_all_attempts_of_an_order_are_erased(payments: list[Payment]) -> None:
    assert run("--order", "7", "--no-input") == [
        "order 7, attempt 1, 49.99 EUR, failed, test: erased",
        "order 7, attempt 2, 49.99 EUR, succeeded: erased",
        "2 erased, 0 had nothing left, 0 not erased",
    ]
    assert erased() == {payments[0].pk, payments[1].pk}
    assert run("--order", "7", "--no-input")[-1] == "0 erased, 2 had nothing left, 0 not erased"


def test_orders_and_payments_may_be_named_together_and_repeatedly(payments: list[Payment]) -> None:
    lines = run("--order=8", "--payment=pay_2", "--payment=pay_4", "--payment=pay_2", "--no-input")

    assert lines[-1] == "3 erased, 0 had nothing left, 0 not erased"
    assert erased() == {payment.pk for payment in payments[1:]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--order", "70"], "order '70' does not exist. Nothing was done."),
        (["--order", "7", "--order", "70"], "order '70' does not exist. Nothing was done."),
        (["--payment", "pay_70", "--order", "70"], "order '70' does not exist; payment 'pay_70' does not exist."),
        (["--order", "7", "--account", "second"], "order '7' does not exist in account 'second'."),
        (["--order", "7", "--account", "third"], "order '7' does not exist in account 'third'."),
        (["--order", ""], "order '' does not exist."),
        (["--payment", ""], "payment '' does not exist."),
        (["--order", "\x00"], "order '\\x00' does not exist."),
        (["--order", "x" * 5000], "does not exist."),
        (["--order", "7", "--payment", "7"], "payment '7' does not exist."),
        ([], "write which payments: --order REF or --payment ID"),
        (["--nonsense"], "unrecognized arguments"),
        (["7"], "unrecognized arguments"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_is_done(
    payments: list[Payment], arguments: list[str], told: str
) -> None:
    with pytest.raises(CommandError) as raised:
        run(*arguments, "--no-input")

    assert told in str(raised.value)
    assert erased() == set()


def test_one_reference_in_two_accounts_is_not_guessed(payments: list[Payment]) -> None:
    twin = a_payment("7", account="second", description="for Mary")
    with pytest.raises(CommandError, match=r"order '7' exists in several accounts \(default, second\): write --acc"):
        run("--order", "7", "--no-input")
    assert erased() == set()

    run("--order", "7", "--account", "second", "--no-input")
    assert erased() == {twin.pk}


def test_a_reference_is_compared_exactly(payments: list[Payment]) -> None:
    a_payment("a1")
    with pytest.raises(CommandError, match="order 'A1' does not exist"):
        run("--order", "A1", "--no-input")


def test_what_must_stay_is_said_and_the_rest_is_erased(payments: list[Payment]) -> None:
    Payment.objects.filter(pk=payments[0].pk).update(status="created")
    Payment.objects.filter(pk=payments[2].pk).update(legal_hold_since="2026-01-01T00:00Z")
    stdout = io.StringIO()

    with pytest.raises(CommandError, match="2 of 3 payments were not erased"):
        call_command("flowlix_erase", "--order=7", "--order=8", "--no-input", stdout=stdout, stderr=io.StringIO())

    assert stdout.getvalue().splitlines() == [
        "order 7, attempt 2, 49.99 EUR, succeeded: erased",
        "order 7, attempt 1, 49.99 EUR, created, test: not erased, it is not decided yet",
        "order 8, attempt 3, 49.99 EUR, succeeded, test: not erased, it is on legal hold",
        "1 erased, 0 had nothing left, 2 not erased",
    ]


def test_a_dry_run_says_what_would_be_done(payments: list[Payment]) -> None:
    Payment.objects.filter(pk=payments[0].pk).update(status="created")

    assert run("--order", "7", "--dry-run") == [
        "order 7, attempt 1, 49.99 EUR, created, test: would stay: it is not decided yet",
        "order 7, attempt 2, 49.99 EUR, succeeded: would be erased",
        "Nothing was done (--dry-run).",
    ]
    assert erased() == set()


# --- It asks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A person at a terminal: what they are asked is kept, and answered with the first entry."""
    asked: list[Any] = []

    def answer(prompt: str) -> str:
        reply = asked[0]
        asked.append(prompt)
        if isinstance(reply, BaseException):
            raise reply
        return str(reply)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(builtins, "input", answer)
    return asked


@pytest.mark.parametrize("answer", ["yes", "y", " YES "])
def test_it_asks_and_goes_on_after_a_yes(payments: list[Payment], terminal: list[Any], answer: str) -> None:
    terminal.append(answer)

    lines = run("--order", "8")

    assert terminal[1:] == ["Erase the personal data of these payments (1) for good? [yes/no] "]
    assert lines[0] == "order 8, attempt 3, 49.99 EUR, succeeded, test", "what is about to be erased"
    assert erased() == {payments[2].pk}


@pytest.mark.parametrize("answer", ["no", "", "yes please", "j", EOFError(), KeyboardInterrupt()])
def test_after_anything_else_nothing_is_done(payments: list[Payment], terminal: list[Any], answer: Any) -> None:
    terminal.append(answer)
    with pytest.raises(CommandError, match="nothing was done"):
        run("--order", "8")
    assert erased() == set()


def test_without_a_terminal_it_does_not_guess(payments: list[Payment], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(CommandError, match="write --no-input"):
        run("--order", "8")
    assert erased() == set()


def test_it_needs_no_settings(payments: list[Payment], settings: Any) -> None:
    """Of an account that is not configured any more, customers may ask too."""
    settings.FLOWLIX = {}
    run("--order", "9", "--account", "second", "--no-input")

    assert erased() == {payments[3].pk}
