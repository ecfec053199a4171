"""What `--network` says of a gateway that is away, refuses the key, withholds headers, or lives at another time."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from django_flowlix.api.transport import Answer, TransportError
from django_flowlix.checklist import Outcome
from django_flowlix.checklist.question import Asked, _Listening, ask_gateway
from django_flowlix.models import ApiCall
from tests.checklist.looking import told
from tests.checklist.probes.conftest import HEADERS, LIMIT_HEADERS, a_list, a_payment
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

pytestmark = pytest.mark.django_db

LIVE_KEY = "_".join(["fl", "live", "sk", "n" * 24])
NETWORK_LINES = ("gateway-reachable", "key-accepted", "answer-headers", "clock")
REFUSED = {"error": {"type": "authentication_error", "code": "invalid_api_key", "message": "Invalid API key provided."}}


@pytest.fixture
def nobody_listens(settings: Any) -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    settings.FLOWLIX = {
        "default": {
            "SECRET_KEY": TEST_KEY,
            "API_URL": f"http://127.0.0.1:{port}",
            "BASE_URL": BASE_URL,
            "RETRY_BUDGET": 1,
        }
    }
    return int(port)


@pytest.mark.parametrize("line", NETWORK_LINES)
def test_without_a_network_the_cause_is_said_in_one_line(
    line: str, look: Any, nobody_listens: int, fake_clock: Any, caplog: Any
) -> None:
    found = look(line, "network")
    assert found.outcome is Outcome.FAIL
    (finding,) = found.findings
    assert "refused" in finding.looked_at.lower() or "NewConnectionError" in finding.looked_at
    assert "\n" not in finding.looked_at
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("line", NETWORK_LINES)
def test_without_the_option_nothing_is_asked(line: str, look: Any, server: Any, gateway: Any) -> None:
    gateway()
    found = look(line)
    assert found.outcome is Outcome.SKIP
    assert "--network" in found.findings[0].looked_at
    assert server.log == []


def test_all_lines_together_ask_for_the_list_once(server: Any, gateway: Any) -> None:
    from django_flowlix.checklist.context import Context
    from django_flowlix.checklist.running import run
    from django_flowlix.conf import account
    from tests.checklist.looking import item

    gateway()
    context = Context(account=account(), now=datetime.now(UTC), stages=frozenset({"network"}))
    run(context, [item(line) for line in NETWORK_LINES])
    assert [request.path for request, _ in server.log] == ["/", "/v1/payments"]
    call = ApiCall.objects.get()
    assert (call.operation, call.http_status, call.request_id) == ("list", 200, "req_list1")


# the gateway and its certificate


def test_plain_http_on_this_machine_is_said(look: Any, gateway: Any) -> None:
    found = look("gateway-reachable", "network")
    assert found.outcome is Outcome.WARN
    assert "without TLS" in told(found, Outcome.WARN)


@pytest.mark.parametrize(
    ("days", "outcome"),
    [(90, Outcome.PASS), (15, Outcome.PASS), (13, Outcome.WARN), (4, Outcome.WARN), (2, Outcome.FAIL)],
)
def test_a_certificate_that_ends_soon_is_noticed(
    days: int, outcome: Outcome, look: Any, over_tls: Any, ca_bundle: str, settings: Any
) -> None:
    until = datetime.now(UTC) + timedelta(days=days, hours=1)
    _configure_tls(settings, over_tls(until), ca_bundle)
    found = look("gateway-reachable", "network")
    assert found.outcome is outcome
    assert f"good until {until:%Y-%m-%d}" in told(found, outcome)


def test_an_expired_certificate_is_refused_and_named(look: Any, over_tls: Any, ca_bundle: str, settings: Any) -> None:
    _configure_tls(settings, over_tls(datetime(2020, 1, 1, tzinfo=UTC)), ca_bundle)
    found = look("gateway-reachable", "network")
    assert found.outcome is Outcome.FAIL
    assert "certificate has expired" in told(found, Outcome.FAIL)


def test_a_certificate_of_another_host_is_refused(look: Any, over_tls: Any, ca_bundle: str, settings: Any) -> None:
    _configure_tls(settings, over_tls(name="pay.example"), ca_bundle)
    assert "certificate is refused" in told(look("gateway-reachable", "network"), Outcome.FAIL)


def test_a_certificate_of_nobody_known_is_refused(look: Any, over_tls: Any, settings: Any) -> None:
    _configure_tls(settings, over_tls(), "")
    assert "certificate is refused" in told(look("gateway-reachable", "network"), Outcome.FAIL)


def _configure_tls(settings: Any, server: Any, ca_bundle: str) -> None:
    settings.FLOWLIX = {
        "default": {
            "SECRET_KEY": LIVE_KEY,
            "API_URL": f"https://127.0.0.1:{server.port}",
            "BASE_URL": "https://shop.example",
            "CA_BUNDLE": ca_bundle,
        }
    }


# the key


def test_a_key_that_lists_payments_of_its_mode_is_accepted(look: Any, gateway: Any) -> None:
    gateway()
    found = look("key-accepted", "network")
    assert found.outcome is Outcome.PASS
    assert "payments of test mode (request req_list1)" in told(found, Outcome.PASS)


def test_a_key_without_payments_is_accepted_and_its_mode_is_only_believed(look: Any, gateway: Any) -> None:
    gateway(body=a_list())
    found = look("key-accepted", "network")
    assert found.outcome is Outcome.PASS
    assert "prefix says test" in told(found, Outcome.NOTE)


def test_a_test_key_that_lists_live_payments_is_noticed(look: Any, gateway: Any) -> None:
    gateway(body=a_list(a_payment(), a_payment(id="pay_2", livemode=True)))
    found = look("key-accepted", "network")
    assert found.outcome is Outcome.FAIL
    assert "By its prefix the key is of test mode, but it lists payments of live mode" in told(found, Outcome.FAIL)


def test_a_revoked_key_is_noticed(look: Any, emulator: Any) -> None:
    emulator.revoke_key(TEST_KEY)
    found = look("key-accepted", "network")
    assert found.outcome is Outcome.FAIL
    assert "refuses the key" in told(found, Outcome.FAIL)
    assert "HTTP 401" in told(found, Outcome.FAIL)
    assert TEST_KEY not in repr(found)


def test_a_gateway_that_fails_is_not_a_refused_key(look: Any, gateway: Any, fake_clock: Any) -> None:
    gateway(status=503, body={"error": {"type": "api_error", "message": "down"}})
    found = look("key-accepted", "network")
    assert found.outcome is Outcome.SKIP
    assert "could not be asked: HTTP 503" in told(found, Outcome.SKIP)


def test_the_pause_that_all_processes_share_is_respected(look: Any, emulator: Any, fake_clock: Any) -> None:
    emulator.fault("list", "rate_limited", retry_after_seconds=40)
    assert look("key-accepted", "network").outcome is Outcome.SKIP
    fake_clock.advance(seconds=20)
    assert look("key-accepted", "network").outcome is Outcome.SKIP
    assert len(emulator.log("list")) == 1, "20 of 40 seconds are over"
    fake_clock.advance(seconds=10)
    assert look("key-accepted", "network").outcome is Outcome.PASS
    assert fake_clock.slept == [10]


def test_the_answer_of_a_try_before_is_not_that_of_one_that_got_none() -> None:
    class Line:
        answers = [Answer(503, {}, b""), TransportError("reset", sent=True)]

        def send(self, *args: Any, **kwargs: Any) -> Answer:
            answer = self.answers.pop(0)
            if isinstance(answer, TransportError):
                raise answer
            return answer

    line = _Listening(Line())  # type: ignore[arg-type]
    line.send("GET", "/", headers={})
    with pytest.raises(TransportError):
        line.send("GET", "/", headers={})
    assert line.answer is None


def test_one_page_of_the_list_is_enough(look: Any, server: Any, gateway: Any) -> None:
    page = [a_payment(id=f"pay_{number}") for number in range(100)]
    gateway(body=a_list(*page) | {"has_more": True})
    assert look("key-accepted", "network").outcome is Outcome.PASS
    assert len(server.log) == 1


# the headers


def test_answers_with_request_id_and_rate_limit_pass(look: Any, gateway: Any) -> None:
    gateway()
    found = look("answer-headers", "network")
    assert found.outcome is Outcome.PASS
    assert "req_list1" in told(found, Outcome.PASS)
    assert "100 a minute, 99 left" in told(found, Outcome.PASS)


def test_a_gateway_that_answers_without_a_request_id_is_noticed(look: Any, gateway: Any) -> None:
    gateway(headers=LIMIT_HEADERS)
    found = look("answer-headers", "network")
    assert found.outcome is Outcome.FAIL
    assert "HTTP 200 came without a request id" in told(found, Outcome.FAIL)


@pytest.mark.parametrize("missing", LIMIT_HEADERS)
def test_a_missing_rate_limit_header_is_noticed(missing: str, look: Any, gateway: Any) -> None:
    gateway(headers={name: value for name, value in HEADERS.items() if name != missing})
    found = look("answer-headers", "network")
    assert found.outcome is Outcome.WARN
    assert f"lacks {missing}" in told(found, Outcome.WARN)


def test_a_limit_below_the_one_that_is_counted_on_is_noticed(look: Any, gateway: Any) -> None:
    gateway(headers=HEADERS | {"X-RateLimit-Limit": "60"})
    found = look("answer-headers", "network")
    assert found.outcome is Outcome.WARN
    assert "Set REQUESTS_PER_MINUTE to 60" in told(found, Outcome.WARN)


def test_an_answer_to_a_refused_key_needs_no_rate_limit(look: Any, gateway: Any) -> None:
    gateway(status=401, headers={"Flowlix-Request-Id": "req_401"}, body=REFUSED)
    assert look("answer-headers", "network").outcome is Outcome.PASS


# the clock


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [
        (timedelta(0), Outcome.PASS),
        (timedelta(seconds=20), Outcome.PASS),
        (timedelta(seconds=40), Outcome.WARN),
        (timedelta(seconds=-40), Outcome.WARN),
        (timedelta(minutes=10), Outcome.FAIL),
        (timedelta(minutes=-10), Outcome.FAIL),
    ],
)
def test_a_clock_that_is_off_is_noticed(
    ahead: timedelta, outcome: Outcome, look: Any, gateway: Any, fake_clock: FakeClock
) -> None:
    gateway()
    fake_clock.current = datetime.now(UTC) + ahead
    found = look("clock", "network")
    assert found.outcome is outcome
    assert "differ by" in told(found, outcome)


def test_half_of_a_slow_answer_s_time_is_allowed_for(look: Any) -> None:
    answered_at = datetime.now(UTC)
    asked = Asked(
        answer=Answer(200, {"Date": format_datetime(answered_at - timedelta(seconds=40), usegmt=True)}, b""),
        sent_at=answered_at - timedelta(seconds=80),
        answered_at=answered_at,
    )
    assert look("clock", "network", _found={ask_gateway: asked}).outcome is Outcome.PASS


@pytest.mark.parametrize("date", ["", "rubbish", "Tue, 24 Nov 2026 12:00:00"])
def test_without_a_usable_date_nothing_is_claimed(date: str, look: Any) -> None:
    now = datetime.now(UTC)
    asked = Asked(answer=Answer(200, {"Date": date}, b""), sent_at=now, answered_at=now)
    found = look("clock", "network", _found={ask_gateway: asked})
    assert found.outcome is Outcome.SKIP
    assert "no Date" in told(found, Outcome.SKIP)
