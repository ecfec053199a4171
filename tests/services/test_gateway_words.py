"""Codes of the gateway in log lines and spans: a word that a program wrote, never a sentence about somebody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_flowlix.conf import accounts
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import event_log, spans, start_payment, sync_payment
from django_flowlix.services.gateway_words import gateway_word
from tests.conftest import FakeClock, a_request
from tests.services.test_event_log import facts
from tests.spans import Spans, attributes, listening

WORDS = ("decline_code", "error_type", "error_code")
SENTENCE = "declined for Ada Lovelace"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Spans:
    return listening(monkeypatch)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("", ""),
        ("insufficient_funds", "insufficient_funds"),
        ("code_2", "code_2"),
        ("05", "05"),
        ("a" * 64, "a" * 64),
        ("a" * 65, "other"),
        ("Ada", "other"),
        ("ada lovelace", "other"),
        ("ada@example.com", "other"),
        ("insufficient_funds\n", "other"),
        ("caf\u00e9", "other"),
        ("\u0664\u0662", "other"),
        ("4242424242424242", "other"),
        ("NoAnswerError", "NoAnswerError"),
        ("NotSentError", "NotSentError"),
        ("AdaError", "other"),
        ("FlowlixErrors", "other"),
    ],
)
def test_only_a_word_is_shown(word: str, shown: str) -> None:
    assert gateway_word(word) == shown


def a_call(**words: str) -> ApiCall:
    return ApiCall(
        account="default",
        livemode=False,
        operation="retrieve",
        method="GET",
        try_number=1,
        http_status=500,
        outcome="unknown",
        duration_ms=3,
        **words,
    )


@pytest.mark.parametrize("name", WORDS)
def test_no_exchange_tells_a_sentence(name: str, caplog: pytest.LogCaptureFixture, listener: Spans) -> None:
    call = a_call(**{name: SENTENCE})
    event_log.exchanged(call)
    spans.exchanged(call, accounts()["default"])

    (record,) = caplog.records
    assert record.getMessage().endswith(f" {name}=other")
    assert facts(record)[name] == "other"
    (span,) = listener.get_finished_spans()
    assert "other" in attributes(span).values()
    assert "Ada" not in f"{vars(record)} {span.to_json()}"


@pytest.mark.django_db(transaction=True)
def test_no_change_tells_a_sentence(
    emulator: EmulatorServer, fake_clock: FakeClock, caplog: pytest.LogCaptureFixture, listener: Spans
) -> None:
    caplog.set_level("DEBUG", logger="django_flowlix")
    payment = start_payment(a_request())
    emulator.decline(str(payment.gateway_id), "insufficient_funds")
    emulator.fault("retrieve", "override", fields={"decline_code": SENTENCE})
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    payment.refresh_from_db()
    assert payment.decline_code == SENTENCE, "the database and the admin have it"
    assert facts(caplog.records[-1])["decline_code"] == "other"
    assert attributes(listener.one("flowlix.sync_payment"))["flowlix.payment.decline_code"] == "other"
    told = "".join(f"{vars(record)}" for record in caplog.records)
    assert "Ada" not in told + "".join(span.to_json() for span in listener.get_finished_spans())


@pytest.mark.django_db(transaction=True)
def test_no_refund_tells_a_sentence(
    make_paid: Callable[..., Payment],
    gateway_of: Callable[[str], EmulatorServer],
    caplog: pytest.LogCaptureFixture,
    listener: Spans,
) -> None:
    payment = make_paid(gateway_of("dev"))
    refund = Refund(pk=7, payment=payment, account="default", decline_code=SENTENCE, status="failed", amount_minor=1)
    caplog.clear()
    event_log.refund_changed(StatusChange(from_status="created", to_status="failed"), refund)
    spans.traced("x")(lambda row: row)(refund)

    assert facts(caplog.records[-1])["decline_code"] == "other"
    assert attributes(listener.one("flowlix.x"))["flowlix.refund.decline_code"] == "other"
