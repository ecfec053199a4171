"""One line per exchange with the gateway and per change of a payment or refund, the request id always in it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentError, PaymentRejected, PaymentUnconfirmed, RefundRejected
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import event_log, refund_payment, start_payment, sync_payment, transitions
from django_flowlix.services.holds import put_on_hold, release_hold
from django_flowlix.services.reviews import mark_reviewed
from django_flowlix.statuses import PaymentStatus
from tests.conftest import CUSTOMER, TEST_KEY, FakeClock, a_request

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "logs.md"
EXCHANGES, TRANSITIONS = "django_flowlix.exchanges", "django_flowlix.transitions"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="django_flowlix")
    return caplog


def records(log: pytest.LogCaptureFixture, name: str) -> list[logging.LogRecord]:
    return [record for record in log.records if record.name == name]


def lines(log: pytest.LogCaptureFixture, name: str) -> list[str]:
    return [record.getMessage() for record in records(log, name)]


def facts(record: logging.LogRecord) -> dict[str, Any]:
    prefix = "flowlix_"
    return {name.removeprefix(prefix): fact for name, fact in vars(record).items() if name.startswith(prefix)}


def request_ids(emulator: EmulatorServer) -> list[str]:
    return [entry.request_id for entry in emulator.log()]


# --- Exchanges ------------------------------------------------------------------------------------------------


def test_a_start_is_one_line_with_the_gateways_request_id(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())

    (request_id,) = request_ids(emulator)
    assert lines(log, EXCHANGES) == [
        (
            f"flowlix.exchange operation=create_hosted try=1 http_status=201 outcome=ok request_id={request_id} "
            f"duration_ms=0 account=default livemode=false payment={payment.pk} rate_limit_remaining=99"
        )
    ]
    assert records(log, EXCHANGES)[0].levelname == "INFO"


def test_the_record_carries_the_same_facts_as_attributes(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())

    (record,) = records(log, EXCHANGES)
    assert facts(record) == {
        "event": "flowlix.exchange",
        "operation": "create_hosted",
        "try": 1,
        "http_status": 201,
        "outcome": "ok",
        "request_id": request_ids(emulator)[0],
        "duration_ms": 0,
        "account": "default",
        "livemode": False,
        "payment": payment.pk,
        "gateway_payment": None,
        "refund": None,
        "error_type": "",
        "error_code": "",
        "decline_code": "",
        "rate_limit_remaining": 99,
        "paused_until": None,
    }


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("status_before", {"status": 503}, "http_status=503 outcome=unknown"),
        ("status_before", {"status": 422}, "http_status=422 outcome=error"),
        ("status_before", {"status": 401}, "http_status=401 outcome=error"),
        ("rate_limited", {"retry_after_seconds": 600}, "http_status=429 outcome=error"),
        ("drop_after", {}, "http_status=- outcome=unknown request_id=-"),
        ("truncated_json", {}, "http_status=201 outcome=unknown"),
    ],
)
def test_what_went_wrong_is_a_warning(
    emulator: EmulatorServer,
    fake_clock: FakeClock,
    log: pytest.LogCaptureFixture,
    kind: str,
    options: dict[str, Any],
    expected: str,
) -> None:
    emulator.fault("create_hosted", kind, **options)
    with suppress(PaymentError):
        start_payment(a_request())

    first = records(log, EXCHANGES)[0]
    assert (first.levelname, expected in first.getMessage()) == ("WARNING", True), first.getMessage()
    assert " request_id=" in first.getMessage()


def test_every_try_has_its_line(emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture) -> None:
    emulator.fault("create_hosted", "status_before", status=503, times=2)
    start_payment(a_request())

    tries = [
        (record.levelname, facts(record)["try"], facts(record)["request_id"]) for record in records(log, EXCHANGES)
    ]
    assert [(level, number) for level, number, _ in tries] == [("WARNING", 1), ("WARNING", 2), ("INFO", 3)]
    assert [request_id for *_, request_id in tries] == request_ids(emulator)


def test_a_pause_that_the_gateway_asks_for_is_told(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=2)
    began = fake_clock.now()
    start_payment(a_request())

    paused_until = datetime.fromisoformat(str(facts(records(log, EXCHANGES)[0])["paused_until"]))
    assert (paused_until - began).total_seconds() == 2
    assert f"paused_until={paused_until.isoformat()}" in lines(log, EXCHANGES)[0]


def test_p9_the_line_stands_even_if_the_database_fails_afterwards(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(ApiCall, "save", full)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())

    assert not ApiCall.objects.exists()
    assert f"request_id={request_ids(emulator)[0]} " in lines(log, EXCHANGES)[0]
    assert lines(log, TRANSITIONS) == []


def test_what_the_gateway_says_is_quoted_and_masked(caplog: pytest.LogCaptureFixture) -> None:
    call = ApiCall(
        account="the shop",
        livemode=True,
        operation="retrieve",
        try_number=1,
        http_status=500,
        request_id='req "1" 4111 1111 1111 1111\noutcome=ok',
        outcome="unknown",
        error_type=f"x {TEST_KEY}",
        duration_ms=3,
    )
    event_log.exchanged(call)

    assert caplog.messages == [
        (
            "flowlix.exchange operation=retrieve try=1 http_status=500 outcome=unknown "
            'request_id="req \\"1\\" ****1111\\\\noutcome=ok" duration_ms=3 account="the shop" livemode=true '
            "error_type=other"
        )
    ]
    assert (facts(caplog.records[0])["request_id"], caplog.records[0].args) == (
        'req "1" ****1111\\noutcome=ok',
        ("flowlix.exchange", caplog.messages[0].removeprefix("flowlix.exchange ")),
    )


@pytest.mark.parametrize("nothing_left", [0, None])
def test_nothing_left_of_the_rate_limit_is_not_the_same_as_not_told(
    caplog: pytest.LogCaptureFixture, nothing_left: int | None
) -> None:
    call = ApiCall(account="default", livemode=False, operation="list", try_number=1, outcome="unknown", duration_ms=0)
    call.rate_limit_remaining = nothing_left
    event_log.exchanged(call)
    assert caplog.messages[0].endswith(" rate_limit_remaining=0") is (nothing_left == 0)


def test_nothing_about_the_customer_and_no_key_is_logged(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request(order_reference="ORDER-of-ada@example.com"))
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    user = get_user_model().objects.create_user("grace@staff.example")
    Payment.objects.update(review_reason="not_found", review_since=fake_clock.now())
    payment.refresh_from_db()
    mark_reviewed(payment, note="rang up Ada Lovelace", actor=user)

    told = "".join(f"{record.getMessage()} {vars(record)}" for record in log.records)
    secrets = [TEST_KEY, CUSTOMER.email, CUSTOMER.last_name, payment.return_token, payment.idempotency_key, "grace"]
    assert len(log.records) >= 4
    assert [secret for secret in secrets if secret in told] == []


class BrokenHandler(logging.Handler):
    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("the log server is on fire")


@pytest.mark.parametrize("loud", [True, False])
def test_a_handler_that_raises_costs_no_payment(
    emulator: EmulatorServer,
    fake_clock: FakeClock,
    log: Any,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    loud: bool,
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", loud)
    handlers = [BrokenHandler()]
    monkeypatch.setattr(logging.getLogger(EXCHANGES), "handlers", handlers)
    monkeypatch.setattr(logging.getLogger(TRANSITIONS), "handlers", handlers)

    assert start_payment(a_request()).status == "pending"
    assert ("on fire" in capsys.readouterr().err) is loud


# --- Transitions ----------------------------------------------------------------------------------------------


def test_a_payments_life_is_one_line_per_transition(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    created, looked = request_ids(emulator)
    about = (
        f"account=default livemode=false payment={payment.pk} gateway_payment={payment.gateway_id} attempt=1 "
        "amount_minor=4999 currency=EUR"
    )
    assert lines(log, TRANSITIONS) == [
        f"flowlix.transition change=moved from=created to=pending source=create request_id={created} {about}",
        (
            f"flowlix.transition change=moved from=pending to=succeeded source=sync request_id={looked} "
            f"signal=payment_succeeded {about}"
        ),
    ]
    assert {record.levelname for record in records(log, TRANSITIONS)} == {"INFO"}


def test_a_customers_decline_is_nothing_to_worry_about(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())
    emulator.decline(str(payment.gateway_id), "insufficient_funds")
    fake_clock.advance(minutes=1)
    sync_payment(payment)

    last = records(log, TRANSITIONS)[-1]
    assert last.levelname == "INFO"
    assert " to=failed " in last.getMessage()
    assert " decline_code=insufficient_funds" in last.getMessage()


def test_a_flag_and_its_review_are_a_line_each(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())
    emulator.fault("retrieve", "override", fields={"amount": 1})
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    mark_reviewed(payment, note="settled", actor=get_user_model().objects.create_user("root"))

    _, flagged, reviewed = records(log, TRANSITIONS)
    assert "change=flagged from=pending to=pending source=sync" in flagged.getMessage()
    assert "signal=payment_needs_review" in flagged.getMessage()
    assert flagged.getMessage().endswith(" review=mismatch")
    assert "change=reviewed from=pending to=pending source=admin request_id=- " in reviewed.getMessage()
    assert reviewed.getMessage().endswith(" review=mismatch")
    assert (flagged.levelname, reviewed.levelname) == ("WARNING", "INFO")


def test_a_legal_hold_and_its_release_are_a_line_each(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment, root = start_payment(a_request()), get_user_model().objects.create_user("root")
    put_on_hold(payment, reason="dispute of Ada", actor=root)
    release_hold(payment, reason="settled", actor=root)

    _, held, released = (record.getMessage() for record in records(log, TRANSITIONS))
    assert held.startswith("flowlix.transition change=held from=pending to=pending source=admin request_id=- ")
    assert released.startswith("flowlix.transition change=released from=pending to=pending source=admin request_id=- ")
    assert "Ada" not in held


def test_a_refund_is_one_line_per_transition(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], log: pytest.LogCaptureFixture
) -> None:
    gateway = gateway_of("dev")
    payment = make_paid(gateway)
    log.clear()
    refund = refund_payment(payment, reason="sent back")

    assert lines(log, TRANSITIONS) == [
        (
            f"flowlix.transition change=moved from=created to=pending source=api request_id={request_ids(gateway)[-1]} "
            f"account=default livemode=false payment={payment.pk} gateway_payment={payment.gateway_id} "
            f"refund={refund.pk} gateway_refund={refund.gateway_id} amount_minor=4999 currency=EUR"
        )
    ]
    assert (
        f" payment={payment.pk} gateway_payment={payment.gateway_id} refund={refund.pk} " in lines(log, EXCHANGES)[-1]
    )


def test_a_refund_that_fails_is_a_warning(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], log: pytest.LogCaptureFixture
) -> None:
    gateway = gateway_of("eu")
    payment = make_paid(gateway)
    gateway.fault("refund", "status_before", status=422)
    with pytest.raises(RefundRejected):
        refund_payment(payment, reason="sent back")

    last = records(log, TRANSITIONS)[-1]
    assert (last.levelname, facts(last)["from"], facts(last)["to"]) == ("WARNING", "created", "failed")


def test_a_refused_start_is_a_warning(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    emulator.fault("create_hosted", "status_before", status=422)
    with pytest.raises(PaymentRejected):
        start_payment(a_request())
    assert [(record.levelname, facts(record)["to"]) for record in records(log, TRANSITIONS)] == [
        ("WARNING", "rejected")
    ]


def test_every_row_of_the_timeline_has_exactly_one_line(
    gateway_of: Callable[[str], EmulatorServer],
    make_paid: Callable[..., Payment],
    fake_clock: FakeClock,
    log: pytest.LogCaptureFixture,
) -> None:
    payment = make_paid(gateway_of("eu"))
    refund_payment(payment, reason="sent back")
    fake_clock.advance(hours=1)
    sync_payment(payment)

    rows = StatusChange.objects.order_by("pk").values_list("from_status", "to_status", "source", "request_id")
    told = [(r["from"], r["to"], r["source"], r["request_id"]) for r in map(facts, records(log, TRANSITIONS))]
    assert told == list(rows)
    assert len(told) == 3


def test_what_is_rolled_back_is_not_told(
    emulator: EmulatorServer, fake_clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    payment = start_payment(a_request())
    log.clear()

    def fails() -> None:
        raise DatabaseError("no room")

    with pytest.raises(DatabaseError):
        transitions.apply(payment, transitions.Decision(source="sync", to=PaymentStatus.SUCCEEDED), also=fails)
    assert lines(log, TRANSITIONS) == []

    with transaction.atomic():
        event_log.payment_changed(StatusChange.objects.latest("pk"), payment, {}, review="")
        assert lines(log, TRANSITIONS) == []
    assert len(lines(log, TRANSITIONS)) == 1


def test_every_key_of_a_line_is_documented(
    gateway_of: Callable[[str], EmulatorServer], make_paid: Callable[..., Payment], log: pytest.LogCaptureFixture
) -> None:
    refund_payment(make_paid(gateway_of("dev")), reason="sent back")

    text = PAGE.read_text(encoding="utf-8")
    for name, heading in ((EXCHANGES, "### Exchanges"), (TRANSITIONS, "### Transitions")):
        section = text[text.index(heading) :].partition("\n## ")[0].partition("\n### ")[0]
        documented = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        used = {key for record in records(log, name) for key in facts(record)} - {"event"}
        assert documented == used, name
