"""P1, P2, P6 for refunds across `kill -9`: whoever comes next finishes what the dead worker began, and nobody twice.

The emulator's log and memory are the referee: one refund, one key, one body, and the merchant's code ran once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock, a_request
from tests.crash.fulfilment import effects, refund_effects
from tests.crash.refunding import PART, refund_by_form

pytestmark = pytest.mark.django_db(transaction=True)

Kill = Callable[..., None]

ALL = 4999
RECOVERIES = ["again", "sync"]
BOTH = pytest.mark.parametrize("gateway", ["eu", "dev"], indirect=True)
SENDING_POINTS = [
    "refund_before_reserve_commit",
    "refund_after_reserve_commit",
    "before_send",
    "after_send_before_read",
    "inside_backoff_wait",
    "after_read_before_commit",
    "refund_inside_result_commit",
    "after_result_commit",
]
RECEIVER_POINTS = ["before_receiver", "refund_inside_receiver", "refund_between_receivers", "after_receiver"]
REPLAY_POINTS = [
    "after_lease",
    "before_send",
    "after_send_before_read",
    "inside_backoff_wait",
    "refund_inside_result_commit",
]


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> EmulatorServer:
    """The gateway of a contract, with one paid payment; in `dev` a refund stays pending until it is told."""
    server: EmulatorServer = request.getfixturevalue({"eu": "emulator", "dev": "dev_emulator"}[request.param])
    server.set_refund_delay(None)
    payment = start_payment(a_request())
    server.pay(str(payment.gateway_id))
    assert sync_payment(payment).status == "succeeded"
    return server


def is_in_parts(gateway: EmulatorServer) -> bool:
    return gateway.state.contract.name == "dev"


def held(gateway: EmulatorServer) -> list[tuple[int, str]]:
    return [(entry.amount_minor, entry.status) for entry in gateway.refunds(gateway.payments()[0].id)]


def finish(gateway: EmulatorServer) -> None:
    for entry in gateway.refunds(gateway.payments()[0].id):
        if entry.status == "pending":
            gateway.finish_refund(entry.id)


def make_it_wait(gateway: EmulatorServer) -> None:
    """Have the next request repeated after a pause: in `eu` after its work, in `dev` before it."""
    if is_in_parts(gateway):
        gateway.fault("refund", "rate_limited")
    else:
        gateway.fault("refund", "status_after", status=503)


def sync(fake_clock: FakeClock) -> None:
    """Run the background when every lease of the dead has ended."""
    fake_clock.advance(minutes=1)
    assert Run().execute().errors == []


def submit_again(gateway: EmulatorServer) -> None:
    """The person goes back and submits the same form: what it has brought about is shown, and nothing is sent."""
    before, sent = Refund.objects.first(), len(gateway.log("refund"))
    refund = refund_by_form()
    assert Refund.objects.get() == refund
    if before is not None:
        assert len(gateway.log("refund")) == sent


def assert_refunded_once(gateway: EmulatorServer, fake_clock: FakeClock) -> None:
    amount = PART if is_in_parts(gateway) else ALL
    for _ in range(2):
        sync(fake_clock)
        finish(gateway)
        fake_clock.advance(hours=1)
    sync(fake_clock)
    submit_again(gateway)

    assert held(gateway) == [(amount, "succeeded")]
    assert len({(entry.idempotency_key, entry.body) for entry in gateway.log("refund")}) == 1, "to the byte"
    row, payment = Refund.objects.get(), Payment.objects.get()
    assert (row.status, row.amount_minor, row.source) == ("succeeded", amount, "admin")
    assert (row.lease_until, row.next_sync_at, row.request_body) == (None, None, "")
    assert (payment.status, payment.amount_refunded_minor, payment.review_reason) == ("succeeded", amount, "")
    assert StatusChange.objects.filter(refund=row, to_status="succeeded").count() == 1
    assert not StatusChange.objects.exclude(deliver_at=None).exists()
    assert (effects(), refund_effects()) == ((1, 1), (1, 1, 0))


@BOTH
@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", SENDING_POINTS)
def test_c1_to_c5_u5_refund_is_finished_by_whoever_comes_next(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str, recovery: str
) -> None:
    if point == "inside_backoff_wait":
        make_it_wait(gateway)
    kill_worker("refund", point)
    if recovery == "sync":
        sync(fake_clock)
        assert len(held(gateway)) == Refund.objects.count() == (0 if point == "refund_before_reserve_commit" else 1)
        assert not Refund.objects.filter(status="created").exists()
    submit_again(gateway)
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("gateway", ["eu"], indirect=True)
@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", RECEIVER_POINTS)
def test_c6_c7_success_that_the_answer_brings_is_told_once(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str, recovery: str
) -> None:
    kill_worker("refund", point)
    if recovery == "again":
        submit_again(gateway)
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("gateway", ["dev"], indirect=True)
@pytest.mark.parametrize("action", ["return", "sync"])
@pytest.mark.parametrize(
    "point",
    [
        "before_send",
        "after_send_before_read",
        "after_read_before_commit",
        "refund_inside_result_commit",
        "after_result_commit",
        *RECEIVER_POINTS,
    ],
)
def test_c6_c7_d9_success_that_a_look_brings_is_told_once(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str, action: str
) -> None:
    refund_by_form()
    finish(gateway)
    fake_clock.advance(minutes=1)
    kill_worker(action, point, later_seconds=60)
    assert_refunded_once(gateway, fake_clock)


@BOTH
@pytest.mark.parametrize("point", REPLAY_POINTS)
def test_d9_background_that_dies_over_an_unknown_refund_is_replaced(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str
) -> None:
    kill_worker("refund", "before_send", later_seconds=60)
    if point == "inside_backoff_wait":
        make_it_wait(gateway)
    kill_worker("sync", point, later_seconds=60)
    submit_again(gateway)
    assert_refunded_once(gateway, fake_clock)


@pytest.mark.parametrize("gateway", ["eu"], indirect=True)
def test_c8_wait_leaves_the_trace_of_the_try_before_it(gateway: EmulatorServer, kill_worker: Kill) -> None:
    gateway.fault("refund", "status_after", status=503)
    kill_worker("refund", "inside_backoff_wait")
    call = ApiCall.objects.get(operation="refund")
    assert (call.http_status, call.outcome, call.refund) == (503, "unknown", Refund.objects.get())


@BOTH
@pytest.mark.parametrize("trouble", ["key is too old", "another API key"])
@pytest.mark.parametrize("point", ["before_send", "after_send_before_read", "refund_before_leaving_open"])
def test_i8_i9_refund_that_cannot_be_sent_again_is_looked_for(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, settings: Any, point: str, trouble: str
) -> None:
    if point == "refund_before_leaving_open":
        gateway.fault("refund", "drop_before", times=9)
    kill_worker("refund", point, later_seconds=60)
    gateway.state.faults.clear()
    sent = len(gateway.log("refund"))
    if trouble == "another API key":
        settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": f"{TEST_KEY}2"}}
    age = {"minutes": 10} if trouble == "another API key" else {"hours": 25}
    fake_clock.advance(**age)
    gateway.advance(**age)
    for _ in range(2):
        sync(fake_clock)
        fake_clock.advance(hours=1)

    assert len(gateway.log("refund")) == sent, "a new request would be a second refund"
    if point == "after_send_before_read":
        assert_refunded_once(gateway, fake_clock)
        return
    assert (Refund.objects.get().status, held(gateway), refund_effects()) == ("failed", [], (0, 0, 1))
    assert refund_by_form("form 2").sequence == 2
    finish(gateway)
    sync_payment(Payment.objects.get())
    assert (len(held(gateway)), refund_effects()) == (1, (1, 1, 1))


@BOTH
@pytest.mark.parametrize(
    "point", ["refund_before_failing", "refund_inside_result_commit", "before_receiver", "refund_after_failing"]
)
def test_refund_that_was_refused_is_failed_once_by_whoever_comes_next(
    gateway: EmulatorServer, kill_worker: Kill, fake_clock: FakeClock, point: str
) -> None:
    """In `dev` too much has gone out in the dashboard meanwhile; in `eu` the gateway just says so."""
    if is_in_parts(gateway):
        gateway.refund(gateway.payments()[0].id, ALL - PART + 1)
    else:
        gateway.fault("refund", "status_before", status=422, times=9)
    kill_worker("refund", point, later_seconds=60)
    refund_by_form()
    for _ in range(4):
        fake_clock.advance(hours=1)
        Run().execute()

    ours = Refund.objects.get(source="admin")
    assert (ours.status, refund_effects()[2]) == ("failed", 1)
    assert len({(entry.idempotency_key, entry.body) for entry in gateway.log("refund")}) == 1
    assert not StatusChange.objects.exclude(deliver_at=None).exists()
    assert [amount for amount, _ in held(gateway)] == ([ALL - PART + 1] if is_in_parts(gateway) else [])
