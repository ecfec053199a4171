"""What an HTTP answer means, however broken it is."""

from __future__ import annotations

import json

import pytest

from django_flowlix.api import errors
from django_flowlix.api.answers import json_value, malformed, outcome, rate_limit_remaining, request_id
from django_flowlix.api.contracts import MalformedObjectError
from django_flowlix.api.transport import Answer

NOW = 784111777.0
HTML = b"<!doctype html><title>Sign in to the hotel WiFi</title>ada@example.com"


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def error_of(given):
    with pytest.raises(errors.FlowlixError) as caught:
        json_value(given, "retrieve", now=NOW)
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("status", [200, 201])
def test_a_200_and_a_201_are_their_json(status):
    assert json_value(answer(status, {"id": "pay_1"}), "retrieve", now=NOW) == {"id": "pay_1"}


@pytest.mark.parametrize("body", [HTML, b"", b'{"id": "pay_1', b"NaN", b"[" * 100_000], ids=lambda body: repr(body[:9]))
@pytest.mark.parametrize("status", [200, 201])
def test_m1_m2_m4_an_unreadable_answer_is_described_and_never_quoted(status, body):
    error = error_of(answer(status, body, Content_Type="text/html", Request_Id="req_5"))
    assert type(error) is errors.UnreadableAnswerError
    assert error.ambiguous
    assert (error.status, error.request_id, error.operation) == (status, "req_5", "retrieve")
    assert error.message == f"the answer is not readable JSON (content type text/html, {len(body)} bytes)"


@pytest.mark.parametrize("status", [202, 204, 205, 206, 299, 300, 301, 302, 303, 304, 307, 308, 399, 101])
def test_m13_m14_other_statuses_below_400_are_no_answer(status):
    error = error_of(answer(status, {"id": "pay_1", "status": "succeeded"}, Location="https://evil.example/"))
    assert type(error) is errors.UnreadableAnswerError
    assert error.status == status
    assert "evil" not in str(error)


def test_the_gateways_words_are_taken_over(error_body):
    body = error_body(
        "card_error",
        code="card_declined",
        message="Declined.",
        param="card",
        decline_code="lost_card",
        request_id="req_body",
    )
    error = error_of(answer(402, body))
    assert type(error) is errors.CardError
    assert (error.type, error.code, error.param, error.decline_code) == (
        "card_error",
        "card_declined",
        "card",
        "lost_card",
    )
    assert (error.message, error.status, error.request_id) == ("Declined.", 402, "req_body")


BROKEN_BODIES = [
    HTML,
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b'{"error": null}',
    b'{"error": "no"}',
    b'{"error": ["no"]}',
    b'{"error": {}}',
    b'{"error": {"type": 5, "code": [], "message": {}, "param": true, "request_id": {"a": 1}, "decline_code": 7}}',
    b'{"error": {"type": null, "code": null, "message": "", "param": null, "request_id": null}}',
]


@pytest.mark.parametrize("body", BROKEN_BODIES, ids=lambda body: repr(body[:25]))
@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, errors.InvalidRequestError), (401, errors.AuthenticationError), (402, errors.CardError),
     (404, errors.NotFoundError), (409, errors.IdempotencyError), (429, errors.RateLimitError),
     (500, errors.ApiError), (502, errors.ApiError)],
)  # fmt: skip
def test_m12_an_error_without_its_words_is_classified_by_its_status(status, expected, body):
    error = error_of(answer(status, body))
    assert type(error) is expected
    assert (error.type, error.code, error.param, error.decline_code, error.request_id) == ("", "", "", "", "")
    assert error.message == f"the gateway answered HTTP {status}"
    assert error.settles_earlier_tries is False


def test_a_422_with_a_card_error_is_a_decline(error_body):
    assert type(error_of(answer(422, error_body("card_error")))) is errors.CardError
    assert type(error_of(answer(422, error_body()))) is errors.InvalidRequestError


