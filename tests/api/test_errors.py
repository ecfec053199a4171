"""One class per cause; what each leaves open; nothing secret in any; all of them survive a queue."""

from __future__ import annotations

import copy
import pickle

import pytest

from django_flowlix.api import errors
from django_flowlix.api.errors import FlowlixError, error_class, gateway_text

KEY = "_".join(["fl", "live", "sk", "Tr0ub4dor"])
PAN = "4242 4242 4242 4242"

CLASSES = [
    errors.RequestInvalidError,
    errors.NotSentError,
    errors.NoAnswerError,
    errors.UnreadableAnswerError,
    errors.AnsweredError,
    errors.CardError,
    errors.InvalidRequestError,
    errors.NotFoundError,
    errors.AuthenticationError,
    errors.IdempotencyError,
    errors.RateLimitError,
    errors.ApiError,
]
FACTS = {
    "operation": "create_hosted",
    "status": 422,
    "type": "invalid_request_error",
    "code": "parameter_missing",
    "param": "customer",
    "decline_code": "generic_decline",
    "request_id": "req_77",
    "retry_after_seconds": 2.5,
}


def test_the_list_above_is_the_whole_tree():
    found, new = set(), {FlowlixError}
    while new:
        new = {child for parent in new for child in parent.__subclasses__()} - found
        found |= new
    assert found == set(CLASSES)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_survives_pickling_with_all_it_says(cls, protocol):
    if cls is errors.RequestInvalidError:
        error = cls("description is too long", faults=("description is too long",), operation="create_hosted")
    else:
        error = cls("No.", **FACTS)
    error.outcome_unknown = not cls.ambiguous
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)
        assert twin.args == error.args


@pytest.mark.parametrize(
    ("status", "type_", "expected"),
    [
        (400, "invalid_request_error", errors.InvalidRequestError),
        (401, "authentication_error", errors.AuthenticationError),
        (402, "card_error", errors.CardError),
        (402, "", errors.CardError),
        (403, "authentication_error", errors.AuthenticationError),
        (404, "invalid_request_error", errors.NotFoundError),
        (405, "", errors.InvalidRequestError),
        (408, "", errors.ApiError),
        (409, "idempotency_error", errors.IdempotencyError),
        (413, "", errors.InvalidRequestError),
        (421, "", errors.ApiError),
        (422, "invalid_request_error", errors.InvalidRequestError),
        (422, "card_error", errors.CardError),
        (425, "", errors.ApiError),
        (429, "rate_limit_error", errors.RateLimitError),
        (500, "api_error", errors.ApiError),
        (503, "invalid_request_error", errors.ApiError),
        (599, "", errors.ApiError),
        (999, "", errors.ApiError),
    ],
)
def test_m12_the_status_decides_the_class_whatever_the_body_says(status, type_, expected):
    assert error_class(status, type_) is expected


AMBIGUOUS = {errors.NoAnswerError, errors.UnreadableAnswerError, errors.IdempotencyError, errors.ApiError}
SETTLING = {errors.CardError, errors.InvalidRequestError}


@pytest.mark.parametrize("cls", CLASSES)
def test_what_one_answer_leaves_open(cls):
    assert cls("No.").outcome_unknown is (cls in AMBIGUOUS)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls is not errors.RequestInvalidError])
def test_only_the_gateways_own_refusal_settles_earlier_tries(cls):
    assert cls("No.", type="invalid_request_error").settles_earlier_tries is (cls in SETTLING)
    assert cls("<html>Bad request</html>").settles_earlier_tries is False


def test_l6_a_gateway_text_that_echoes_a_key_or_a_card_is_masked_everywhere():
    error = errors.InvalidRequestError(f"key {KEY} cannot charge {PAN}")
    for shown in (str(error), repr(error), repr(vars(error)), repr(error.args)):
        assert "Tr0ub4dor" not in shown
        assert PAN not in shown
    assert error.message == "key fl_live_sk_**** cannot charge ****4242"


def test_l6_a_card_number_is_masked_even_where_line_breaks_or_the_cut_run_through_it():
    assert "4242 4242" not in errors.ApiError(PAN.replace(" ", "\n")).message.replace("\\n", " ")
    assert "4242 4242" not in errors.ApiError("x" * 285 + " " + PAN).message


def test_l5_line_breaks_and_escapes_cannot_forge_log_lines():
    assert errors.ApiError("a\r\nINFO paid\x1b[31m\u2028").message == "a\\r\\nINFO paid\\x1b[31m\\u2028"


def test_l5_a_text_is_cut_and_costs_little_however_long_it_is():
    assert len(errors.ApiError("word " * 200_000).message) == 300
    assert gateway_text("4 " * 500_000, 300) == ""


def test_half_a_card_number_at_the_end_of_what_is_searched_is_dropped():
    hidden = "Bearer " + "x" * 4075 + " at " + PAN
    assert gateway_text(hidden, 300) == "Bearer **** at"


def test_the_text_names_what_is_known_and_what_is_not():
    error = errors.ApiError("It broke.", operation="refund", status=503, type="api_error", request_id="req_9")
    assert str(error) == "refund: It broke. (HTTP 503, api_error, request req_9, outcome unknown)"
    assert str(errors.NotSentError("ConnectionError")) == "ConnectionError"
    assert str(errors.CardError("No.", type="card_error", code="c", param="p", decline_code="d")) == (
        "No. (card_error/c, param p, decline d)"
    )


def test_all_faults_of_a_request_stand_in_its_text():
    faults = tuple(f"customer.field_{n} is missing" for n in range(50))
    error = errors.RequestInvalidError("; ".join(faults), faults=faults)
    assert all(fault in str(error) for fault in faults)
    assert isinstance(error, ValueError)
