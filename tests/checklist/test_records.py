"""What the database is asked for, how often, and how far back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_flowlix.checklist import Context, Outcome
from django_flowlix.checklist import records as facts
from django_flowlix.checklist.running import run
from django_flowlix.conf import account
from django_flowlix.models import ApiCall, Payment
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.statuses import ChangeSource
from tests.checklist.looking import item, told
from tests.checklist.recorded import a_call, a_create, a_payment, a_refund, ago, live
from tests.conftest import a_request

pytestmark = pytest.mark.django_db

ASKED = (
    "idempotency-keys",
    "payment-id-stored",
    "minor-units",
    "decline-texts",
    "retry-5xx",
    "no-retry-4xx",
    "retry-after",
    "request-ids-stored",
    "decline-rate-watched",
    "alerts-deliverable",
    "real-payment",
    "first-transactions-watched",
    "sync-running",
)
MOST_STATEMENTS = 19


def a_busy_day() -> None:
    """Something of everything that is asked for, with nothing wrong."""
    for number in range(5):
        payment = a_payment()
        a_create(payment, http_status=503, outcome="unknown")
        a_create(payment, try_number=2, http_status=409, outcome="error")
        a_create(payment, try_number=3)
        a_refund(payment)
        a_payment("failed", decline_code="expired_card", currency=f"{'EUR' if number % 2 else 'USD'}")
        a_call(ago(hours=2), http_status=429, outcome="error", paused_until=ago(minutes=119))


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("livemode", [False, True])
def test_all_lines_together_ask_few_questions(emulator: Any, settings: Any, busy: bool, livemode: bool) -> None:
    if busy:
        a_busy_day()
    if livemode:
        live(settings)
    context = Context(account=account(), now=datetime.now(UTC))
    with CaptureQueriesContext(connection) as asked:
        run(context, [item(name) for name in ASKED])
    assert len(asked) <= MOST_STATEMENTS, "\n".join(query["sql"] for query in asked)


def test_what_the_services_leave_passes(look: Any, emulator: Any, fake_clock: Any) -> None:
    """A create that is answered with 503 and 429, and whose third answer is lost; a decline; a success, refunded."""
    emulator.fault("create_hosted", "status_before", status=503)
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=3)
    emulator.fault("create_hosted", "drop_after")
    paid = start_payment(a_request(order_reference="paid"))
    declined = start_payment(a_request(order_reference="declined"))
    emulator.pay(paid.gateway_id)
    emulator.decline(declined.gateway_id, "insufficient_funds")
    for payment in (paid, declined):
        fake_clock.advance(minutes=1)
        sync_payment(payment, source=ChangeSource.RETURN)
    refund_payment(Payment.objects.get(pk=paid.pk), reason="sent back")

    statuses = list(ApiCall.objects.order_by("pk").values_list("http_status", flat=True))
    assert statuses[:4] == [503, 429, None, 201]
    for name in ASKED[:8]:
        found = look(name)
        assert (name, found.outcome) == (name, Outcome.PASS), found.findings


def test_an_answer_without_a_request_id_is_noticed_by_both_lines(look: Any, emulator: Any) -> None:
    emulator.fault("create_hosted", "no_request_id")
    start_payment(a_request(order_reference="nameless"))

    assert "such as create_hosted at" in told(look("request-ids-stored"), Outcome.FAIL)
    assert "such as order nameless" in told(look("payment-id-stored"), Outcome.FAIL)


def test_only_the_latest_rows_are_looked_at(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "SAMPLE_ROWS", 3)
    a_call(ago(days=2), request_id="")
    for minutes in range(3):
        a_call(ago(minutes=minutes))
    found = look("request-ids-stored")
    assert found.outcome is Outcome.PASS
    assert "Each of 3 answers among the latest 3 gateway calls in test mode" in told(found, Outcome.PASS)


def test_other_accounts_and_the_other_mode_take_no_part(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    a_payment(account="another", request_id="")
    a_payment(livemode=True, request_id="")
    a_payment()
    assert "All 1 confirmed payments" in told(look("payment-id-stored"), Outcome.PASS)


def test_what_an_account_has_is_found_among_the_latest_rows_of_its_mode(
    look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "SAMPLE_ROWS", 2)
    a_call(ago(minutes=3))
    for minutes in range(2):
        a_call(ago(minutes=minutes), account="another")
    assert look("request-ids-stored").outcome is Outcome.SKIP, "that is said to be among the latest, and is not there"


def test_rows_of_one_moment_are_all_within_the_sample(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "SAMPLE_ROWS", 1)
    moment = datetime.now(UTC) - timedelta(hours=1)
    a_call(moment)
    a_call(moment)
    assert context.once(facts.calls).rows.count() == 2
