"""The rolling minute. Source: docs.flowlix.eu/api-reference/rate-limits"""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer


@pytest.fixture
def still(merchant: Any) -> Any:
    """Return a merchant at a gateway whose clock moves only when told."""
    with EmulatorServer(read_seconds=lambda: 1_700_000_000.5) as server:
        merchant.emulator = server
        yield merchant


def test_r8_every_authenticated_answer_tells_the_budget(merchant: Any) -> None:
    good, bad = merchant.get("/v1/payments"), merchant.get("/v1/payments/pay_unknown")
    assert (good.headers["X-RateLimit-Limit"], good.headers["X-RateLimit-Remaining"]) == ("100", "99")
    assert bad.headers["X-RateLimit-Remaining"] == "98"


def test_r1_the_101st_request_of_a_minute_is_429(still: Any) -> None:
    statuses = [still.get("/v1/payments").status_code for _ in range(101)]
    assert statuses == [200] * 100 + [429]


def test_r1_a_429_says_when_to_come_back(still: Any) -> None:
    still.emulator.set_rate_limit(2)
    still.get("/v1/payments")
    still.emulator.advance(seconds=20)
    still.get("/v1/payments")
    answer = still.create(key="order-1")
    error = answer.json()["error"]
    assert answer.status_code == 429
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    # The oldest of the two requests leaves the window 60 s after it came, that is in 40 s.
    assert 40 <= int(answer.headers["Retry-After"]) <= 41
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"] == "1700000061"


def test_r10_the_window_rolls(still: Any) -> None:
    still.emulator.set_rate_limit(2)
    still.get("/v1/payments")
    still.emulator.advance(seconds=59)
    still.get("/v1/payments")
    assert still.get("/v1/payments").status_code == 429
    still.emulator.advance(seconds=1)
    # The first has left the window, the second has not: exactly one fits.
    assert [still.get("/v1/payments").status_code for _ in range(2)] == [200, 429]


def test_r1_waiting_as_told_is_enough(still: Any) -> None:
    still.emulator.set_rate_limit(1)
    still.get("/v1/payments")
    wait_seconds = int(still.get("/v1/payments").headers["Retry-After"])
    still.emulator.advance(seconds=wait_seconds)
    assert still.get("/v1/payments").status_code == 200


def test_each_key_has_its_own_window(emulator: EmulatorServer, merchant: Any, other_key: Any) -> None:
    emulator.set_rate_limit(1)
    assert merchant.get("/v1/payments").status_code == 200
    assert merchant.get("/v1/payments").status_code == 429
    assert other_key.get("/v1/payments").status_code == 200


def test_a_429_does_not_use_the_idempotency_key(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.set_rate_limit(1)
    merchant.get("/v1/payments")
    assert merchant.create(key="order-1").status_code == 429
    emulator.set_rate_limit(100)
    assert merchant.create(key="order-1").status_code == 201