@pytest.mark.parametrize("name", ["Flowlix-Request-Id", "Request-Id", "X-Request-Id"])
def test_the_request_id_is_found_under_every_name(name):
    assert request_id(Answer(200, {name: "req_1"}, b"{}")) == "req_1"


def test_the_request_id_of_the_header_comes_first_then_that_of_the_body(error_body):
    assert request_id(answer(500, error_body(request_id="req_body"), Request_Id="req_head")) == "req_head"
    assert request_id(answer(500, error_body(request_id="req_body"))) == "req_body"
    assert request_id(answer(200, {"error": {"request_id": "req_body"}})) == ""


def test_m18_a_request_id_cannot_break_a_line_or_carry_a_secret(error_body):
    key = "_".join(["fl", "live", "sk", "Tr0ub4dor"])
    assert request_id(answer(500, error_body(request_id="req\r\nSet-Cookie: x\x1b[0m"))) == (
        "req\\r\\nSet-Cookie: x\\x1b[0m"
    )
    assert request_id(answer(200, Request_Id=f"{key} 4242424242424242")) == "fl_live_sk_**** ****4242"
    assert len(request_id(answer(200, Request_Id="r" * 100_000))) == 255


def test_l5_l6_every_word_of_an_error_is_masked_on_one_line_and_short(error_body):
    evil = "4242 4242\n4242 4242 " + "x" * 500
    fields = dict.fromkeys(["code", "param", "decline_code"], evil)
    error = error_of(answer(400, error_body(evil, message=evil * 9000, **fields)))
    for word in (error.type, error.code, error.param, error.decline_code):
        assert len(word) == 64
        assert word.startswith("****4242 x")
    assert len(error.message) == 300
    assert "4242 4242" not in error.message
    assert "\n" not in str(error)


@pytest.mark.parametrize(("status", "seconds"), [(429, 30.0), (503, None), (500, None), (409, None), (400, None)])
def test_retry_after_counts_where_it_means_something(status, seconds):
    assert error_of(answer(status, Retry_After="30")).retry_after_seconds == seconds


def test_r2_r4_retry_after_as_a_date_and_as_rubbish():
    assert error_of(answer(429, Retry_After="Sun, 06 Nov 1994 08:50:37 GMT")).retry_after_seconds == 60.0
    assert error_of(answer(429, Retry_After="soon")).retry_after_seconds is None


@pytest.mark.parametrize(
    ("header", "remaining"),
    [("99", 99), ("0", 0), ("", None), ("-1", None), ("1.5", None), ("many", None), ("²", None), ("9" * 400, None)],
)
def test_r9_the_remaining_budget_is_read_or_unknown(header, remaining):
    assert rate_limit_remaining(answer(200, X_RateLimit_Remaining=header)) == remaining
    assert rate_limit_remaining(answer(200)) is None


def test_a_malformed_object_is_an_answer_that_cannot_be_used():
    error = malformed(answer(201, b"{}", Request_Id="req_3"), "create_hosted", MalformedObjectError("id is missing"))
    assert type(error) is errors.UnreadableAnswerError
    assert str(error) == (
        "create_hosted: id is missing (content type none, 2 bytes) (HTTP 201, request req_3, outcome unknown)"
    )


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (None, "ok"),
        (errors.NotSentError("x"), "not_sent"),
        (errors.NoAnswerError("x"), "unknown"),
        (errors.UnreadableAnswerError("x"), "unknown"),
        (errors.ApiError("x"), "unknown"),
        (errors.IdempotencyError("x"), "unknown"),
        (errors.CardError("x"), "error"),
        (errors.RateLimitError("x"), "error"),
    ],
)
def test_the_record_names_the_outcome_of_a_try(error, name):
    assert outcome(error) == name


def test_m1_the_repr_of_an_answer_shows_neither_headers_nor_body():
    assert repr(answer(200, HTML, Set_Cookie="session=1")) == "Answer(status=200)"
