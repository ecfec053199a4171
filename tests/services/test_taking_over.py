"""Taking over from a worker that died: the lease is waited for, then the start goes on under the same key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment
from django_flowlix.services import clock, start_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import FakeClock, a_request
from tests.services.arrivals import assert_one_payment
from tests.services.world import WorkerDied

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_c3_click_after_a_crash_waits_for_the_worker_then_takes_over_under_the_same_key(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_send = Transport.send

    def die_after_sending(self: Transport, *args: Any, **kwargs: Any) -> Any:
        real_send(self, *args, **kwargs)
        raise WorkerDied

    monkeypatch.setattr(Transport, "send", die_after_sending)
    with pytest.raises(WorkerDied):
        start_payment(a_request())
    assert Payment.objects.get().is_unconfirmed
    monkeypatch.setattr(Transport, "send", real_send)

    assert start_payment(a_request()).status == "pending"
    assert 10 <= sum(fake_clock.slept) < 12
    assert_one_payment(emulator)


@pytest.mark.django_db(transaction=True)
def test_c8_worker_that_dies_in_a_wait_leaves_its_trace(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(seconds: float) -> None:
        raise WorkerDied

    monkeypatch.setattr(clock, "sleep", die)
    emulator.fault("create_hosted", "status_before", status=502)
    with pytest.raises(WorkerDied):
        start_payment(a_request())
    assert ApiCall.objects.get().http_status == 502


@pytest.mark.django_db(transaction=True)
def test_time_spent_waiting_for_a_dead_worker_is_taken_off_the_deadline(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    start_payment(a_request())
    Payment.objects.update(
        status="created", gateway_id=None, request_body="{}", lease_until=fake_clock.now() + timedelta(minutes=1)
    )
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=11)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert sum(fake_clock.slept) < 20


@pytest.mark.django_db(transaction=True)
def test_c3_sync_after_a_crash_waits_for_the_lease_only(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Transport, *args: Any, **kwargs: Any) -> Any:
        raise WorkerDied

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "send", die)
        with pytest.raises(WorkerDied):
            start_payment(a_request())
    assert Run().execute().changed == 0
    fake_clock.advance(seconds=16)
    assert Run().execute().changed == 1
    assert_one_payment(emulator)


def test_lease_is_held_over_the_waits_between_tries(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    leases = []
    real_sleep = clock.sleep

    def sleep(seconds: float) -> None:
        until = Payment.objects.get().lease_until
        assert until is not None
        leases.append((until - fake_clock.now()).total_seconds())
        real_sleep(seconds)

    emulator.fault("create_hosted", "status_before", times=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "sleep", sleep)
        start_payment(a_request())
    assert len(leases) == 3
    assert all(lease > wait + 11 for lease, wait in zip(leases, (1, 2, 4), strict=True))
