"""`--scenarios` against the emulators of both contracts, and against gateways that do not do as they should."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from django_flowlix.api import IdempotencyError, InvalidRequestError, NotFoundError
from django_flowlix.checklist import Context, Outcome
from django_flowlix.checklist.probes import trials
from django_flowlix.checklist.trials.calls import Came, Repeated, pay_directly
from django_flowlix.conf import account
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.signals import SIGNALS
from tests.checklist.looking import told
from tests.checklist.probes.trying import LINES, LIVE_KEY, came, try_all
from tests.conftest import a_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def quick(dev_emulator_server: Any) -> None:
    """The emulator of contract dev decides at once."""
    dev_emulator_server.set_payment_delay(0)
    dev_emulator_server.set_refund_delay(0)


def test_everything_is_tried_out_at_the_synchronous_gateway(emulator: Any, fake_clock: Any) -> None:
    report = try_all()
    assert {line.item: line.outcome for line in report.lines} == dict.fromkeys(LINES, Outcome.PASS), report.lines
    outcomes, idempotency, errors, cycle = (told(line, Outcome.PASS) for line in report.lines)
    for word in (
        "4242 was accepted",
        "0002 was declined with generic_decline",
        "9995 was declined with insufficient_f",
    ):
        assert word in outcomes
    assert "Refund: 1.00 EUR of pay_" in outcomes
    assert "the same payment twice" in idempotency
    assert "HTTP 409" in idempotency
    assert [word in errors for word in ("HTTP 400", "HTTP 404", "HTTP 401")] == [True, True, True]
    assert [word in cycle for word in ("Session: pay_", "Redirect: ", "Return and verification: ")] == [True] * 3


def test_everything_is_tried_out_at_the_asynchronous_gateway(dev_emulator: Any, quick: None, fake_clock: Any) -> None:
    report = try_all()
    assert {line.item: line.outcome for line in report.lines} == dict.fromkeys(LINES, Outcome.PASS), report.lines
    assert "0002 was declined with do_not_honor" in told(report.lines[0], Outcome.PASS)


def test_what_is_made_is_on_record_and_told_from_orders(emulator: Any, fake_clock: Any) -> None:
    try_all()
    payment = Payment.objects.get()
    assert payment.from_checklist is True
    assert payment.order_reference.startswith("flowlix-check-")
    assert (payment.amount_minor, payment.amount_refunded_minor, payment.status) == (100, 100, "succeeded")
    assert Refund.objects.get().status == "succeeded"
    assert set(ApiCall.objects.values_list("operation", flat=True)) == {
        "list", "create_direct", "create_hosted", "retrieve", "refund",
    }  # fmt: skip
    assert not ApiCall.objects.filter(request_id="").exists()
    assert not ApiCall.objects.filter(method="POST", idempotency_key="").exists()


def test_the_merchant_s_code_is_not_told_of_what_is_no_order(emulator: Any, fake_clock: Any) -> None:
    called: list[str] = []

    def receiver(signal: Any, **kwargs: Any) -> None:
        called.append(kwargs["payment"].order_reference)

    for signal in SIGNALS.values():
        signal.connect(receiver)
    try:
        try_all()
    finally:
        for signal in SIGNALS.values():
            signal.disconnect(receiver)
    assert called == []
    assert not StatusChange.objects.exclude(signal="").exists()
    assert not StatusChange.objects.filter(deliver_at__isnull=False).exists()


@pytest.mark.parametrize("line", LINES)
def test_a_live_key_is_refused_before_any_request(line: str, look: Any, emulator: Any, settings: Any) -> None:
    settings.FLOWLIX = {
        "default": {"SECRET_KEY": LIVE_KEY, "API_URL": "https://127.0.0.1:9", "BASE_URL": "https://shop.example"}
    }
    found = look(line, "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "the key is live: nothing was sent" in told(found, Outcome.FAIL)
    assert ApiCall.objects.count() == Payment.objects.count() == 0


def test_a_second_run_makes_payments_of_its_own(emulator: Any, fake_clock: Any) -> None:
    try_all()
    try_all()
    assert Payment.objects.count() == 2


# gateways that do not do as they should


REFUSED = Came(error=InvalidRequestError("amount differs", status=422, request_id="req_8"))
CONFLICT = Came(error=IdempotencyError("key in use", status=409, request_id="req_9"))


@pytest.mark.parametrize(
    ("repeated", "words"),
    [
        (Repeated(came("pay_1"), came("pay_2"), CONFLICT), "brought pay_1"),
        (Repeated(came("pay_1"), CONFLICT, CONFLICT), "brought pay_1"),
        (Repeated(came("pay_1"), came("pay_1"), came("pay_1")), "was not refused with HTTP 409"),
        (Repeated(came("pay_1"), came("pay_1"), came("pay_3")), "was not refused with HTTP 409"),
        (Repeated(CONFLICT, CONFLICT, CONFLICT), "The first request failed"),
        (Repeated(came("pay_1"), came("pay_1"), REFUSED), "was not refused with HTTP 409"),
    ],
)
def test_a_gateway_that_forgets_its_keys_is_noticed(
    repeated: Repeated, words: str, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "repeat", lambda context: repeated)
    found = look("idempotency-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert words in told(found, Outcome.FAIL)


@pytest.mark.parametrize(
    "answer",
    [
        came(status="failed", decline_code="generic_decline"),
        came(status="failed"),
        came(status="pending"),
        CONFLICT,
    ],
)
def test_a_card_that_is_not_accepted_is_noticed(answer: Came, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "pay_directly", lambda context, number: answer)
    found = look("outcomes-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "4242 should have been accepted, and was not" in told(found, Outcome.FAIL)


@pytest.mark.parametrize("answer", [came(status="succeeded"), came(status="failed", decline_code="lost_card")])
def test_a_decline_that_does_not_come_is_noticed(answer: Came, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "pay_directly", lambda context, number: answer)
    found = look("outcomes-exercised", "scenarios")
    assert "9995 should have been declined with insufficient_funds, and was not" in told(found, Outcome.FAIL)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("send_invalid", "An invalid request"),
        ("ask_for_nothing", "A payment that does not exist"),
        ("call_with_wrong_key", "A wrong key"),
    ],
)
@pytest.mark.parametrize("answer", [came(), CONFLICT])
def test_an_error_that_does_not_come_is_noticed(
    call: str, what: str, answer: Came, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, call, lambda context: answer)
    found = look("errors-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert f"{what} did not lead to" in told(found, Outcome.FAIL)


def test_a_wrong_key_is_not_taken_for_a_missing_payment(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "call_with_wrong_key", lambda context: Came(error=NotFoundError("none", status=404)))
    assert look("errors-exercised", "scenarios").outcome is Outcome.FAIL


def test_a_refund_that_fails_is_noticed(emulator: Any, look: Any, fake_clock: Any) -> None:
    emulator.fault("refund", "status_before", status=422, times=9)
    found = look("outcomes-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "Refund: " in told(found, Outcome.FAIL)


# what stops a trial, and what says nothing


@pytest.mark.parametrize("line", LINES)
def test_a_refused_key_stops_all_of_it(line: str, emulator: Any, look: Any) -> None:
    emulator.revoke_key(account().secret_key.reveal())
    found = look(line, "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "could not be asked: HTTP 401" in told(found, Outcome.FAIL)
    assert {(entry.method, entry.path) for entry in emulator.log()} == {("GET", "/v1/payments")}


@pytest.mark.parametrize("line", LINES)
def test_a_key_that_lists_live_payments_stops_all_of_it(line: str, emulator: Any, look: Any) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    emulator.fault("list", "override", fields={"data": [a_listed(livemode=True)]})
    found = look(line, "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "lists live payments: nothing was tried out" in told(found, Outcome.FAIL)
    assert [entry.operation for entry in emulator.log()] == ["create_hosted", "list"]


def a_listed(**changes: Any) -> dict[str, Any]:
    return {"id": "pay_1", "amount": 100, "currency": "eur", "status": "succeeded"} | changes


def test_once_the_gateway_says_live_no_other_card_is_sent(emulator: Any, fake_clock: Any) -> None:
    emulator.fault("create_direct", "override", fields={"livemode": True}, times=3)
    report = try_all()
    assert {line.outcome for line in report.lines} == {Outcome.FAIL}
    assert "live, though the key's prefix says test: nothing more was tried" in told(report.lines[0], Outcome.FAIL)
    assert [entry.operation for entry in emulator.log()] == ["list", "create_direct"]


@pytest.mark.parametrize("fields", [{"amount": 999999}, {"currency": "usd"}])
def test_a_payment_over_another_amount_is_noticed(fields: dict[str, Any], emulator: Any, look: Any) -> None:
    emulator.fault("create_direct", "override", fields=fields)
    found = look("outcomes-exercised", "scenarios")
    assert "4242 should have been accepted, and was not" in told(found, Outcome.FAIL)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("kind", "options"), [("rate_limited", {"retry_after_seconds": 40}), ("status_before", {})])
def test_a_gateway_that_is_busy_or_failing_proves_nothing(
    line: str, kind: str, options: dict[str, Any], emulator: Any, look: Any, fake_clock: Any
) -> None:
    emulator.fault("list", kind, times=9, **options)
    found = look(line, "scenarios")
    assert found.outcome is Outcome.SKIP
    assert "could not be asked" in told(found, Outcome.SKIP)


def test_a_gateway_that_fails_between_two_requests_proves_nothing(emulator: Any, look: Any, fake_clock: Any) -> None:
    emulator.fault("create_hosted", "status_before", status=503, times=9)
    found = look("idempotency-exercised", "scenarios")
    assert found.outcome is Outcome.SKIP
    assert "HTTP 503" in told(found, Outcome.SKIP)
    emulator.fault("create_direct", "status_before", status=503, times=99)
    found = look("outcomes-exercised", "scenarios")
    assert "4242 could not be tried out: HTTP 503" in told(found, Outcome.SKIP)
    emulator.fault("retrieve", "status_before", status=503, times=9)
    assert "does not exist could not be tried out" in told(look("errors-exercised", "scenarios"), Outcome.SKIP)


def test_a_gateway_that_is_not_there_is_a_failure(look: Any, settings: Any, fake_clock: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"API_URL": "http://127.0.0.1:9"}}
    assert look("idempotency-exercised", "scenarios").outcome is Outcome.FAIL


def test_a_database_that_takes_no_record_stops_all_of_it(
    emulator: Any, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_flowlix.checklist.question._is_recorded", lambda gateway: False)
    found = look("outcomes-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "takes no record" in told(found, Outcome.FAIL)
    assert [entry.operation for entry in emulator.log()] == ["list"]


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nothing_is_sent(emulator: Any, look: Any) -> None:
    with transaction.atomic():
        found = look("outcomes-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "Inside atomic()" in told(found, Outcome.FAIL)
    assert emulator.log() == []


def test_the_gateway_s_message_and_the_return_address_stay_out_of_the_report(emulator: Any, fake_clock: Any) -> None:
    """A gateway may quote the request in its message: the token in the return address, or who pays."""
    message = "https://shop.example/flowlix/return/SECRETTOKEN/ is not public; flowlix-check@example.com has no mailbox"
    error = {"type": "invalid_request_error", "code": "parameter_invalid", "message": message, "request_id": "req_q"}
    emulator.fault("create_hosted", "status_before", status=400, times=9)
    emulator.fault("create_direct", "override", fields={"error": error}, times=9)
    report = try_all()
    assert "SECRETTOKEN" not in repr(report)
    assert "mailbox" not in repr(report)


def test_an_invalid_request_is_refused_for_its_amount_alone(emulator: Any, look: Any) -> None:
    look("errors-exercised", "scenarios")
    (entry,) = [entry for entry in emulator.log("create_hosted") if "invalid" in str(entry.idempotency_key)]
    assert entry.status == 400
    found = told(look("errors-exercised", "scenarios"), Outcome.PASS)
    assert "invalid_request_error/parameter_invalid" in found


def test_a_slow_gateway_has_a_minute_to_decide(dev_emulator: Any, dev_emulator_server: Any, fake_clock: Any) -> None:
    dev_emulator_server.set_payment_delay(None)
    answer = pay_directly(Context(account=account(), now=datetime.now(UTC)), "4111111111111111")
    assert answer.payment is not None
    assert answer.payment.gateway_status == "pending"
    assert sum(fake_clock.slept) == 60
