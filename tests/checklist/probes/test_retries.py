"""retry-5xx and no-retry-4xx: what they prove, and every way in which they notice that it is not so."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from django_flowlix.api import calls, retry
from django_flowlix.api.calls import Call
from django_flowlix.api.secret import Secret
from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import a_call, a_create, a_payment, ago, configured, live

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_the_defaults_wait_as_the_gateway_asks(look: Any, settings: Any, contract: str) -> None:
    configured(settings, CONTRACT=contract)
    found = look("retry-5xx")
    assert found.outcome is Outcome.PASS
    assert "RETRY_BUDGET = 20: a create answered with 503, 503 and 500" in told(found, Outcome.PASS)
    assert ("refund" in told(found, Outcome.NOTE)) is (contract == "dev")


@pytest.mark.parametrize(("seconds", "tries"), [(1, "once"), (5, "3 times"), (9, "3 times")])
def test_a_budget_too_short_for_the_waits_is_noticed(look: Any, settings: Any, seconds: int, tries: str) -> None:
    configured(settings, RETRY_BUDGET=seconds)
    found = look("retry-5xx")
    assert found.outcome is Outcome.FAIL
    assert f"RETRY_BUDGET = {seconds}: a create answered with 5xx is tried {tries}, not 4" in told(found, Outcome.FAIL)
    assert "Set RETRY_BUDGET to 10 seconds or more" in told(found, Outcome.FAIL)


def test_a_budget_of_ten_seconds_is_enough_as_the_remedy_says(look: Any, settings: Any) -> None:
    configured(settings, RETRY_BUDGET=10, TIMEOUT=(1, 2))
    assert look("retry-5xx").outcome is Outcome.PASS


def test_a_short_budget_of_the_background_is_a_warning(look: Any, settings: Any) -> None:
    configured(settings, BACKGROUND_RETRY_BUDGET=5)
    found = look("retry-5xx")
    assert found.outcome is Outcome.WARN
    assert "BACKGROUND_RETRY_BUDGET = 5" in told(found, Outcome.WARN)


@pytest.mark.parametrize("waits", [(0.1, 0.2, 0.4), (0.9, 2.0, 4.0), (2.0, 4.0, 8.0)])
def test_other_waits_are_noticed(look: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, waits: Any) -> None:
    configured(settings, RETRY_BUDGET=60)
    monkeypatch.setattr(retry, "BACKOFF_SECONDS", waits)
    found = look("retry-5xx")
    assert found.outcome is Outcome.FAIL
    assert "not 1, 2 and 4 s" in told(found, Outcome.FAIL)


def test_a_key_of_its_own_for_each_try_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, send = count(), Call._send

    def with_another_key(self: Call) -> Any:
        self.headers = {**self.headers, "Idempotency-Key": f"key-{next(numbers)}"}
        return send(self)

    monkeypatch.setattr(Call, "_send", with_another_key)
    found = look("retry-5xx")
    assert found.outcome is Outcome.FAIL
    assert "is sent again under another key" in told(found, Outcome.FAIL)


def test_a_body_of_its_own_for_each_try_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, send = count(), Call._send

    def with_another_body(self: Call) -> Any:
        self.body = Secret(f"{next(numbers)}")
        return send(self)

    monkeypatch.setattr(Call, "_send", with_another_body)
    assert "is sent again with another body" in told(look("retry-5xx"), Outcome.FAIL)


def test_a_success_that_is_not_taken_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = calls.json_value

    def refuse_successes(answer: Any, *args: Any, **options: Any) -> Any:
        return {} if answer.status == 201 else read(answer, *args, **options)

    monkeypatch.setattr(calls, "json_value", refuse_successes)
    assert "ends in an error" in told(look("retry-5xx"), Outcome.FAIL)


def test_a_budget_that_a_lost_answer_uses_up_is_a_warning(look: Any, settings: Any) -> None:
    configured(settings, TIMEOUT=(3, 19.5))
    found = look("retry-5xx")
    assert found.outcome is Outcome.WARN
    assert "no answer within TIMEOUT (19.5 s)" in told(found, Outcome.WARN)
    configured(settings, TIMEOUT=(3, 17))
    assert look("retry-5xx").outcome is Outcome.PASS, "the remedy: the time-out and three seconds"


def test_recorded_5xx_under_one_key_are_said(look: Any) -> None:
    payment = a_payment()
    a_create(payment, http_status=503, outcome="unknown")
    a_create(payment, try_number=2)
    found = look("retry-5xx")
    assert found.outcome is Outcome.PASS
    assert "1 answers of 5xx among all gateway calls in test mode" in told(found, Outcome.NOTE)


def test_recorded_creates_under_two_keys_are_noticed(look: Any, settings: Any) -> None:
    payment = a_payment(order_reference="two-keys")
    a_create(payment, http_status=503, outcome="unknown")
    a_create(payment, try_number=2, idempotency_key="another")
    found = look("retry-5xx")
    assert found.outcome is Outcome.FAIL
    assert "of order two-keys" in told(found, Outcome.FAIL)
    live(settings)
    assert look("retry-5xx").outcome is Outcome.PASS, "what the other mode's key did is not asked"


def test_final_answers_are_tried_once(look: Any) -> None:
    found = look("no-retry-4xx")
    assert found.outcome is Outcome.PASS
    assert "400 to 404 or with 422 is tried once" in told(found, Outcome.PASS)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
def test_a_final_answer_that_is_retried_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def retry_this(error: Any, *, tries_made: int) -> float | None:
        return 1.0 if error.status == status and tries_made < 3 else None

    monkeypatch.setattr(calls, "wait_before_next_try", retry_this)
    found = look("no-retry-4xx")
    assert found.outcome is Outcome.FAIL
    assert f"a create answered with {status} is tried 3 times" in told(found, Outcome.FAIL)


def test_a_recorded_try_after_a_final_answer_is_noticed(look: Any) -> None:
    payment = a_payment(order_reference="again")
    a_create(payment, http_status=401, outcome="error")
    a_create(payment, try_number=2)
    found = look("no-retry-4xx")
    assert found.outcome is Outcome.FAIL
    assert "create_hosted of order again was tried again after 401" in told(found, Outcome.FAIL)


@pytest.mark.parametrize("status", [408, 409, 421, 425, 429])
def test_a_recorded_try_after_a_temporary_answer_is_as_it_should_be(look: Any, status: int) -> None:
    payment = a_payment()
    a_create(payment, http_status=status, outcome="error")
    a_create(payment, try_number=2)
    found = look("no-retry-4xx")
    assert found.outcome is Outcome.PASS
    assert "1 answers of 4xx" in told(found, Outcome.NOTE)


def test_what_only_looks_like_a_try_after_a_final_answer_is_not_taken_for_one(look: Any) -> None:
    payment, other = a_payment(), a_payment()
    a_create(payment, http_status=401, outcome="error")
    a_create(payment)  # a call of its own, later
    a_create(payment, http_status=503, outcome="unknown")
    a_create(payment, try_number=2)
    a_create(other, http_status=503, outcome="unknown")
    a_create(other, try_number=2, at=ago(minutes=1))
    a_call(http_status=404, outcome="error")
    a_call(try_number=2)
    assert look("no-retry-4xx").outcome is Outcome.PASS


def test_interleaved_looks_of_two_processes_are_no_tries_of_one_call(look: Any) -> None:
    payment = a_payment()
    a_call(payment=payment, http_status=503, outcome="unknown")
    a_call(payment=payment, http_status=404, outcome="error")
    a_call(payment=payment, try_number=2)
    a_create(payment, idempotency_key="", http_status=404, outcome="error")
    a_create(payment, idempotency_key="", try_number=2)
    assert look("no-retry-4xx").outcome is Outcome.PASS, "without a key nothing tells calls apart"
