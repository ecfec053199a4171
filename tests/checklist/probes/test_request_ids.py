"""request-ids-stored: an answer of the gateway that leaves no request id is noticed, one of a proxy is told apart."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import a_call, ago, live
from tests.services.monitoring import happened

pytestmark = pytest.mark.django_db


def test_without_answers_nothing_is_proven(look: Any) -> None:
    a_call(http_status=None, request_id="", outcome="not_sent", error_type="NotSentError")
    found = look("request-ids-stored")
    assert found.outcome is Outcome.SKIP
    assert "No answer on record yet" in told(found, Outcome.SKIP)


def test_answers_with_their_ids_pass(look: Any) -> None:
    a_call()
    a_call(http_status=402, outcome="error", error_type="card_error")
    found = look("request-ids-stored")
    assert found.outcome is Outcome.PASS
    assert "Each of 2 answers among all gateway calls in test mode" in told(found, Outcome.PASS)


@pytest.mark.parametrize("answer", [{}, {"http_status": 422, "outcome": "error", "error_type": "card_error"}])
def test_an_answer_without_an_id_is_noticed(look: Any, settings: Any, answer: dict[str, Any]) -> None:
    a_call()
    a_call(request_id="", operation="refund", **answer)
    found = look("request-ids-stored")
    assert found.outcome is Outcome.FAIL
    assert "1 of 2 answers" in told(found, Outcome.FAIL)
    assert "such as refund at " in told(found, Outcome.FAIL)
    live(settings)
    assert look("request-ids-stored").outcome is Outcome.SKIP, "it is an answer of the other mode"


def test_what_failed_before_the_gateway_is_said_and_not_held_against_it(look: Any) -> None:
    a_call()
    a_call(http_status=503, request_id="", outcome="unknown", error_type="ApiError")
    a_call(http_status=403, request_id="", outcome="error", error_type="AuthenticationError")
    a_call(http_status=200, request_id="", outcome="unknown", error_type="UnreadableAnswerError")
    found = look("request-ids-stored")
    assert found.outcome is Outcome.PASS
    assert "Each of 1 answers" in told(found, Outcome.PASS)
    assert "1 answers of 5xx brought no request id" in told(found, Outcome.NOTE)
    assert "2 answers brought neither a request id nor a type" in told(found, Outcome.NOTE)


def test_answers_of_a_proxy_alone_prove_nothing(look: Any) -> None:
    a_call(http_status=403, request_id="", outcome="error", error_type="AuthenticationError")
    assert look("request-ids-stored").outcome is Outcome.SKIP


def test_an_answer_without_an_id_of_long_ago_is_said_and_counts_no_more(look: Any) -> None:
    a_call(ago(days=8), request_id="", operation="refund")
    happened.calls(199, ago(hours=1))
    assert "1 of 200 answers" in told(look("request-ids-stored"), Outcome.FAIL), "it is among the latest 200"
    a_call()
    found = look("request-ids-stored")
    assert found.outcome is Outcome.PASS
    assert "Each of 200 answers among the gateway calls of the last 7 days and the latest 200 in test mode" in told(
        found, Outcome.PASS
    )
    assert "Earlier, 1 answers left no request id" in told(found, Outcome.NOTE)


def test_however_busy_a_week_is_an_answer_without_an_id_counts_all_of_it(look: Any) -> None:
    a_call(ago(days=6), request_id="")
    happened.calls(300, ago(hours=1))
    assert "1 of 301 answers" in told(look("request-ids-stored"), Outcome.FAIL)
