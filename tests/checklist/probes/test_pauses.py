"""retry-after: what a 429 can say, and who has called while the gateway had asked to stay away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_flowlix.api import AuthenticationError, answers, calls
from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import a_call, a_create, a_payment, ago, configured, live

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_the_waits_that_are_asked_for_are_kept(look: Any, settings: Any, contract: str) -> None:
    configured(settings, CONTRACT=contract)
    found = look("retry-after")
    assert found.outcome is Outcome.PASS
    assert "the latest 0 times" in told(found, Outcome.NOTE)


@pytest.mark.parametrize(
    "name", ["of 2 seconds is retried", "with a date is retried", "that is missing is", "that cannot be read is"]
)
def test_waits_that_are_too_short_are_noticed(look: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(calls, "wait_before_next_try", lambda error, tries_made: 0.5 if tries_made < 3 else None)
    found = look("retry-after")
    assert found.outcome is Outcome.FAIL
    assert f"a 429 with a Retry-After {name}" in told(found, Outcome.FAIL)
    assert "after 0.5" in told(found, Outcome.FAIL)


def test_a_budget_that_allows_no_wait_is_noticed(look: Any, settings: Any) -> None:
    configured(settings, RETRY_BUDGET=1)
    found = look("retry-after")
    assert found.outcome is Outcome.FAIL
    assert "a 429 with a Retry-After of 2 seconds is not retried" in told(found, Outcome.FAIL)
    configured(settings, RETRY_BUDGET=10)
    assert look("retry-after").outcome is Outcome.PASS, "as the remedy says"


def test_a_long_wait_that_is_not_kept_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = calls.wait_before_next_try
    monkeypatch.setattr(
        calls, "wait_before_next_try", lambda error, tries_made: min(wait(error, tries_made=tries_made) or 1, 5)
    )
    assert "a 429 that asks for 80 s is retried" in told(look("retry-after"), Outcome.FAIL)


def test_a_long_wait_that_the_caller_does_not_hear_of_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "error_class", lambda status, kind: AuthenticationError)
    assert "a 429 that asks for 80 s does not tell the caller so" in told(look("retry-after"), Outcome.FAIL)


def asked_to_wait(seconds: float = 60, **facts: Any) -> dict[str, Any]:
    """An hour ago the gateway asked so; `at` is the moment."""
    at = ago(hours=1)
    return {"at": at, "http_status": 429, "outcome": "error", "paused_until": at + timedelta(seconds=seconds)} | facts


def test_a_recorded_try_before_its_time_is_noticed(look: Any) -> None:
    payment, asked = a_payment(order_reference="early"), asked_to_wait()
    a_create(payment, **asked)
    a_create(payment, asked["at"] + timedelta(seconds=30), try_number=2)
    found = look("retry-after")
    assert found.outcome is Outcome.FAIL
    assert "create_hosted of order early was tried again" in told(found, Outcome.FAIL)


def test_a_recorded_try_in_its_time_is_as_it_should_be(look: Any) -> None:
    payment, asked = a_payment(), asked_to_wait()
    a_create(payment, **asked)
    a_create(payment, asked["at"] + timedelta(seconds=60.2), try_number=2, duration_ms=150)
    found = look("retry-after")
    assert found.outcome is Outcome.PASS
    assert "the latest 1 times that a 429 asked to stay away" in told(found, Outcome.NOTE)


def test_a_call_that_was_begun_meanwhile_is_a_warning(look: Any, settings: Any) -> None:
    asked = asked_to_wait()
    a_call(**asked)
    a_call(asked["at"] + timedelta(seconds=30))
    found = look("retry-after")
    assert found.outcome is Outcome.WARN
    assert "1 calls were begun" in told(found, Outcome.WARN)
    assert "the last one retrieve at" in told(found, Outcome.WARN)
    live(settings)
    assert look("retry-after").outcome is Outcome.PASS, "the other mode's pause is not asked"


@pytest.mark.parametrize(
    ("after_seconds", "facts"),
    [
        (30, {"duration_ms": 29_500}),  # it was under way
        (30, {"try_number": 2}),  # of a call that had begun before
        (30, {"api_key_fingerprint": "another-key"}),
        (61, {"duration_ms": 500}),
        (-1, {}),
    ],
)
def test_calls_that_do_no_wrong_are_not_counted(look: Any, after_seconds: float, facts: dict[str, Any]) -> None:
    asked = asked_to_wait()
    a_call(**asked)
    a_call(asked["at"] + timedelta(seconds=after_seconds), **facts)
    assert look("retry-after").outcome is Outcome.PASS


def test_a_list_that_was_begun_meanwhile_is_a_warning_and_one_under_way_is_not(look: Any) -> None:
    asked = asked_to_wait()
    a_call(**asked)
    a_call(asked["at"] + timedelta(seconds=30), operation="list")
    assert "the last one list at" in told(look("retry-after"), Outcome.WARN)
    a_call(asked["at"] - timedelta(seconds=2), operation="list", api_key_fingerprint="another-key")
    assert look("retry-after").outcome is Outcome.WARN
    a_call(asked["at"] - timedelta(seconds=2), operation="list")
    assert look("retry-after").outcome is Outcome.PASS, "it may be the next page of that list"


def test_interleaved_looks_of_two_processes_are_no_tries_of_one_call(look: Any) -> None:
    payment, asked = a_payment(), asked_to_wait(5)
    a_call(payment=payment, **asked)
    a_call(asked["at"] + timedelta(seconds=1), payment=payment, try_number=2)
    assert look("retry-after").outcome is Outcome.PASS
