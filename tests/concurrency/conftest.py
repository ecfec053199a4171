"""Real threads on real connections, held and released by events: no test here waits for luck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connections

from django_flowlix.api.transport import Transport
from django_flowlix.services import clock

PATIENCE_SECONDS = 30
"""Nothing here takes so long unless it hangs."""


class Workers:
    """Workers of the shop: each has a thread and database connections of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=16)

    def prepare(self) -> None:
        """Make a thread's connection ready; for tests that need another one than the usual."""

    def start(self, work: Callable[[], Any], begin: Callable[[], Any] = lambda: None) -> Future[Any]:
        def run() -> Any:
            try:
                self.prepare()
                begin()
                return work()
            finally:
                connections.close_all()

        return self._pool.submit(run)

    def together(self, *works: Callable[[], Any]) -> list[Any]:
        """Let all begin at the same moment; return what each returned or raised, in the order given."""
        barrier = threading.Barrier(len(works), timeout=PATIENCE_SECONDS)
        return [outcome(future) for future in [self.start(work, barrier.wait) for work in works]]

    def close(self) -> None:
        self._pool.shutdown()


def outcome(future: Future[Any]) -> Any:
    """Return what a worker returned or raised, a death included."""
    error = future.exception(timeout=PATIENCE_SECONDS)
    return error if error is not None else future.result()


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


@dataclass
class Gate:
    """A place where a thread arrives and waits until it may go on."""

    arrived: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def pass_through(self) -> None:
        self.arrived.set()
        assert self.opened.wait(PATIENCE_SECONDS), "nobody opened the gate"

    def wait_for_arrival(self) -> None:
        assert self.arrived.wait(PATIENCE_SECONDS), "nobody came to the gate"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Do something while a thread stands here, then let it go on, whatever happened."""
        try:
            self.wait_for_arrival()
            yield
        finally:
            self.opened.set()


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gate]:
    """Hold the next request of a method: before it leaves, or once its answer is back (`answered=True`)."""
    real_send = Transport.send
    waiting: list[tuple[str, bool, Gate]] = []
    lock = threading.Lock()

    def send(self: Transport, method: str, *args: Any, **kwargs: Any) -> Any:
        with lock:
            position = next((i for i, entry in enumerate(waiting) if entry[0] == method), None)
            _, answered, gate = (method, False, None) if position is None else waiting.pop(position)
        if gate is not None and not answered:
            gate.pass_through()
        answer = real_send(self, method, *args, **kwargs)
        if gate is not None and answered:
            gate.pass_through()
        return answer

    def hold_next(method: str, *, answered: bool = False) -> Gate:
        gate = Gate()
        waiting.append((method, answered, gate))
        return gate

    monkeypatch.setattr(Transport, "send", send)
    return hold_next


@pytest.fixture
def polling(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set as soon as a worker waits for another one; its waits are cut to a moment of real time."""
    polls = threading.Event()

    def sleep(seconds: float) -> None:
        polls.set()
        time.sleep(min(seconds, 0.01))

    monkeypatch.setattr(clock, "sleep", sleep)
    return polls


@pytest.fixture
def deliveries() -> Iterator[list[tuple[str, int]]]:
    """What the merchant's code was told: (signal, payment), in order, from whatever thread."""
    from django_flowlix.signals import SIGNALS

    told: list[tuple[str, int]] = []
    receivers = []
    for name, signal in SIGNALS.items():

        def receive(sender: Any, payment: Any, name: str = name, **kwargs: Any) -> None:
            told.append((name, payment.pk))

        signal.connect(receive, weak=False)
        receivers.append((signal, receive))
    yield told
    for signal, receive in receivers:
        signal.disconnect(receive)
