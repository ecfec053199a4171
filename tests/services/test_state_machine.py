"""Customers, tabs, crashes, faults, rotated keys and the background in any order: the promises hold after every step.

The emulator is the referee: its log and memory are compared with our tables. Both run on one clock. Invariants carry
the numbers of the catalogue of failure scenarios. `FLOWLIX_EXPLORE=2000 pytest …` searches at random for longer, and
then looks for the shortest way to a fault.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from django_flowlix.api import FlowlixError, Money
from django_flowlix.emulator.request_log import LogEntry
from django_flowlix.exceptions import AlreadyPaid, PaymentError, PaymentRejected, PaymentUnavailable, PaymentUnconfirmed
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request
from tests.services.world import (
    ABOUT_ANOTHER,
    HOUR,
    KEY_LIFE_SECONDS,
    LIES,
    LIMITS,
    PAUSES,
    REFUSALS,
    RUBBISH,
    SILENCE,
    Fault,
    Happenings,
    WorkerDied,
    World,
    opened,
)

ORDERS = ("A1", "a1")
AMOUNTS = (4999, 5999)
SILENT_REFUSALS = (400, 401, 402, 403, 404, 422, 429)

FAULTS = st.one_of(*[st.sampled_from(faults) for faults in (SILENCE, REFUSALS, RUBBISH, LIES, LIMITS)])
OPERATIONS = ("create_hosted", "retrieve", "list")


class Checkout(Happenings):
    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {}

    # --- the customer -----------------------------------------------------------------------------------------

    @rule(order=st.sampled_from(ORDERS), amount_minor=st.sampled_from(AMOUNTS))
    def click(self, order: str, amount_minor: int) -> None:
        request = a_request(order_reference=order, amount=Money(amount_minor, "EUR"))
        try:
            payment = start_payment(request)
        except WorkerDied:
            return
        except PaymentError as error:
            self.is_told_the_truth(error)
            return
        held = self.held(payment.idempotency_key)
        assert (payment.order_reference, payment.amount_minor) == (order, amount_minor)
        assert (payment.gateway_id, payment.hosted_page_url) == (held.id, held.hosted_page_url)
        assert held.amount_minor == amount_minor
        self.pages[held.id] = held.hosted_page_url

    def is_told_the_truth(self, error: PaymentError) -> None:
        """P5: an unknown outcome is never called a failure, and only a payment that is paid is called paid."""
        status = error.payment.status if error.payment else ""
        allowed = {
            PaymentUnconfirmed: ("created", "processing", "pending"),
            AlreadyPaid: ("succeeded",),
            PaymentRejected: ("rejected",),
            PaymentUnavailable: ("created", ""),
        }
        assert status in allowed[type(error)], error
        if isinstance(error, PaymentUnavailable) and error.payment:
            keys = {payment.metadata["idempotency_key"] for payment in self.gateway.payments()}
            assert error.payment.idempotency_key not in keys, "certainly not started"

    @rule(
        order=st.sampled_from(ORDERS),
        amount_minor=st.sampled_from(AMOUNTS),
        faults=st.lists(st.tuples(FAULTS, st.sampled_from([1, 4])), min_size=1, max_size=2),
        later_seconds=st.sampled_from(PAUSES),
    )
    def click_at_a_gateway_that_misbehaves(
        self, order: str, amount_minor: int, faults: list[tuple[Fault, int]], later_seconds: float
    ) -> None:
        """One click under several faults in a row, and a pause before anybody comes again."""
        self.gateway.state.faults.clear()
        for (kind, options), times in faults:
            self.gateway.fault("create_hosted", kind, times=times, **options)
        self.click(order, amount_minor)
        self.gateway.state.faults.clear()
        self.clock.advance(seconds=later_seconds)

    @rule(
        order=st.sampled_from(ORDERS),
        worked=st.booleans(),
        then=st.sampled_from([None, 401, 404, 429]),
        later_seconds=st.sampled_from([5, 23.5 * HOUR, 25 * HOUR]),
    )
    def click_whose_answer_is_lost(self, order: str, worked: bool, then: int | None, later_seconds: float) -> None:
        """The heart of it: nobody knows, and what comes next says nothing about what was lost."""
        lost: Fault = ("drop_after" if worked else "drop_before", {})
        faults = [(lost, 4)] if then is None else [(lost, 1), (("status_before", {"status": then}), 4)]
        self.click_at_a_gateway_that_misbehaves(order, AMOUNTS[0], faults, later_seconds)

    @precondition(lambda self: self.pages)
    @rule(data=st.data(), card=st.sampled_from(["4242424242424242", "4000000000009995", "cancel"]))
    def act_on_a_page(self, data: st.DataObject, card: str) -> None:
        """Somebody pays, is declined or cancels, on any page that was ever shown, however old."""
        payment_id = data.draw(st.sampled_from(sorted(self.pages, key=list(self.pages).index)), label="page")
        with contextlib.suppress(ValueError):  # decided before
            if card == "cancel":
                self.gateway.cancel(payment_id)
            else:
                self.gateway.pay(payment_id, card)

    @rule(data=st.data(), forged=st.booleans(), foreign=st.booleans())
    def come_back(self, data: st.DataObject, forged: bool, foreign: bool) -> None:
        """The return address is visited, truly or with words that nobody must believe."""
        rows = list(Payment.objects.order_by("pk"))
        if not rows:
            return
        row = data.draw(st.sampled_from(rows), label="payment")
        query = {"status": "succeeded"} if forged else {}
        if foreign or row.gateway_id:
            query["payment_id"] = "pay_anotherOne" if foreign else str(row.gateway_id)
        with contextlib.suppress(WorkerDied):
            response = Client().get(f"/flowlix/return/{row.return_token}/", query)
            assert response.status_code == (400 if foreign else 302)

    # --- the gateway, the operators, the machines -------------------------------------------------------------

    @rule(operation=st.sampled_from(OPERATIONS), fault=FAULTS, times=st.sampled_from([1, 4]))
    def gateway_misbehaves(self, operation: str, fault: Fault, times: int) -> None:
        kind, options = fault
        if operation == "list" and kind in ("omit", "override"):
            return  # an entry's fields are meant, the list has none of these
        self.gateway.fault(operation, kind, times=times, **options)

    @rule(fault=st.sampled_from(ABOUT_ANOTHER))
    def look_brings_an_answer_about_another_payment(self, fault: Fault) -> None:
        self.gateway.fault("retrieve", fault[0], **fault[1])
        self.sync()

    @precondition(lambda self: not self.gateway.state.faults.queued())
    @rule(status=st.sampled_from([400, 402, 422]))
    def gateway_refuses_the_next_start(self, status: int) -> None:
        """Only a start that was never sent: an honest gateway does not refuse what it has accepted before."""
        if not Payment.objects.filter(status="created", first_sent_at__isnull=False).exists():
            self.gateway.fault("create_hosted", "status_before", status=status)
            self.click(ORDERS[0], AMOUNTS[0])
            self.gateway.state.faults.clear()

    @rule(point=st.sampled_from(sorted(World.POINTS)))
    def next_worker_dies(self, point: str) -> None:
        self.world.armed = point

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """The merchant's own code asks about any payment, in whatever state."""
        rows = list(Payment.objects.order_by("pk"))
        if rows:
            with contextlib.suppress(WorkerDied, FlowlixError, PaymentError):
                sync_payment(data.draw(st.sampled_from(rows), label="payment"))

    # --- what must hold after every step ----------------------------------------------------------------------

    @invariant()
    def inv1_one_key_is_one_payment_and_one_payable_page_per_attempt(self) -> None:
        keys = Counter(payment.metadata["idempotency_key"] for payment in self.gateway.payments())
        assert all(count == 1 for count in keys.values()), keys
        replaced = set(Payment.objects.exclude(superseded_at=None).values_list("idempotency_key", flat=True))
        payable = Counter(
            payment.metadata["order_reference"]
            for payment in self.gateway.payments()
            if payment.status != "failed" and payment.metadata["idempotency_key"] not in replaced
        )
        assert all(count == 1 for count in payable.values()), f"two payments can be made for one attempt: {payable}"

    @invariant()
    def inv2_paid_is_what_the_gateway_holds_as_paid(self) -> None:
        for row in Payment.objects.filter(status="succeeded"):
            held = self.held(row.idempotency_key)
            assert held.status == "succeeded"
            theirs = (held.id, held.amount_minor, held.currency, held.livemode, held.metadata["order_reference"])
            assert theirs == (row.gateway_id, row.amount_minor, row.currency.lower(), row.livemode, row.order_reference)

    @invariant()
    def inv3_inv4_only_committed_intents_are_sent_one_key_one_body_one_api_key_in_time(self) -> None:
        rows = set(Payment.objects.values_list("idempotency_key", flat=True))
        sent: dict[str | None, list[LogEntry]] = {}
        for entry in self.gateway.log():
            if entry.method == "POST":
                sent.setdefault(entry.idempotency_key, []).append(entry)
        assert set(sent) <= rows
        for entries in sent.values():
            assert len({entry.body for entry in entries}) == 1
            acted = [entry for entry in entries if entry.status not in SILENT_REFUSALS]
            assert len({entry.headers["Authorization"] for entry in acted}) <= 1
            times = [entry.received_at for entry in acted] or [0.0]
            assert max(times) - min(times) < KEY_LIFE_SECONDS

    @invariant()
    def inv6_what_has_ended_stays_ended(self) -> None:
        for row in Payment.objects.all():
            before = self.statuses.get(row.pk, "created")
            if before not in ("created", "pending"):
                assert row.status == before or (row.status == "succeeded" and before != "succeeded")
            self.statuses[row.pk] = row.status

    @invariant()
    def inv7_receivers_have_run_at_most_once_per_change(self) -> None:
        told = Counter(group.name.split()[0] for group in Group.objects.all())
        assert all(count == 1 for count in told.values()), told

    @invariant()
    def inv10_the_limit_of_the_gateway_is_never_met(self) -> None:
        assert [entry for entry in self.gateway.log() if entry.status == 429 and entry.fault is None] == []

    def teardown(self) -> None:
        """INV8: once the faults have stopped, everything is found, booked and told within a day."""
        self.world.armed, self.world.receiver_faults = "", 0
        self.gateway.state.faults.clear()
        for _ in range(8):
            self.clock.advance(hours=3)
            Run().execute()
        self.inv1_one_key_is_one_payment_and_one_payable_page_per_attempt()
        self.inv2_paid_is_what_the_gateway_holds_as_paid()
        self.inv7_receivers_have_run_at_most_once_per_change()
        self.clock.advance(hours=25)
        Run().execute()
        for held in self.gateway.payments():
            row = Payment.objects.get(idempotency_key=held.metadata["idempotency_key"])
            assert (row.gateway_id, row.status) == (held.id, held.status), "P2: nothing is lost"
        assert not Payment.objects.filter(status="created").exists()
        self.everything_is_told()

    def everything_is_told(self) -> None:
        assert not StatusChange.objects.exclude(deliver_at=None).exists()
        told = {int(group.name.split()[0]) for group in Group.objects.all()}
        assert told == set(StatusChange.objects.exclude(signal="").values_list("pk", flat=True))
        for row in Payment.objects.filter(status="succeeded"):
            (change,) = row.status_changes.filter(to_status="succeeded").exclude(from_status="succeeded")
            alone = row.superseded_at is None and row.paid_order_reference is not None
            assert change.signal == ("payment_succeeded" if alone else "payment_needs_review")

    def held(self, key: str) -> Any:
        return next(payment for payment in self.gateway.payments() if payment.metadata["idempotency_key"] == key)


