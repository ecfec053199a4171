"""error-types: every documented error becomes the exception of its kind, with its words."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.api import ApiError, InvalidRequestError, answers, calls
from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import configured, live

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_all_documented_errors_are_told_apart(look: Any, settings: Any, contract: str) -> None:
    configured(settings, CONTRACT=contract)
    said = told(look("error-types"), Outcome.PASS)
    assert "Rehearsed without a network" in said
    for kind in ("api", "authentication", "card", "idempotency", "invalid_request", "rate_limit"):
        assert f"{kind}_error" in said


def test_they_are_rehearsed_with_a_live_key_too(look: Any, settings: Any) -> None:
    live(settings)
    assert "Rehearsed without a network" in told(look("error-types"), Outcome.PASS)


def test_an_error_of_another_kind_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "error_class", lambda status, kind: InvalidRequestError)
    said = told(look("error-types"), Outcome.FAIL)
    assert "402 card_error becomes InvalidRequestError, not CardError" in said
    assert "429 rate_limit_error becomes InvalidRequestError, not RateLimitError" in said


def test_lost_words_are_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "request_id", lambda answer: "")
    assert "402 card_error loses its type, code, decline code or request id" in told(look("error-types"), Outcome.FAIL)


def test_an_unknown_outcome_that_is_taken_for_a_failure_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiError, "ambiguous", False)
    assert "500 api_error is taken for final, which it is not" in told(look("error-types"), Outcome.FAIL)


def test_an_error_that_is_swallowed_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls.Call, "run", lambda self, read: None)
    assert "503 api_error becomes no error, not ApiError" in told(look("error-types"), Outcome.FAIL)


def test_a_time_out_too_short_for_any_answer_is_noticed(look: Any, settings: Any) -> None:
    configured(settings, TIMEOUT=0.2)
    said = told(look("error-types"), Outcome.FAIL)
    assert "401 authentication_error becomes NoAnswerError, not AuthenticationError" in said
    assert "Set TIMEOUT to a second or more" in said
