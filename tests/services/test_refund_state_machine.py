"""Staff, the gateway's dashboard, crashes, faults, rotated keys and the background in any order: money goes out once.

The gateway is the referee: what it holds is compared with our rows after every step. Without a reference on the wire an
entry belongs to any sent row of its amount, so amounts and statuses are compared as multisets.
`FLOWLIX_EXPLORE=2000 pytest …` searches at random for longer, and then looks for the shortest way to a fault.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from django_flowlix.api import FlowlixError, Money
from django_flowlix.emulator.controls import DASHBOARD_REASON
from django_flowlix.emulator.request_log import LogEntry
from django_flowlix.exceptions import InvalidRefundRequest, PaymentError, RefundRejected
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request
from tests.services.world import (
    HOUR,
    KEY_LIFE_SECONDS,
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

AMOUNT = 4999
PARTS = (1000, 2000, None)
SILENT_REFUSALS = (400, 401, 403, 404, 422, 429)
YOUNG = timedelta(days=4)
"""A paid payment is looked at every day in its first week."""
HIDDEN: list[Fault] = [("omit", {"fields": ["refunds"]})]

FAULTS = st.one_of(*[st.sampled_from(faults) for faults in (SILENCE, REFUSALS, RUBBISH, LIMITS, HIDDEN)])
OPERATIONS = ("refund", "retrieve", "list")


class Refunding(Happenings):
    def __init__(self) -> None:
        super().__init__()
        self.in_parts = self.gateway.state.contract.name != "eu"
        self.tokens: list[tuple[int, str]] = []
        self.pay()

    # --- the customer and the staff ---------------------------------------------------------------------------

    @precondition(lambda self: Payment.objects.count() < 3 and not self.gateway.state.faults.queued())
    @rule()
    def pay(self) -> None:
        armed, self.world.armed = self.world.armed, ""
        self.clock.advance(minutes=3)  # longer than any pause that the gateway has asked for
        payment = start_payment(a_request(order_reference=f"A{Payment.objects.count()}", amount=Money(AMOUNT, "EUR")))
        self.gateway.pay(payment.gateway_id)
        assert sync_payment(payment).status == "succeeded"
        self.world.armed = armed

    @rule(data=st.data(), part=st.sampled_from(PARTS), same_words=st.booleans())
    def refund(self, data: st.DataObject, part: int | None, same_words: bool) -> None:
        payment, number = self.draw_payment(data), len(self.tokens) + 1
        self.tokens.append((payment.pk, f"form {number}"))
        self.submit(payment, f"form {number}", part, "sent back" if same_words else f"reason {number}")

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        """The browser sends a form again, with another amount for good measure."""
        pk, token = data.draw(st.sampled_from(self.tokens), label="form")
        before = Refund.objects.filter(submission_token=token).first()
        sent = len(self.gateway.log("refund"))
        refund = self.submit(Payment.objects.get(pk=pk), token, None, "again")
        if before is not None:
            assert refund in (before, None), "None: the worker died"
            assert len(self.gateway.log("refund")) == sent

    def submit(self, payment: Payment, token: str, part: int | None, reason: str) -> Refund | None:
        amount = Money(part, "EUR") if part and self.in_parts else None
        before = (Refund.objects.count(), len(self.gateway.log()))
        try:
            refund = refund_payment(payment, amount, reason=reason, source="admin", submission_token=token)
        except WorkerDied:
            return None
        except InvalidRefundRequest:
            assert (Refund.objects.count(), len(self.gateway.log())) == before, "nothing happened"
            return None
        except RefundRejected as error:
            refund = error.refund
        assert refund.status in ("created", "pending", "succeeded", "failed")
        assert refund.submission_token == token
        return refund

    @rule(
        data=st.data(),
        part=st.sampled_from(PARTS),
        faults=st.lists(st.tuples(FAULTS, st.sampled_from([1, 4])), min_size=1, max_size=2),
        later_seconds=st.sampled_from(PAUSES),
    )
    def refund_at_a_gateway_that_misbehaves(
        self, data: st.DataObject, part: int | None, faults: list[tuple[Fault, int]], later_seconds: float
    ) -> None:
        """One refund under several faults in a row, and a pause before anybody comes again."""
        self.gateway.state.faults.clear()
        for (kind, options), times in faults:
            self.gateway.fault("refund", kind, times=times, **options)
        self.refund(data, part, True)
        self.gateway.state.faults.clear()
        self.clock.advance(seconds=later_seconds)

    @rule(
        data=st.data(),
        part=st.sampled_from(PARTS),
        worked=st.booleans(),
        then=st.sampled_from([None, 401, 404, 429]),
        later_seconds=st.sampled_from([5, 10 * 60, 23.5 * HOUR, 25 * HOUR]),
    )
    def refund_whose_answer_is_lost(
        self, data: st.DataObject, part: int | None, worked: bool, then: int | None, later_seconds: float
    ) -> None:
        """The heart of it: nobody knows, and what comes next says nothing about what was lost."""
        lost: Fault = ("drop_after" if worked else "drop_before", {})
        faults = [(lost, 4)] if then is None else [(lost, 1), (("status_before", {"status": then}), 4)]
        self.refund_at_a_gateway_that_misbehaves(data, part, faults, later_seconds)

    # --- the gateway, the operators, the machines -------------------------------------------------------------

    @rule(data=st.data(), part=st.sampled_from([*PARTS, 1, 4000]))
    def refund_in_the_dashboard(self, data: st.DataObject, part: int | None) -> None:
        with contextlib.suppress(ValueError):  # more than is left
            self.gateway.refund(self.draw_payment(data).gateway_id, part if self.in_parts else None)

    @rule(data=st.data(), outcome=st.sampled_from(["succeed", "succeed", "fail"]))
    def gateway_ends_a_refund(self, data: st.DataObject, outcome: str) -> None:
        pending = [held for payment in self.gateway.payments() for held in payment.refunds if held.status == "pending"]
        if pending:
            held = data.draw(st.sampled_from(pending), label="refund")
            with contextlib.suppress(ValueError):  # it has just become due
                self.gateway.finish_refund(held.id, outcome)

    @rule(seconds=st.sampled_from([0, 3, 6 * HOUR, None]))
    def refunds_take(self, seconds: float | None) -> None:
        self.gateway.set_refund_delay(seconds)

    @rule(operation=st.sampled_from(OPERATIONS), fault=FAULTS, times=st.sampled_from([1, 4]))
    def gateway_misbehaves(self, operation: str, fault: Fault, times: int) -> None:
        kind, options = fault
        if operation == "list" and kind == "omit":
            return  # an entry's fields are meant, the list has none of these
        self.gateway.fault(operation, kind, times=times, **options)

    @precondition(lambda self: not self.gateway.state.faults.queued())
    @rule(data=st.data(), status=st.sampled_from([400, 422]))
    def gateway_refuses_the_next_refund(self, data: st.DataObject, status: int) -> None:
        """Only one that was never sent: an honest gateway does not refuse what it has accepted before."""
        self.gateway.fault("refund", "status_before", status=status)
        self.refund(data, None, True)
        self.gateway.state.faults.clear()

    @rule(point=st.sampled_from(sorted(World.REFUND_POINTS)))
    def next_worker_dies(self, point: str) -> None:
        self.world.armed = point

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        with contextlib.suppress(WorkerDied, FlowlixError, PaymentError):
            sync_payment(self.draw_payment(data))

    def draw_payment(self, data: st.DataObject) -> Payment:
        return data.draw(st.sampled_from(list(Payment.objects.order_by("pk"))), label="payment")

    # --- what must hold after every step ----------------------------------------------------------------------

    @invariant()
    def inv5_never_more_than_was_paid(self) -> None:
        for row in Payment.objects.all():
            held = [entry.amount_minor for entry in self.held(row) if entry.status != "failed"]
            assert sum(held) <= AMOUNT, "the gateway itself allows no more"
            ours = row.refunds.exclude(status="failed").exclude(source="gateway")
            assert sum(ours.values_list("amount_minor", flat=True)) <= AMOUNT

    @invariant()
    def each_request_of_the_staff_is_at_most_one_refund(self) -> None:
        for row in Payment.objects.all():
            # Not by the path: an id whose digits look like a card's is masked in the log.
            start = f"refund-order-{row.order_reference}-"
            sent = (str(entry.idempotency_key) for entry in self.gateway.log("refund"))
            keys = {key for key in sent if key.startswith(start)}
            ours = [entry.reason for entry in self.held(row) if entry.reason != DASHBOARD_REASON]
            assert len(ours) <= max(len(keys), 0 if self.in_parts else 1)
            told_apart = Counter(reason for reason in ours if reason.startswith("reason"))
            assert all(count == 1 for count in told_apart.values()), told_apart
        tokens = Counter(Refund.objects.exclude(submission_token=None).values_list("submission_token", flat=True))
        assert all(count == 1 for count in tokens.values())

    @invariant()
    def inv3_inv4_only_committed_intents_are_sent_one_key_one_body_one_api_key_in_time(self) -> None:
        rows = set(Refund.objects.exclude(idempotency_key=None).values_list("idempotency_key", flat=True))
        sent: dict[str | None, list[LogEntry]] = {}
        for entry in self.gateway.log("refund"):
            sent.setdefault(entry.idempotency_key, []).append(entry)
        assert set(sent) <= rows
        for entries in sent.values():
            assert len({(entry.path, entry.body) for entry in entries}) == 1
            acted = [entry for entry in entries if entry.status not in SILENT_REFUSALS]
            assert len({entry.headers["Authorization"] for entry in acted}) <= 1
            times = [entry.received_at for entry in acted] or [0.0]
            assert max(times) - min(times) < KEY_LIFE_SECONDS

    @invariant()
    def refunded_is_what_the_gateway_holds_as_refunded(self) -> None:
        for row in Payment.objects.all():
            assert row.status == "succeeded"
            booked = Counter(row.refunds.filter(status="succeeded").values_list("amount_minor", flat=True))
            held = Counter(entry.amount_minor for entry in self.held(row) if entry.status == "succeeded")
            assert booked <= held, (booked, held)
            assert row.amount_refunded_minor == sum(booked.elements())

    @invariant()
    def every_row_with_an_id_is_that_entry(self) -> None:
        for row in Payment.objects.all():
            amounts = {entry.id: entry.amount_minor for entry in self.held(row)}
            for gateway_id, amount_minor in row.refunds.exclude(gateway_id=None).values_list(
                "gateway_id", "amount_minor"
            ):
                assert amounts[gateway_id] == amount_minor

    @invariant()
    def what_the_gateway_holds_open_is_not_called_failed(self) -> None:
        for row in Payment.objects.all():
            failed = set(row.refunds.filter(status="failed").values_list("gateway_id", flat=True))
            assert not failed & {entry.id for entry in self.held(row) if entry.id and entry.status != "failed"}

    @invariant()
    def inv6_what_has_ended_stays_ended(self) -> None:
        for row in Refund.objects.all():
            before = self.statuses.get(row.pk, "created")
            if before in ("succeeded", "failed"):
                assert row.status == before or (row.status == "succeeded" and before == "failed")
            assert not (before == "pending" and row.status == "created")
            self.statuses[row.pk] = row.status

    @invariant()
    def inv7_receivers_have_run_at_most_once_per_change(self) -> None:
        told = Counter(group.name.split()[0] for group in Group.objects.all())
        assert all(count == 1 for count in told.values()), told

    @invariant()
    def inv10_the_limit_of_the_gateway_is_never_met(self) -> None:
        assert [entry for entry in self.gateway.log() if entry.status == 429 and entry.fault is None] == []

    def teardown(self) -> None:
        """INV8: once the faults have stopped, everything is found, booked and told within two days of work."""
        self.world.armed, self.world.receiver_faults = "", 0
        self.gateway.state.faults.clear()
        young = [row.pk for row in Payment.objects.filter(created_at__gt=self.clock.current - YOUNG)]
        self.clock.advance(hours=3)
        Run().execute()
        self.gateway_ends_everything()
        self.work(times=16, hours=3)
        for row in Payment.objects.filter(pk__in=young):
            self.is_booked(row)
        assert not Refund.objects.filter(status="created").exists()
        if len(young) < Payment.objects.count():
            self.work(times=5, hours=7 * 24)  # an old payment is looked at every week, later every month
        self.everything_is_booked_and_told()

    def work(self, *, times: int, hours: float) -> None:
        for _ in range(times):
            self.clock.advance(hours=hours)
            Run().execute()

    def gateway_ends_everything(self) -> None:
        for row in Payment.objects.all():
            for number, entry in enumerate(self.held(row)):
                if entry.status == "pending":
                    self.gateway.finish_refund(entry.id, "fail" if number % 3 == 2 else "succeed")

    def is_booked(self, row: Payment) -> None:
        """P2: every entry of the gateway stands in one row; what was never made is called failed."""
        made = row.refunds.filter(gateway_id__isnull=False) if self.in_parts else row.refunds.exclude(status="failed")
        held = Counter((entry.amount_minor, entry.status) for entry in self.held(row))
        assert Counter(made.values_list("amount_minor", "status")) == held
        assert not row.refunds.exclude(pk__in=made).exclude(status="failed").exists()

    def everything_is_booked_and_told(self) -> None:
        for row in Payment.objects.all():
            self.is_booked(row)
            assert row.review_reason in ("", "key_conflict", "refund_mismatch", "not_found"), row.review_reason
        for check in (
            self.inv5_never_more_than_was_paid,
            self.each_request_of_the_staff_is_at_most_one_refund,
            self.inv3_inv4_only_committed_intents_are_sent_one_key_one_body_one_api_key_in_time,
            self.refunded_is_what_the_gateway_holds_as_refunded,
            self.inv6_what_has_ended_stays_ended,
            self.inv7_receivers_have_run_at_most_once_per_change,
        ):
            check()
        assert not StatusChange.objects.exclude(deliver_at=None).exists()
        told = {int(group.name.split()[0]) for group in Group.objects.all()}
        assert told == set(StatusChange.objects.exclude(signal="").values_list("pk", flat=True))
        for refund in Refund.objects.all():
            changes = StatusChange.objects.filter(refund=refund, to_status=refund.status)
            assert [change.signal for change in changes] == [f"refund_{refund.status}"]

    def held(self, row: Payment) -> list[Any]:
        return self.gateway.refunds(str(row.gateway_id))


@pytest.mark.django_db
@pytest.mark.parametrize(("contract", "examples"), [("dev", 16), ("eu", 6)])
def test_money_goes_out_once_in_any_order_of_events(
    contract: str, examples: int, fake_clock: FakeClock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    explore = int(os.environ.get("FLOWLIX_EXPLORE", "0"))
    bounds = hypothesis_settings(
        max_examples=explore or examples,
        stateful_step_count=25,
        derandomize=not explore,
        phases=list(Phase) if explore else [Phase.generate],
        report_multiple_bugs=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    class RefundingInThisWorld(Refunding):
        pass

    with opened(contract, fake_clock, settings, monkeypatch) as world:
        RefundingInThisWorld.world = world
        run_state_machine_as_test(RefundingInThisWorld, settings=bounds)


@pytest.mark.django_db
def test_u5_accepted_refund_is_found_before_one_that_may_never_have_been_made(
    fake_clock: FakeClock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the machine: an older unknown one took its entry, and the accepted one was under way for ever."""
    with opened("dev", fake_clock, settings, monkeypatch) as world:
        world.begin()
        payment = start_payment(a_request())
        world.gateway.pay(payment.gateway_id)
        sync_payment(payment)
        world.gateway.fault("refund", "drop_before", times=4)
        unknown = refund_payment(payment, Money(1000, "EUR"), reason="sent back")
        world.gateway.state.faults.clear()
        fake_clock.advance(hours=24)  # it cannot be sent again
        world.gateway.state.faults.clear()
        world.gateway.fault("refund", "omit", fields=["refunds"])
        accepted = refund_payment(payment, Money(1000, "EUR"), reason="sent back")
        assert (unknown.status, accepted.status) == ("created", "pending")

        fake_clock.advance(minutes=10)
        Run().execute()
        assert list(Refund.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "succeeded"]
