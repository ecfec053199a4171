"""P1, P2, P6 for refunds with many workers: one refund here is at most one at the gateway, whoever interferes.

The gateway's log and memory are the referee. Without a reference on the wire an entry belongs to any sent row of its
amount, so amounts and statuses are compared as multisets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from django_flowlix.api import Money
from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import InvalidRefundRequest, RefundRejected
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.services.reviews import mark_reviewed
from tests.conftest import FakeClock, a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)

ALL = 4999
REASON = "sent back"
BOTH = pytest.mark.parametrize("gateway", ["eu", "dev"], indirect=True)
DEV = pytest.mark.parametrize("gateway", ["dev"], indirect=True)

PAIRS = [*combinations_with_replacement(["refund", "sync_payment", "run", "mark_reviewed"], 2)]

Hold = Callable[..., Gate]
Deliveries = list[tuple[str, int]]


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> EmulatorServer:
    """The gateway of a contract; in `dev` a refund stays pending until it is told."""
    server: EmulatorServer = request.getfixturevalue({"eu": "emulator", "dev": "dev_emulator"}[request.param])
    server.set_refund_delay(None)
    return server


@pytest.fixture
def payment(gateway: EmulatorServer, deliveries: Deliveries) -> Payment:
    payment = pay(gateway)
    deliveries.clear()
    return payment


def pay(gateway: EmulatorServer, **changes: Any) -> Payment:
    payment = start_payment(a_request(**changes))
    gateway.pay(str(payment.gateway_id))
    return sync_payment(payment)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def refund(payment: Payment, amount_minor: int | None = None, **options: Any) -> Refund:
    """Refund as another request of the shop would: with a payment of its own reading."""
    amount = None if amount_minor is None else Money(amount_minor, "EUR")
    return refund_payment(fresh(payment), amount, **{"reason": REASON} | options)


def keys(gateway: EmulatorServer) -> list[str | None]:
    return [entry.idempotency_key for entry in gateway.log("refund")]


def held(gateway: EmulatorServer, payment: Payment) -> list[tuple[int, str]]:
    """Return what the gateway has: amounts and statuses."""
    return sorted((entry.amount_minor, entry.status) for entry in gateway.refunds(str(payment.gateway_id)))


def booked(payment: Payment) -> list[tuple[int, str]]:
    """Return what we have, without what the gateway refused to make."""
    made = payment.refunds.exclude(status="failed", gateway_id=None)
    return sorted(made.values_list("amount_minor", "status"))


def finish(gateway: EmulatorServer, payment: Payment, outcome: str = "succeed") -> None:
    for entry in gateway.refunds(str(payment.gateway_id)):
        if entry.status == "pending":
            gateway.finish_refund(entry.id, outcome)


def refused(results: list[Any]) -> list[str]:
    """Return why requests were refused before anything happened; nothing else may have been raised."""
    errors = [result for result in results if isinstance(result, BaseException)]
    assert {type(error) for error in errors} <= {InvalidRefundRequest}, errors
    return [str(error) for error in errors]


def assert_settled_once(
    gateway: EmulatorServer, payment: Payment, deliveries: Deliveries, amounts: list[int], *, doubts: str = ""
) -> None:
    """The gateway ends what it has, the background looks once: then every refund is booked once and told once."""
    finish(gateway, payment)
    sync_payment(fresh(payment))
    assert booked(payment) == held(gateway, payment) == [(amount, "succeeded") for amount in sorted(amounts)]
    assert fresh(payment).amount_refunded_minor == sum(amounts) <= ALL
    assert Counter(deliveries)["refund_succeeded", payment.pk] == len(amounts)
    assert not StatusChange.objects.exclude(deliver_at=None).exists()
    assert fresh(payment).review_reason in (doubts, "second_success")


# --- Two people, two clicks -----------------------------------------------------------------------------------


@BOTH
def test_u1_two_people_refund_in_full_at_once(
    gateway: EmulatorServer, payment: Payment, workers: Workers, deliveries: Deliveries, polling: object
) -> None:
    clerks = [get_user_model().objects.create_user(name) for name in ("ada", "bob")]
    results = workers.together(
        *[partial(refund, payment, actor=clerk, submission_token=str(clerk)) for clerk in clerks]
    )

    (why,) = refused(results)
    assert "is under way" in why or "has been refunded in full" in why
    assert keys(gateway) == ["refund-order-1001-1"]
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
def test_u1_second_person_is_told_of_the_refund_that_is_being_sent(
    gateway: EmulatorServer, payment: Payment, workers: Workers, hold: Hold, deliveries: Deliveries
) -> None:
    gate = hold("POST")
    first = workers.start(partial(refund, payment))
    with gate.held():
        with pytest.raises(InvalidRefundRequest, match=r"A refund of .*49\.99.* is under way"):
            refund(payment)
        assert keys(gateway) == []
    outcome(first)
    assert keys(gateway) == ["refund-order-1001-1"]
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
def test_u2_one_form_submitted_many_times_is_one_refund(
    gateway: EmulatorServer, payment: Payment, workers: Workers, deliveries: Deliveries, polling: object
) -> None:
    results = workers.together(*[partial(refund, payment, submission_token="form 7")] * 6)

    assert refused(results) == []
    assert {result.pk for result in results} == {Refund.objects.get().pk}
    assert len(gateway.log("refund")) == 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
def test_u2_second_submit_does_not_send_what_the_first_is_sending(
    gateway: EmulatorServer, payment: Payment, workers: Workers, hold: Hold, deliveries: Deliveries
) -> None:
    gate = hold("POST", answered=True)
    first = workers.start(partial(refund, payment, submission_token="form 7"))
    with gate.held():
        second = refund(payment, submission_token="form 7")
        assert (second.status, second.is_unconfirmed) == ("created", True)
        assert len(gateway.log("refund")) == 1
    assert outcome(first) == second
    assert len(gateway.log("refund")) == 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


# --- More than there is ---------------------------------------------------------------------------------------


@pytest.fixture
def reserved_at_sending(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is reserved and spent, read at each moment in which a request leaves."""
    sums: list[int] = []
    real_send = Transport.send

    def send(self: Transport, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "POST":
            sums.append(sum(Refund.objects.exclude(status="failed").values_list("amount_minor", flat=True)))
        return real_send(self, method, *args, **kwargs)

    monkeypatch.setattr(Transport, "send", send)
    return sums


@DEV
def test_u3_parts_that_add_up_to_more_are_refused_before_they_are_sent(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    deliveries: Deliveries,
    polling: object,
    reserved_at_sending: list[int],
) -> None:
    results = workers.together(*[partial(refund, payment, 1200)] * 8)

    assert len(refused(results)) == 4, "49.99 holds 12.00 four times"
    assert len(set(keys(gateway))) == len(gateway.log("refund")) == Refund.objects.count() == 4
    assert max(reserved_at_sending) == 4800
    assert_settled_once(gateway, payment, deliveries, [1200] * 4)


@DEV
def test_u3_parts_and_all_that_is_left_add_up_to_what_was_paid(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    deliveries: Deliveries,
    polling: object,
    reserved_at_sending: list[int],
) -> None:
    results = workers.together(*[partial(refund, payment, amount) for amount in [1000, None, 1500] * 3])

    refused(results)
    made = [result.amount_minor for result in results if isinstance(result, Refund)]
    assert sum(made) == ALL == max(reserved_at_sending), "one of them took the rest"
    assert len(set(keys(gateway))) == len(made)
    assert_settled_once(gateway, payment, deliveries, made)


# --- Unknown, slow, overtaken ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("lost", ["drop_before", "drop_after"])
def test_u5_unknown_refund_keeps_its_amount_and_others_are_refused(
    gateway: EmulatorServer, payment: Payment, deliveries: Deliveries, fake_clock: FakeClock, lost: str
) -> None:
    gateway.fault("refund", lost, times=4)
    unknown = refund(payment)
    assert unknown.is_unconfirmed
    sent = len(gateway.log("refund"))

    with pytest.raises(InvalidRefundRequest, match="is under way"):
        refund(payment)
    assert len(gateway.log("refund")) == sent

    gateway.state.faults.clear()
    fake_clock.advance(minutes=2)
    Run().execute()
    assert len(set(keys(gateway))) == 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


@DEV
@pytest.mark.parametrize("lost", ["drop_before", "drop_after"])
def test_u5_part_beside_an_unknown_part_is_another_refund(
    gateway: EmulatorServer, payment: Payment, deliveries: Deliveries, fake_clock: FakeClock, lost: str
) -> None:
    gateway.fault("refund", lost, times=4)
    refund(payment, 2000)
    gateway.state.faults.clear()
    second = refund(payment, 2000)
    assert second.status == "pending"
    with pytest.raises(InvalidRefundRequest, match=r"At most .*9\.99"):
        refund(payment, 1000)

    fake_clock.advance(minutes=2)
    Run().execute()
    assert len(set(keys(gateway))) == 2
    assert_settled_once(gateway, payment, deliveries, [2000, 2000])


@DEV
def test_u5_of_two_equal_parts_the_one_that_was_made_is_found_by_the_other(
    gateway: EmulatorServer, payment: Payment, deliveries: Deliveries, fake_clock: FakeClock
) -> None:
    """The first never reached the gateway, the second did and its answer was lost: nobody may wait for ever."""
    gateway.fault("refund", "drop_before", times=4)
    refund(payment, 2000)
    gateway.state.faults.clear()
    gateway.fault("refund", "drop_after", times=4)
    refund(payment, 2000)
    gateway.state.faults.clear()
    sync_payment(fresh(payment))
    for _ in range(3):
        fake_clock.advance(minutes=6)
        Run().execute()
    finish(gateway, payment)
    for _ in range(3):
        fake_clock.advance(hours=1)
        Run().execute()
    for _ in range(2):
        fake_clock.advance(hours=25)
        Run().execute()

    assert booked(payment) == held(gateway, payment)
    assert all(status == "succeeded" for _, status in held(gateway, payment))
    assert fresh(payment).amount_refunded_minor == sum(amount for amount, _ in held(gateway, payment))
    assert not payment.refunds.filter(status__in=["created", "pending"]).exists()


@BOTH
def test_d9_slow_request_that_the_background_overtakes_is_one_refund(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    hold: Hold,
    deliveries: Deliveries,
    fake_clock: FakeClock,
) -> None:
    """The worker stands before its request until its lease has ended; then both send it."""
    gate = hold("POST")
    slow = workers.start(partial(refund, payment))
    with gate.held():
        fake_clock.advance(minutes=2)
        assert Run().execute().errors == []
        assert len(gateway.log("refund")) == 1
    assert outcome(slow).status == ("succeeded" if gateway.state.contract.name == "eu" else "pending")

    assert len({(entry.idempotency_key, entry.body) for entry in gateway.log("refund")}) == 1
    assert [entry.replayed for entry in gateway.log("refund")] == [False, True]
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
@pytest.mark.parametrize("slow_part", ["delay_before", "delay_after"])
def test_d9_answer_that_comes_after_the_background_took_over_is_one_refund(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    deliveries: Deliveries,
    fake_clock: FakeClock,
    slow_part: str,
) -> None:
    """The gateway holds the first request; a second one finds the key in flight, or is answered at once."""
    gateway.fault("refund", slow_part, delay_seconds=60)
    slow = workers.start(partial(refund, payment))
    gateway.wait_until_held()
    fake_clock.advance(minutes=2)
    Run().execute()
    gateway.release()
    assert isinstance(outcome(slow), Refund)

    fake_clock.advance(minutes=2)
    Run().execute()
    assert len({(entry.idempotency_key, entry.body) for entry in gateway.log("refund")}) == 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
def test_d10_runs_at_the_same_moment_send_an_unknown_refund_once(
    gateway: EmulatorServer, payment: Payment, workers: Workers, deliveries: Deliveries, fake_clock: FakeClock
) -> None:
    gateway.fault("refund", "drop_before", times=4)
    refund(payment)
    gateway.state.faults.clear()
    fake_clock.advance(minutes=2)
    sent = len(gateway.log("refund"))
    reports = workers.together(*[lambda: Run().execute()] * 4)

    assert [report.errors for report in reports] == [[]] * 4
    assert len(gateway.log("refund")) == sent + 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


# --- Looks meanwhile ------------------------------------------------------------------------------------------


@BOTH
def test_answer_that_is_older_than_the_refund_does_not_undo_it(
    gateway: EmulatorServer, payment: Payment, workers: Workers, hold: Hold, deliveries: Deliveries
) -> None:
    gate = hold("GET", answered=True)
    look = workers.start(lambda: sync_payment(fresh(payment)))
    with gate.held():
        made = refund(payment)
    outcome(look)

    made.refresh_from_db()
    assert made.status == ("succeeded" if gateway.state.contract.name == "eu" else "pending")
    assert_settled_once(gateway, payment, deliveries, [ALL])


@DEV
def test_answer_that_is_older_than_the_refund_does_not_put_off_its_outcome(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    hold: Hold,
    deliveries: Deliveries,
    fake_clock: FakeClock,
) -> None:
    """A paid payment is looked at once a day; while a refund of it is under way, often."""
    gate = hold("GET", answered=True)
    look = workers.start(lambda: sync_payment(fresh(payment)))
    with gate.held():
        made = refund(payment, 1000)
    outcome(look)
    finish(gateway, payment)
    fake_clock.advance(hours=1)
    Run().execute()

    made.refresh_from_db()
    assert made.status == "succeeded"


@BOTH
def test_look_that_sees_the_refund_before_its_own_answer_is_booked_tells_it_once(
    gateway: EmulatorServer, payment: Payment, workers: Workers, hold: Hold, deliveries: Deliveries
) -> None:
    gate = hold("POST", answered=True)
    first = workers.start(partial(refund, payment))
    with gate.held():
        finish(gateway, payment)
        sync_payment(fresh(payment))
        assert booked(payment) == [(ALL, "succeeded")]
    assert outcome(first).status == "succeeded"
    assert StatusChange.objects.filter(refund__isnull=False).count() == 1
    assert_settled_once(gateway, payment, deliveries, [ALL])


@BOTH
def test_many_workers_that_see_the_success_tell_it_once(
    gateway: EmulatorServer, payment: Payment, workers: Workers, deliveries: Deliveries, polling: object
) -> None:
    gateway.refund(str(payment.gateway_id))
    finish(gateway, payment)
    looks = [lambda: sync_payment(fresh(payment))] * 4
    workers.together(*looks, *[lambda: Run(only=frozenset({payment.pk})).execute()] * 2)
    assert list(Refund.objects.values_list("source", "status", "amount_minor")) == [("gateway", "succeeded", ALL)]
    assert_settled_once(gateway, payment, deliveries, [ALL])


# --- The dashboard meanwhile ----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("looked", [False, True])
def test_u6_refund_in_the_dashboard_while_ours_is_about_to_leave_is_the_only_one(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    hold: Hold,
    deliveries: Deliveries,
    looked: bool,
) -> None:
    gate = hold("POST")
    ours = workers.start(partial(refund, payment))
    with gate.held():
        gateway.refund(str(payment.gateway_id))
        if looked:
            sync_payment(fresh(payment))
    assert outcome(ours).status in ("pending", "succeeded")
    assert booked(payment) == held(gateway, payment)
    assert_settled_once(gateway, payment, deliveries, [ALL])


@DEV
@pytest.mark.parametrize("looked", [False, True])
def test_u6_refund_in_the_dashboard_that_leaves_too_little_for_ours(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    hold: Hold,
    deliveries: Deliveries,
    looked: bool,
) -> None:
    gate = hold("POST")
    ours = workers.start(partial(refund, payment, 2500))
    with gate.held():
        gateway.refund(str(payment.gateway_id), 3000)
        if looked:
            sync_payment(fresh(payment))
    error = outcome(ours)
    assert isinstance(error, RefundRejected)
    assert error.refund.status == "failed"
    assert booked(payment) == held(gateway, payment) == [(3000, "pending")]
    assert_settled_once(gateway, payment, deliveries, [3000])
    assert ("refund_failed", payment.pk) in deliveries


@DEV
def test_u6_ours_that_was_taken_for_the_one_in_the_dashboard_is_not_called_failed(
    gateway: EmulatorServer, payment: Payment, workers: Workers, hold: Hold, deliveries: Deliveries
) -> None:
    """A look gives the dashboard's refund to our row of the same amount; ours is refused then, the row's is made."""
    gate = hold("POST")
    ours = workers.start(partial(refund, payment, 3000))
    with gate.held():
        gateway.refund(str(payment.gateway_id), 3000)
        sync_payment(fresh(payment))
    outcome(ours)

    assert booked(payment) == held(gateway, payment) == [(3000, "pending")]
    assert ("refund_failed", payment.pk) not in deliveries
    with pytest.raises(InvalidRefundRequest, match="At most"):
        refund(payment, 3000)
    assert_settled_once(gateway, payment, deliveries, [3000])


@DEV
@pytest.mark.parametrize("looked", [False, True])
def test_u7_equal_refund_in_the_dashboard_while_ours_is_about_to_leave_is_a_second_one(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    hold: Hold,
    deliveries: Deliveries,
    looked: bool,
) -> None:
    gate = hold("POST")
    ours = workers.start(partial(refund, payment, 1000))
    with gate.held():
        gateway.refund(str(payment.gateway_id), 1000)
        if looked:
            sync_payment(fresh(payment))
    assert outcome(ours).status == "pending"
    assert booked(payment) == held(gateway, payment) == [(1000, "pending")] * 2
    # What a look took for ours was the dashboard's: ours then looks like a second one, and a person is asked.
    assert_settled_once(gateway, payment, deliveries, [1000, 1000], doubts="refund_mismatch" if looked else "")


# --- Payments of one order, deadlocks -------------------------------------------------------------------------


@BOTH
def test_i11_two_payments_of_one_order_refunded_at_once_never_share_a_key(
    gateway: EmulatorServer, workers: Workers, deliveries: Deliveries, polling: object
) -> None:
    gateway.fault("retrieve", "override", fields={"status": "failed"})
    payment = sync_payment(start_payment(a_request()))
    second = start_payment(a_request())
    for which in (payment, second):
        gateway.pay(str(which.gateway_id))
        sync_payment(which)
    assert {payment.attempt, second.attempt} == {1, 2}
    deliveries.clear()
    amounts = [ALL] if gateway.state.contract.name == "eu" else [900, 1000, 1100]
    works = [partial(refund, which, amount) for amount in amounts for which in (payment, second)]
    results = workers.together(*works)

    assert refused(results) == []
    assert len(set(keys(gateway))) == len(gateway.log("refund")) == len(works)
    for which in (payment, second):
        assert_settled_once(gateway, which, deliveries, amounts)


def works_on(payment: Payment, name: str) -> Callable[[], Any]:
    clerk = get_user_model().objects.get()
    return {
        "refund": partial(refund, payment, 100, actor=clerk),
        "sync_payment": lambda: sync_payment(fresh(payment)),
        "run": lambda: Run(only=frozenset({payment.pk})).execute(),
        "mark_reviewed": lambda: mark_reviewed(fresh(payment), note="looked at it", actor=clerk),
    }[name]


@DEV
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_d3_no_pair_of_works_ends_in_a_deadlock(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    deliveries: Deliveries,
    polling: object,
    pair: tuple[str, str],
) -> None:
    """There is a refund to be sent again, one to be adopted, one to be ended, and a doubt to be reviewed."""
    get_user_model().objects.create_user("ada")
    gateway.fault("refund", "drop_after", times=4)
    refund(payment, 500)
    gateway.state.faults.clear()
    gateway.refund(str(payment.gateway_id), 700)
    Payment.objects.update(review_reason="second_success", review_since=payment.created_at)
    results = workers.together(*[works_on(payment, name) for name in pair * 3])

    assert [result for result in results if isinstance(result, BaseException)] == []
    assert [result.errors for result in results if hasattr(result, "errors")] == [[]] * (3 * pair.count("run"))
    Payment.objects.update(review_reason="", review_since=None)
    refunds = 3 * pair.count("refund")
    Run().execute()
    assert_settled_once(gateway, payment, deliveries, [500, 700] + [100] * refunds)


@DEV
@pytest.mark.skipif(connection.vendor != "mysql", reason="only there a foreign key's check locks the row it names")
def test_d1_refund_left_open_while_a_look_books_it_is_no_error(
    gateway: EmulatorServer,
    payment: Payment,
    workers: Workers,
    deliveries: Deliveries,
    polling: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both take the payment's row first: the look waits, and neither ends as the victim of a deadlock."""
    from django_flowlix.services.gateway import Gateway

    leaving, real_record = Gate(), Gateway.record

    def record(self: Gateway) -> None:
        if connection.in_atomic_block and self._refund is not None and not leaving.arrived.is_set():
            leaving.pass_through()
        real_record(self)

    monkeypatch.setattr(Gateway, "record", record)
    gateway.fault("refund", "drop_after", times=4)
    refunding = workers.start(partial(refund, payment))
    with leaving.held():
        looking = workers.start(lambda: sync_payment(fresh(payment)))

    assert isinstance(outcome(refunding), Refund)
    assert outcome(looking).status == "succeeded"
    gateway.state.faults.clear()
    Run().execute()
    assert_settled_once(gateway, payment, deliveries, [ALL])
