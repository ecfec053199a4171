"""Keys, idempotency and rate limit of contract dev.

Source: docs.flowlix.dev/api-reference/{authentication, idempotency, rate-limits, errors}
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer

DAY_SECONDS = 24 * 60 * 60
OTHER_KEY = "_".join(["fl", "test", "sk", "aMerchantsOtherKey2"])


def test_only_successes_are_stored(dev: EmulatorServer, dev_merchant: Any) -> None:
    refused = dev_merchant.create(key="order-1", amount=0)
    assert refused.status_code == 400
    # The slot is free again: the same key may carry a corrected body.
    created = dev_merchant.create(key="order-1")
    replayed = dev_merchant.create(key="order-1")
    assert (created.status_code, replayed.status_code) == (201, 201)
    assert created.content == replayed.content
    assert created.headers["Flowlix-Request-Id"] != replayed.headers["Flowlix-Request-Id"]
    assert created.headers["X-RateLimit-Remaining"] != replayed.headers["X-RateLimit-Remaining"]
    assert len(dev.payments()) == 1


def test_a_later_decline_is_replayed_as_it_was_created(dev: EmulatorServer, dev_merchant: Any) -> None:
    first = dev_merchant.pay_directly("4000000000000002", key="order-1")
    dev.advance(seconds=2)
    second = dev_merchant.pay_directly("4000000000000002", key="order-1")
    assert (first.content, second.json()["status"]) == (second.content, "pending")
    assert dev_merchant.read(first.json()["id"])["status"] == "failed"


def test_a_conflict_and_a_request_in_flight_have_the_same_code(
    dev: EmulatorServer, dev_merchant: Any, in_background: Any
) -> None:
    dev.fault("create_hosted", "delay_before", delay_seconds=60)
    first = in_background(dev_merchant.create, key="order-1")
    dev.wait_until_held()
    headers = {"Authorization": f"Bearer {dev_merchant.key}", "Idempotency-Key": "order-1"}
    address = f"{dev.url}/v1/payments/hpp"
    in_flight = requests.post(address, json=dev_merchant.hosted_body(), headers=headers, timeout=5)
    dev.release()
    assert first.result(timeout=10).status_code == 201
    conflict = dev_merchant.create(key="order-1", amount=1)
    codes = [(answer.status_code, answer.json()["error"]["code"]) for answer in (in_flight, conflict)]
    assert codes == [(409, "idempotency_key_in_use")] * 2
    assert in_flight.json()["error"]["message"] != conflict.json()["error"]["message"]


def test_the_scope_is_the_api_key_for_all_operations(dev: EmulatorServer, dev_merchant: Any) -> None:
    payment_id = dev_merchant.create(key="order-1").json()["id"]
    assert dev_merchant.refund(dev.pay(payment_id).id, key="order-1").status_code == 409
    dev_merchant.session.headers["Authorization"] = f"Bearer {OTHER_KEY}"
    assert dev_merchant.refund(payment_id, key="order-1").status_code == 201


def test_a_key_lives_for_24_hours(dev: EmulatorServer, dev_merchant: Any) -> None:
    dev_merchant.create(key="order-1")
    dev.advance(seconds=DAY_SECONDS - 1)
    dev_merchant.create(key="order-1")
    assert len(dev.payments()) == 1
    dev.advance(seconds=1)
    dev_merchant.create(key="order-1")
    assert len(dev.payments()) == 2


def test_the_window_is_fixed_and_500_wide(dev: EmulatorServer, dev_merchant: Any) -> None:
    first = dev_merchant.get("/v1/payments")
    assert [first.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == [
        "500", "499", "1700000060",
    ]  # fmt: skip


def test_the_window_ends_60_seconds_after_its_first_request(dev: EmulatorServer, dev_merchant: Any) -> None:
    dev.set_rate_limit(2)
    dev_merchant.get("/v1/payments")
    dev.advance(seconds=59)
    assert [dev_merchant.get("/v1/payments").status_code for _ in range(2)] == [200, 429]
    refused = dev_merchant.get("/v1/payments")
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Remaining"]) == ("1", "0")
    dev.advance(seconds=1)
    # A rolling window would let one through; a fixed one starts again as a whole.
    answers = [dev_merchant.get("/v1/payments") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Reset"] == "1700000120"


def test_each_key_has_its_own_window(dev: EmulatorServer, dev_merchant: Any) -> None:
    dev.set_rate_limit(1)
    assert [dev_merchant.get("/v1/payments").status_code for _ in range(2)] == [200, 429]
    dev_merchant.session.headers["Authorization"] = f"Bearer {OTHER_KEY}"
    assert dev_merchant.get("/v1/payments").status_code == 200


def test_the_budget_is_told_after_authentication_only(dev: EmulatorServer, dev_merchant: Any) -> None:
    assert dev_merchant.get("/v1/payments/pay_unknown").headers["X-RateLimit-Remaining"] == "499"
    dev.revoke_key(dev_merchant.key)
    refused = dev_merchant.get("/v1/payments")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert [name for name in refused.headers if name.startswith("X-RateLimit")] == []
    assert refused.headers["Flowlix-Request-Id"]


def test_the_page_address_stands_in_redirect_url_only(dev: EmulatorServer, dev_merchant: Any) -> None:
    with pytest.raises(ValueError, match="contract dev has redirect_url"):
        dev.show_page_url_as("hpp_url")
    dev.show_page_url_as("redirect_url")
    assert "hpp_url" not in dev_merchant.created()


def test_the_controls_tell_their_contract(dev: EmulatorServer, dev_control: Any) -> None:
    assert dev_control("GET", "/").json()["contract"] == "dev"
    state = dev_control("GET", "/state").json()
    delays = {name: state[name] for name in ("refund_delay_seconds", "payment_delay_seconds", "requests_per_minute")}
    assert delays == {"refund_delay_seconds": 3.0, "payment_delay_seconds": 2.0, "requests_per_minute": 500}


def test_reset_restores_the_delays(dev: EmulatorServer, dev_control: Any) -> None:
    dev_control("POST", "/refund-delay", {"seconds": 60})
    dev_control("POST", "/payment-delay", {"seconds": None})
    state = dev_control("GET", "/state").json()
    assert (state["refund_delay_seconds"], state["payment_delay_seconds"]) == (60, None)
    state = dev_control("POST", "/reset").json()
    assert (state["refund_delay_seconds"], state["payment_delay_seconds"]) == (3, 2)
