"""One logical call: spacing, certainty, the deadline, and what the observer is told. Against a scripted transport."""

from __future__ import annotations

import json

import pytest

from django_flowlix.api import errors
from django_flowlix.api.calls import Call, Timing
from django_flowlix.api.contracts import MalformedObjectError
from django_flowlix.api.secret import Secret
from django_flowlix.api.transport import Answer, AnswerTooLargeError, TransportError

NOT_SENT = TransportError("ConnectionError: ConnectionRefusedError", sent=False)
NO_ANSWER = TransportError("ReadTimeout: TimeoutError", sent=True)
TOO_LARGE = AnswerTooLargeError("answer over 1048576 bytes", sent=True)
OK = Answer(201, {"Request-Id": "req_ok"}, b'{"id": "pay_1"}')
HTML = Answer(200, {}, b"<html>")


def refusal(status, type_="invalid_request_error", **headers):
    body = {"error": {"type": type_, "code": "c", "message": "No.", "request_id": f"req_{status}"}} if type_ else {}
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


class ScriptedTransport:
    """Answers in turn, the last one for ever; each try takes `seconds`."""

    def __init__(self, clock, *script, seconds=0.0):
        self._clock, self._script, self._seconds = clock, list(script), seconds
        self.sent = []

    def send(self, method, path, **request):
        self.sent.append({"method": method, "path": path, **request})
        self._clock.advance(min(self._seconds, request["timeout_seconds"][1]))
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, TransportError):
            raise step
        return step


class Observer:
    def __init__(self):
        self.told = []

    def exchanged(self, exchange):
        self.told.append(exchange)

    def waiting(self, seconds):
        self.told.append(seconds)

    @property
    def exchanges(self):
        return [entry for entry in self.told if not isinstance(entry, float)]


class Attempt:
    """A call with everything around it at hand."""

    def __init__(self, clock, *script, method="POST", chance=0.0, deadline=1000.0, seconds=0.0, observer=None):
        self.transport = ScriptedTransport(clock, *script, seconds=seconds)
        self.observer = observer or Observer()
        self.call = Call(
            transport=self.transport,
            timing=Timing(
                sleep=clock.sleep,
                monotonic=clock.monotonic,
                now=lambda: 784111777.0,
                chance=lambda: chance,
                timeout_seconds=(3.0, 8.0),
                deadline_seconds=deadline,
            ),
            observer=self.observer,
            operation="create_hosted",
            method=method,
            path="/v1/payments/hpp",
            headers={"Idempotency-Key": "payment-order-1001"},
            body=Secret('{"amount":4999}'),
        )

    def error(self):
        with pytest.raises(errors.FlowlixError) as caught:
            self.call.run(lambda data: data)
        return caught.value


@pytest.mark.parametrize(
    "step",
    [NOT_SENT, NO_ANSWER, TOO_LARGE, HTML, Answer(204, {}, b""), refusal(409, "idempotency_error"),
     *(refusal(status, "api_error") for status in (500, 502, 503, 504, 408, 421, 425))],
    ids=str,
)  # fmt: skip
def test_n1_n2_n5_i7_n8_four_tries_after_one_two_and_four_seconds(step, clock):
    attempt = Attempt(clock, step)
    attempt.error()
    assert clock.slept == [1, 2, 4]
    assert len(attempt.transport.sent) == 4


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_n5_jitter_lengthens_waits_and_never_shortens_them(chance, clock):
    Attempt(clock, refusal(500), chance=chance).error()
    assert [int(slept) for slept in clock.slept] == [1, 2, 4]
    assert all(least <= slept <= least * 1.1 for least, slept in zip([1, 2, 4], clock.slept, strict=True))


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_n5_a_gateway_that_recovers_is_believed(failures, clock):
    attempt = Attempt(clock, *[refusal(503)] * failures, OK)
    assert attempt.call.run(lambda data: data) == {"id": "pay_1"}
    assert attempt.call.request_id == "req_ok"
    assert clock.slept == [1, 2, 4][:failures]


def test_i5_i10_every_try_carries_the_same_key_and_the_same_bytes(clock):
    attempt = Attempt(clock, refusal(500))
    attempt.error()
    requests = [{k: v for k, v in sent.items() if k != "timeout_seconds"} for sent in attempt.transport.sent]
    assert requests == [requests[0]] * 4
    assert requests[0]["body"].reveal() == '{"amount":4999}'
    assert requests[0]["headers"]["Idempotency-Key"] == "payment-order-1001"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 431, 451])