@pytest.fixture
def world(fake_clock: FakeClock, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened("eu", fake_clock, settings, monkeypatch) as world:
        yield world


@pytest.mark.django_db
def test_promises_hold_in_any_order_of_events(world: World, fake_clock: FakeClock) -> None:
    explore = int(os.environ.get("FLOWLIX_EXPLORE", "0"))
    bounds = hypothesis_settings(
        max_examples=explore or 40,
        stateful_step_count=25,
        derandomize=not explore,
        phases=list(Phase) if explore else [Phase.generate],
        report_multiple_bugs=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    class CheckoutOfThisWorld(Checkout):
        pass

    CheckoutOfThisWorld.world = world
    run_state_machine_as_test(CheckoutOfThisWorld, settings=bounds)


@pytest.mark.django_db
def test_m7_create_answered_with_an_unknown_word_is_a_payment_that_a_person_looks_at(world: World) -> None:
    """Found by the machine: the row stayed `created` without the body to send again, and every click crashed."""
    world.begin()
    world.gateway.fault("create_hosted", "override", fields={"status": "disputed"})
    payment = start_payment(a_request())
    assert (payment.status, payment.gateway_status, payment.review_reason) == ("pending", "disputed", "unknown_status")
    assert start_payment(a_request()).hosted_page_url == payment.hosted_page_url

    world.gateway.pay(payment.gateway_id)
    Run().execute()
    assert Payment.objects.get().status == "succeeded"
