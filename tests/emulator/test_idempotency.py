"""What a repeated key gets. Source: flowlix.mintlify.app/api-reference/idempotency"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_flowlix.emulator.server import EmulatorServer

DAY_SECONDS = 24 * 60 * 60


def test_i5_the_same_key_and_body_replay_the_answer_byte_for_byte(emulator: EmulatorServer, merchant: Any) -> None:
    first, second = merchant.create(key="order-1"), merchant.create(key="order-1")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["Flowlix-Request-Id"] != second.headers["Flowlix-Request-Id"]
    assert len(emulator.payments()) == 1
    assert [entry.replayed for entry in emulator.log()] == [False, True]


def test_i16_a_replay_shows_the_state_of_then(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.create(key="order-1").json()
    emulator.pay(payment["id"])
    assert merchant.create(key="order-1").json()["status"] == "pending"
    assert merchant.get(f"/v1/payments/{payment['id']}").json()["status"] == "succeeded"


def test_without_a_key_every_request_is_a_payment(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.create()
    merchant.create()
    assert len(emulator.payments()) == 2


def test_i10_bodies_are_compared_by_their_parameters(emulator: EmulatorServer, merchant: Any) -> None:
    body = merchant.hosted_body(description="Kaffee für zwei")
    spellings = [
        json.dumps(body),
        json.dumps(dict(reversed(body.items())), indent=2),
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    ]
    headers = {"Content-Type": "application/json", "Idempotency-Key": "order-1"}
    for text in spellings:
        assert merchant.send("POST", "/v1/payments/hpp", data=text.encode(), headers=headers).status_code == 201
    assert len(emulator.payments()) == 1


@pytest.mark.parametrize("change", [{"amount": 5000}, {"description": "x"}, {"metadata": {"a": "b"}}])
def test_i6_another_body_is_409(emulator: EmulatorServer, merchant: Any, change: dict[str, Any]) -> None:
    merchant.create(key="order-1")
    answer = merchant.create(key="order-1", **change)
    assert answer.status_code == 409
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert len(emulator.payments()) == 1


def test_i11_another_operation_under_the_same_key_is_409(merchant: Any) -> None:
    paid = merchant.pay_directly(key="order-1").json()
    assert merchant.create(key="order-1").status_code == 409
    assert merchant.post(f"/v1/payments/{paid['id']}/refund", key="order-1").status_code == 409


def test_i11_the_same_key_for_another_payments_refund_is_409(merchant: Any) -> None:
    first, second = merchant.pay_directly().json(), merchant.pay_directly().json()
    assert merchant.post(f"/v1/payments/{first['id']}/refund", key="refund").status_code == 200
    assert merchant.post(f"/v1/payments/{second['id']}/refund", key="refund").status_code == 409


def test_i9_another_api_key_has_another_key_space(emulator: EmulatorServer, merchant: Any, other_key: Any) -> None:
    merchant.create(key="order-1")
    other_key.create(key="order-1")
    assert len(emulator.payments()) == 2


def test_i8_after_24_hours_the_key_is_new(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.create(key="order-1")
    emulator.advance(seconds=DAY_SECONDS - 60)
    merchant.create(key="order-1")
    assert len(emulator.payments()) == 1
    emulator.advance(seconds=61)
    merchant.create(key="order-1")
    assert len(emulator.payments()) == 2


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9"])
def test_i15_a_key_that_cannot_be_is_400(merchant: Any, key: str) -> None:
    answer = merchant.create(key=key.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "Idempotency-Key"


def test_i15_255_characters_are_accepted(merchant: Any) -> None:
    assert merchant.create(key="k" * 255).status_code == 201


def test_a_get_does_not_look_at_the_key(merchant: Any) -> None:
    headers = {"Idempotency-Key": "k" * 300}
    assert merchant.get("/v1/payments", headers=headers).status_code == 200


def test_i4_a_decline_is_stored_and_replayed(emulator: EmulatorServer, merchant: Any) -> None:
    first = merchant.pay_directly("4000000000009995", key="order-1")
    second = merchant.pay_directly("4000000000009995", key="order-1")
    assert first.status_code == 402
    assert first.content == second.content
    assert len(emulator.payments()) == 1


def test_i4_a_refused_body_is_stored_and_replayed(emulator: EmulatorServer, merchant: Any) -> None:
    first = merchant.create(key="order-1", amount=0)
    assert (first.status_code, first.content) == (400, merchant.create(key="order-1", amount=0).content)
    assert merchant.create(key="order-1").status_code == 409


def test_a_contract_that_stores_successes_only_frees_the_key(
    emulator: EmulatorServer, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator.state.contract, "stores", lambda answer: answer.status < 300)
    assert merchant.pay_directly("4000000000009995", key="order-1").status_code == 402
    assert merchant.pay_directly(key="order-1").status_code == 201
    assert merchant.pay_directly("4000000000009995", key="order-1").status_code == 409


def test_what_is_refused_before_processing_is_not_stored(emulator: EmulatorServer, merchant: Any) -> None:
    headers = {"Idempotency-Key": "order-1", "Content-Type": "application/json"}
    assert merchant.send("POST", "/v1/payments/hpp", data=b"{", headers=headers).status_code == 400
    emulator.revoke_key(merchant.key)
    assert merchant.create(key="order-1").status_code == 401
    emulator.restore_key(merchant.key)
    assert merchant.create(key="order-1").status_code == 201


def test_i7_a_request_in_flight_is_409(
    emulator: EmulatorServer, merchant: Any, merchants: Any, in_background: Any
) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=60)
    first = in_background(merchant.create, key="order-1")
    emulator.wait_until_held()
    answer = merchants[0].create(key="order-1")
    assert answer.status_code == 409
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert emulator.payments() == []
    emulator.release()
    payment = first.result(timeout=10).json()
    assert merchants[0].create(key="order-1").json() == payment
    assert len(emulator.payments()) == 1


def test_i3_many_at_once_with_one_key_are_one_payment(
    emulator: EmulatorServer, merchants: Any, in_background: Any
) -> None:
    attempts = [in_background(each.create, key="order-1") for each in merchants]
    answers = [attempt.result(timeout=10) for attempt in attempts]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len(emulator.payments()) == 1


class Model:
    """The rule in a few lines: one answer per API key and idempotency key and day."""

    def __init__(self) -> None:
        self.now = 0
        self.payments = 0
        self.remembered: dict[str, tuple[int, int, int]] = {}

    def create(self, key: str, amount: int) -> tuple[int, int | None]:
        """Return the status and the number of the payment that the answer shows."""
        since, first_amount, number = self.remembered.get(key, (-DAY_SECONDS, 0, 0))
        if self.now < since + DAY_SECONDS:
            return (201, number) if first_amount == amount else (409, None)
        self.payments += 1
        self.remembered[key] = (self.now, amount, self.payments)
        return 201, self.payments


steps = st.lists(
    st.tuples(st.just("create"), st.sampled_from("ab"), st.sampled_from([100, 200]))
    | st.tuples(st.just("advance"), st.sampled_from([1, DAY_SECONDS // 2, DAY_SECONDS - 1, DAY_SECONDS]), st.none()),
    max_size=12,
)


@pytest.fixture(scope="module")
def still_server() -> Iterator[EmulatorServer]:
    with EmulatorServer(read_seconds=lambda: 1_700_000_000.0) as server:
        yield server


@given(steps)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_keys_and_days_follows_the_rule(
    still_server: EmulatorServer, merchant: Any, sequence: list[Any]
) -> None:
    still_server.reset()
    merchant.emulator, model = still_server, Model()
    for action, value, amount in sequence:
        if action == "advance":
            still_server.advance(seconds=value)
            model.now += value
            continue
        status, number = model.create(value, amount)
        answer = merchant.create(key=value, amount=amount)
        assert answer.status_code == status
        if number is not None:
            assert answer.json()["id"] == still_server.payments()[number - 1].id
    assert len(still_server.payments()) == model.payments