def test_p8_any_other_4xx_is_exactly_one_request(status, clock):
    attempt = Attempt(clock, refusal(status))
    assert attempt.error().outcome_unknown is False
    assert (len(attempt.transport.sent), clock.slept) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_m14_a_redirect_is_one_request_and_leaves_the_outcome_unknown(status, clock):
    attempt = Attempt(clock, refusal(status, "", Location="https://evil.example/"))
    error = attempt.error()
    assert type(error) is errors.UnreadableAnswerError
    assert error.outcome_unknown
    assert (len(attempt.transport.sent), clock.slept) == (1, [])


def test_r1_a_429_waits_what_it_is_told(clock):
    attempt = Attempt(clock, refusal(429, "rate_limit_error", Retry_After="17"), OK)
    attempt.call.run(lambda data: data)
    assert clock.slept == [17]


def test_r2_a_429_waits_until_a_date(clock):
    Attempt(clock, refusal(429, Retry_After="Sunday, 06-Nov-94 08:50:07 GMT"), OK).call.run(lambda data: data)
    assert clock.slept == [30]


def test_r3_a_gateway_that_says_at_once_for_ever_is_not_hammered_for_ever(clock):
    attempt = Attempt(clock, refusal(429, Retry_After="0"), chance=0.5)
    assert attempt.error().outcome_unknown is False
    assert len(attempt.transport.sent) == 7
    assert all(0 < slept <= 0.1 for slept in clock.slept)


@pytest.mark.parametrize("header", [{}, {"Retry_After": "soon"}, {"Retry_After": "-5"}, {"Retry_After": "30, 60"}])
def test_r4_r8_without_a_usable_header_a_429_backs_off(header, clock):
    attempt = Attempt(clock, refusal(429, "rate_limit_error", **header))
    error = attempt.error()
    assert clock.slept == [1, 2, 4, 8, 16, 30]
    assert error.retry_after_seconds == 30
    assert [exchange.retry_after_seconds for exchange in attempt.observer.exchanges] == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("header", ["1000000000", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "25"])
def test_r5_r7_a_wait_beyond_the_deadline_is_handed_over_instead(header, clock):
    attempt = Attempt(clock, refusal(429, "rate_limit_error", Retry_After=header), deadline=20.0, chance=0.9)
    error = attempt.error()
    assert (len(attempt.transport.sent), clock.slept) == (1, [])
    assert type(error) is errors.RateLimitError
    assert error.retry_after_seconds == min(float(header) if header.isdigit() else 1e9, 3600.0)
    assert error.outcome_unknown is False


def test_n5_no_wait_passes_the_deadline_and_the_error_says_when_to_come_back(clock):
    attempt = Attempt(clock, refusal(500), deadline=6.9)
    error = attempt.error()
    assert clock.slept == [1, 2]
    assert error.retry_after_seconds == 4
    assert clock.seconds - 1000.0 <= 6.9


@pytest.mark.parametrize("deadline", [0.0, 1.0, 1.04])
def test_a_wait_that_leaves_no_time_for_a_try_is_not_begun(deadline, clock):
    attempt = Attempt(clock, NOT_SENT, deadline=deadline)
    assert attempt.error().outcome_unknown is False
    assert (len(attempt.transport.sent), clock.slept) == (1, [])


def test_n7_the_deadline_covers_reads_and_waits_together(clock):
    attempt = Attempt(clock, NO_ANSWER, deadline=20.0, seconds=8.0)
    assert attempt.error().outcome_unknown
    assert [sent["timeout_seconds"] for sent in attempt.transport.sent] == [(3.0, 8.0), (3.0, 8.0), (1.0, 1.0)]
    assert clock.slept == [1, 2]
    assert clock.seconds - 1000.0 == 20.0


