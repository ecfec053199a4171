"""The world the state machines run in: what a gateway can do wrong, where a worker can die, what happens besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.contrib.auth.models import Group
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import (
    booking,
    clock,
    notifications,
    payments,
    refund_sending,
    refund_transitions,
    refunds,
    transitions,
)
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import SIGNALS
from tests.conftest import BASE_URL, TEST_KEY, FakeClock

Fault = tuple[str, dict[str, Any]]
# Every fault of an honest gateway that takes no real time. Judgements (400, 402, 422) come before any work.
SILENCE: list[Fault] = [
    *[(kind, {"status": status}) for kind in ("status_before", "status_after") for status in (500, 503, 408)],
    *[(kind, {}) for kind in ("drop_before", "drop_after", "in_flight")],
    ("status_before", {"status": 425}),
]
REFUSALS: list[Fault] = [("status_before", {"status": status}) for status in (401, 403, 404)]
RUBBISH: list[Fault] = [
    *[(kind, {}) for kind in ("html_before", "html_after", "redirect", "truncated_answer", "truncated_json")],
    *[(kind, {}) for kind in ("empty_body", "json_null", "json_array", "not_a_number", "no_request_id")],
    *[("omit", {"fields": [name]}) for name in ("id", "status", "amount", "livemode")],
    ("html_before", {"status": 400}),
    ("nested_body", {"depth": 50_000}),
    ("huge_body", {"size_bytes": 1_100_000}),
]
LIES: list[Fault] = [
    *[("override", {"fields": fields}) for fields in ({"amount": 1}, {"currency": "usd"}, {"livemode": True})],
    ("override", {"fields": {"status": "disputed"}}),
    ("override", {"fields": {"status": "succeeded", "amount": 1}}),
]
# Genuine, but about another payment. In the answer to a create nobody could tell.
ABOUT_ANOTHER: list[Fault] = [
    ("override", {"fields": {"status": "succeeded", "id": "pay_another"}}),
    ("override", {"fields": {"status": "succeeded", "metadata": {"idempotency_key": "payment-order-7"}}}),
]
LIMITS: list[Fault] = [
    *[("rate_limited", {"retry_after_seconds": seconds}) for seconds in (0, 3, 120)],
    *[("rate_limited", {"form": form}) for form in ("http_date", "rubbish", "absent")],
]

HOUR = 3600.0
KEY_LIFE_SECONDS = 23 * HOUR
"""24 hours less the margin of one: nothing is ever sent again under a key as old as that."""
PAUSES = (1, 3, 5, 20, 61, 10 * 60, 31 * 60, 6 * HOUR, 23.5 * HOUR, 25 * HOUR, 72 * HOUR)


class WorkerDied(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it, and the open transaction is rolled back."""


class World:
    """What outlives one run of the machine: the gateway, the clock, and the places where a worker can die."""

    POINTS = {
        "after_intent": (payments, "_reserve", False),
        "inside_intent": (payments, "_insert", False),
        "before_send": (Transport, "send", True),
        "after_send": (Transport, "send", False),
        "before_booking": (booking, "book", True),
        "inside_booking": (transitions, "_record", False),
        "after_booking": (transitions, "apply", False),
        "before_receiver": (notifications, "deliver", True),
        "after_receiver": (notifications, "deliver", False),
        "waiting": (clock, "sleep", True),
        "inside_receiver": (None, "", False),
    }
    REFUND_POINTS = {
        **{name: point for name, point in POINTS.items() if "intent" not in name and name != "after_receiver"},
        "inside_reservation": (refunds, "_insert", False),
        "after_reservation": (refunds, "_reserved", False),
        "inside_refund_booking": (refund_transitions, "_record", False),
        "before_failing": (refund_sending, "_fail", True),
        "before_leaving_open": (refund_sending, "_leave_open", True),
    }

    def __init__(self, gateway: EmulatorServer, clock: FakeClock, settings: Any, patch: pytest.MonkeyPatch) -> None:
        self.gateway, self.clock, self.settings = gateway, clock, settings
        self.armed = ""
        self.receiver_faults = 0
        for point, (owner, name, first) in (self.POINTS | self.REFUND_POINTS).items():
            if owner is not None:
                patch.setattr(owner, name, self._deadly(getattr(owner, name), point, first=first))

    def _deadly(self, real: Callable[..., Any], point: str, *, first: bool) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if first:
                self.die_at(point)
            result = real(*args, **kwargs)
            if not first:
                self.die_at(point)
            return result

        return call

    def die_at(self, point: str) -> None:
        if self.armed == point:
            self.armed = ""
            raise WorkerDied

    def receive(self, sender: Any, payment: Payment, change: StatusChange, **kwargs: Any) -> None:
        """The merchant's code: one row for each time it runs."""
        Group.objects.create(name=f"{change.pk} told, row {Group.objects.count()}")
        self.die_at("inside_receiver")
        if self.receiver_faults:
            self.receiver_faults -= 1
            raise RuntimeError("the merchant's code has a bad day")

    def use_key(self, number: int) -> None:
        account = {"SECRET_KEY": f"{TEST_KEY}{number}", "API_URL": self.gateway.url, "BASE_URL": BASE_URL}
        self.settings.FLOWLIX = {"default": account | {"CONTRACT": self.gateway.state.contract.name}}

    def begin(self) -> None:
        self.armed, self.receiver_faults = "", 0
        for model in (StatusChange, ApiCall, Refund, Payment, Group):
            model._base_manager.all().delete()  # their own managers refuse
        self.gateway.reset()
        self.use_key(1)


@contextmanager
def opened(contract: str, clock: FakeClock, settings: Any, patch: pytest.MonkeyPatch) -> Iterator[World]:
    """Open a world whose gateway speaks a contract and lives by our clock, and whose merchant listens to everything."""
    with EmulatorServer(contract, read_seconds=lambda: clock.current.timestamp()) as gateway:
        world = World(gateway, clock, settings, patch)
        for signal in SIGNALS.values():
            signal.connect(world.receive)
        try:
            yield world
        finally:
            for signal in SIGNALS.values():
                signal.disconnect(world.receive)


class Happenings(RuleBasedStateMachine):
    """What happens to payments and refunds alike: time passes, keys are rotated, workers and receivers fail."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        self.gateway, self.clock = self.world.gateway, self.world.clock
        self.statuses: dict[int, str] = {}
        self.key_number = 1

    @rule(seconds=st.sampled_from(PAUSES))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    @rule(revoke=st.booleans())
    def key_is_rotated(self, revoke: bool) -> None:
        if revoke:
            self.gateway.revoke_key(f"{TEST_KEY}{self.key_number}")
        self.key_number += 1
        self.world.use_key(self.key_number)

    @rule(times=st.integers(1, 2))
    def receiver_raises(self, times: int) -> None:
        self.world.receiver_faults = times

    @rule()
    def sync(self) -> None:
        with suppress(WorkerDied):
            Run().execute()
