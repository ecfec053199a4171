"""P1, P2, P6 across `kill -9`: whoever comes next, customer or background, finishes what the dead worker began.

The emulator's log and memory are the referee: one payment, one key, one body, and the merchant's code ran once.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import AlreadyPaid
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request
from tests.crash.fulfilment import effects

pytestmark = pytest.mark.django_db(transaction=True)

Kill = Callable[..., None]

START_POINTS = [
    "before_intent_commit",
    "after_intent_commit",
    "before_send",
    "after_send_before_read",
    "inside_backoff_wait",
    "after_read_before_commit",
    "inside_result_commit",
    "after_result_commit",
]
REPLAY_POINTS = ["after_lease", "before_send", "after_send_before_read", "inside_backoff_wait", "inside_result_commit"]
SUCCESS_POINTS = [
    "before_send",
    "after_send_before_read",
    "after_read_before_commit",
    "inside_result_commit",
    "after_result_commit",
    "before_receiver",
    "inside_receiver",
    "between_receivers",
    "after_receiver",
]


def sync(fake_clock: FakeClock) -> None:
    """Run the background when every lease of the dead has ended."""
    fake_clock.advance(minutes=1)
    report = Run().execute()
    assert report.errors == []


def assert_one_payment(emulator: EmulatorServer) -> None:
    sent = {(entry.idempotency_key, entry.body) for entry in emulator.log("create_hosted")}
    assert len(sent) == 1, "one key, one body, to the byte"
    (held,) = emulator.payments()
    row = Payment.objects.get()
    assert (row.gateway_id, row.idempotency_key) == (held.id, held.metadata["idempotency_key"])
    assert row.hosted_page_url == held.hosted_page_url


def assert_paid_and_fulfilled_once(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    for _ in range(2):
        sync(fake_clock)
        fake_clock.advance(hours=1)
    row = Payment.objects.get()
    assert (row.status, row.review_reason, row.lease_until) == ("succeeded", "", None)
    assert StatusChange.objects.filter(to_status="succeeded").count() == 1
    assert not StatusChange.objects.exclude(deliver_at=None).exists()
    assert effects() == (1, 1)
    with pytest.raises(AlreadyPaid):
        start_payment(a_request())
    assert_one_payment(emulator)


@pytest.mark.parametrize("recovery", ["click", "sync"])
@pytest.mark.parametrize("point", START_POINTS)
def test_c1_to_c5_c8_start_is_finished_by_whoever_comes_next(
    emulator: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str, recovery: str
) -> None:
    if point == "inside_backoff_wait":
        emulator.fault("create_hosted", "status_after", status=503)
    kill_worker("click", point)
    if recovery == "sync":
        sync(fake_clock)
        known = Payment.objects.filter(status="pending").count()
        assert known == len(emulator.payments()) == (0 if point == "before_intent_commit" else 1)

    clicked = start_payment(a_request())
    assert (clicked.status, clicked.attempt) == ("pending", 1)
    assert_one_payment(emulator)

    emulator.pay(clicked.gateway_id)
    assert_paid_and_fulfilled_once(emulator, fake_clock)


def test_c8_wait_leaves_the_trace_of_the_try_before_it(emulator: EmulatorServer, kill_worker: Kill) -> None:
    emulator.fault("create_hosted", "status_after", status=503)
    kill_worker("click", "inside_backoff_wait")
    call = ApiCall.objects.get()
    assert (call.http_status, call.outcome, call.payment) == (503, "unknown", Payment.objects.get())


def test_c1_killed_before_the_commit_leaves_nothing(emulator: EmulatorServer, kill_worker: Kill) -> None:
    kill_worker("click", "before_intent_commit")
    assert Payment.objects.count() == len(emulator.log()) == 0


@pytest.mark.parametrize("recovery", ["click", "sync"])
@pytest.mark.parametrize("point", REPLAY_POINTS)
def test_d9_background_that_dies_over_an_unknown_start_is_replaced(
    emulator: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str, recovery: str
) -> None:
    kill_worker("click", "after_send_before_read", later_seconds=60)
    if point == "inside_backoff_wait":
        emulator.fault("create_hosted", "drop_after")
    kill_worker("sync", point)
    if recovery == "sync":
        sync(fake_clock)
        assert Payment.objects.get().status == "pending"

    clicked = start_payment(a_request())
    assert_one_payment(emulator)
    emulator.pay(clicked.gateway_id)
    assert_paid_and_fulfilled_once(emulator, fake_clock)


@pytest.mark.parametrize("recovery", ["click", "sync"])
@pytest.mark.parametrize("action", ["return", "sync"])
@pytest.mark.parametrize("point", SUCCESS_POINTS)
def test_c6_c7_d9_success_is_booked_and_told_once(
    emulator: EmulatorServer,
    kill_worker: Kill,
    fake_clock: FakeClock,
    point: str,
    action: str,
    recovery: str,
) -> None:
    emulator.pay(start_payment(a_request()).gateway_id)
    fake_clock.advance(minutes=2)
    kill_worker(action, point, later_seconds=120)
    if recovery == "click":
        with pytest.raises(AlreadyPaid):
            start_payment(a_request())
    assert_paid_and_fulfilled_once(emulator, fake_clock)
    assert emulator.payments()[0].status == "succeeded"