UNAUTHORIZED, DECLINED, INVALID = refusal(401), refusal(402, "card_error"), refusal(422)
CERTAINTY = [
    ("n1 refused always", [NOT_SENT], False),
    ("n2 no answer always", [NO_ANSWER], True),
    ("n2 n1 no answer, then refused", [NO_ANSWER, NOT_SENT], True),
    ("n1 n2 refused, then no answer", [NOT_SENT, NO_ANSWER], True),
    ("k5 unauthorized", [UNAUTHORIZED], False),
    ("n2 k5 no answer, then unauthorized", [NO_ANSWER, UNAUTHORIZED], True),
    ("n1 k5 refused, then unauthorized", [NOT_SENT, UNAUTHORIZED], False),
    ("n5 k5 5xx, then unauthorized", [refusal(500), UNAUTHORIZED], True),
    ("n2 declined after no answer", [NO_ANSWER, DECLINED], False),
    ("n2 invalid after no answer", [NO_ANSWER, INVALID], False),
    ("n5 invalid after 5xx", [refusal(502), INVALID], False),
    ("n2 not found after no answer", [NO_ANSWER, refusal(404)], True),
    ("m12 a firewall's 400 after no answer", [NO_ANSWER, refusal(400, "")], True),
    ("m12 a firewall's 400 alone", [refusal(400, "")], False),
    ("n2 r7 no answer, then 429", [NO_ANSWER, refusal(429, Retry_After="9999")], True),
    ("r7 429 alone", [refusal(429, Retry_After="9999")], False),
    ("i6 409 always", [refusal(409, "idempotency_error")], True),
    ("m1 html always", [HTML], True),
    ("m3 too large", [TOO_LARGE], True),
    ("n5 5xx always", [refusal(500)], True),
]


@pytest.mark.parametrize(("script", "unknown"), [case[1:] for case in CERTAINTY], ids=[case[0] for case in CERTAINTY])
def test_p5_all_tries_together_tell_whether_the_outcome_is_known(script, unknown, clock):
    assert Attempt(clock, *script).error().outcome_unknown is unknown


@pytest.mark.parametrize("script", [[NO_ANSWER], [HTML], [refusal(500)], [NO_ANSWER, UNAUTHORIZED]])
def test_n11_a_get_changes_nothing_so_its_outcome_is_never_unknown(script, clock):
    assert Attempt(clock, *script, method="GET").error().outcome_unknown is False


@pytest.mark.parametrize(
    ("step", "expected"),
    [(NOT_SENT, errors.NotSentError), (NO_ANSWER, errors.NoAnswerError), (TOO_LARGE, errors.UnreadableAnswerError)],
)
def test_a_failed_exchange_becomes_the_error_of_its_kind(step, expected, clock):
    error = Attempt(clock, step).error()
    assert type(error) is expected
    assert error.operation == "create_hosted"
    assert error.message == str(step)


def test_m10_an_object_the_reader_refuses_is_tried_again_and_then_unknown(clock):
    attempt = Attempt(clock, OK)

    def read(data):
        raise MalformedObjectError("id is missing")

    with pytest.raises(errors.UnreadableAnswerError, match="id is missing") as caught:
        attempt.call.run(read)
    assert caught.value.outcome_unknown
    assert caught.value.request_id == "req_ok"
    assert clock.slept == [1, 2, 4]


def test_p9_the_observer_is_told_of_every_try_and_of_every_wait_before_it_begins(clock):
    limited = refusal(429, "rate_limit_error", Retry_After="3", X_RateLimit_Remaining="0")
    attempt = Attempt(clock, NO_ANSWER, limited, OK, seconds=0.25)
    attempt.call.run(lambda data: data)
    first, wait_1, second, wait_2, third = attempt.observer.told
    assert (wait_1, wait_2) == (1.0, 3.0)
    assert {(e.operation, e.method, e.path, e.idempotency_key) for e in (first, second, third)} == {
        ("create_hosted", "POST", "/v1/payments/hpp", "payment-order-1001")
    }
    assert [(e.try_number, e.outcome, e.http_status, e.request_id) for e in (first, second, third)] == [
        (1, "unknown", None, ""),
        (2, "error", 429, "req_429"),
        (3, "ok", 201, "req_ok"),
    ]
    assert [e.duration_ms for e in (first, second, third)] == [250, 250, 250]
    assert [(e.error_type, e.error_code) for e in (first, second, third)] == [
        ("NoAnswerError", ""),
        ("rate_limit_error", "c"),
        ("", ""),
    ]
    assert (second.rate_limit_remaining, second.retry_after_seconds) == (0, 3.0)


def test_an_observer_that_fails_is_not_mistaken_for_the_gateway(clock):
    class Broken(Observer):
        def exchanged(self, exchange):
            raise OSError("the database has gone")

    attempt = Attempt(clock, refusal(500), observer=Broken())
    with pytest.raises(OSError, match="database"):
        attempt.call.run(lambda data: data)
    assert len(attempt.transport.sent) == 1


def test_c8_a_worker_told_to_stop_stops(clock):
    class Interrupting(ScriptedTransport):
        def send(self, method, path, **request):
            super().send(method, path, **request)
            raise SystemExit(1)

    attempt = Attempt(clock, OK)
    attempt.call.transport = Interrupting(clock, OK)
    with pytest.raises(SystemExit):
        attempt.call.run(lambda data: data)
    assert clock.slept == []
