"""Every fault, seen from the client's side of a real socket."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from django_flowlix.emulator.answers import Delivery
from django_flowlix.emulator.fault_kinds import KINDS
from django_flowlix.emulator.gateway import Exchange, Incoming
from django_flowlix.emulator.server import EmulatorServer


def _listed(merchant: Any) -> int:
    return len(merchant.get("/v1/payments").json()["data"])


def test_n5_a_5xx_before_the_work_leaves_no_payment_and_frees_the_key(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "status_before", status=503, times=2)
    assert [merchant.create(key="order-1").status_code for _ in range(3)] == [503, 503, 201]
    assert _listed(merchant) == 1


def test_n6_a_5xx_after_the_work_leaves_a_payment_that_the_key_finds(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "status_after")
    broken = merchant.create(key="order-1")
    (payment,) = emulator.payments()
    repaired = merchant.create(key="order-1")
    assert (broken.status_code, repaired.status_code) == (500, 201)
    assert repaired.json()["id"] == payment.id
    assert _listed(merchant) == 1


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "card_error"),
        (403, "authentication_error"),
        (404, "invalid_request_error"),
        (408, "invalid_request_error"),
        (409, "idempotency_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "api_error"),
    ],
)
def test_k6_a_status_comes_with_the_error_type_that_fits(
    emulator: EmulatorServer, merchant: Any, status: int, error_type: str
) -> None:
    emulator.fault("retrieve", "status_before", status=status)
    answer = merchant.get("/v1/payments/pay_unknown")
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == error_type
    assert answer.json()["error"]["request_id"] == answer.headers["Flowlix-Request-Id"]
    assert "X-RateLimit-Remaining" in answer.headers


@pytest.mark.parametrize(("kind", "payments"), [("drop_before", 0), ("drop_after", 1)])
def test_c3_a_dropped_connection_has_no_answer_at_all(
    emulator: EmulatorServer, merchant: Any, kind: str, payments: int
) -> None:
    emulator.fault("create_hosted", kind)
    with pytest.raises(requests.ConnectionError, match="RemoteDisconnected"):
        merchant.create(key="order-1")
    assert len(emulator.payments()) == payments
    assert [(entry.fault, entry.status) for entry in emulator.log()] == [(kind, None)]
    assert merchant.create(key="order-1").status_code == 201
    assert len(emulator.payments()) == 1


def test_n3_a_truncated_answer_ends_in_the_middle(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "truncated_answer")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        merchant.create()
    assert len(emulator.payments()) == 1


def test_n7_a_dripping_answer_keeps_the_socket_busy(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "drip", pause_seconds=0.002)
    started = time.monotonic()
    page = merchant.get("/v1/payments", timeout=1)
    # Sixty-odd bytes and as many pauses: longer than any answer in one piece takes.
    assert time.monotonic() - started > 0.1
    assert page.json()["data"] == []


def _give_up(merchant: Any, **options: Any) -> None:
    with pytest.raises(requests.ReadTimeout):
        merchant.post("/v1/payments/hpp", merchant.hosted_body(), timeout=0.2, **options)
    # On a busy machine the client may give up before the server has looked at the request.
    merchant.emulator.wait_until_held()


def test_n2_a_delay_before_the_work_outlasts_the_client(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=60)
    _give_up(merchant, key="order-1")
    assert emulator.payments() == []
    # The work is still done when the delay is over; the client, long gone, finds it by its key.
    assert merchant.create(key="order-1").status_code == 409
    emulator.release()


def test_n2_a_delay_after_the_work_leaves_a_payment(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "delay_after", delay_seconds=60)
    _give_up(merchant, key="order-1")
    assert len(emulator.payments()) == 1
    assert merchant.create(key="order-1").status_code == 201
    assert len(emulator.payments()) == 1


def test_a_delay_is_real_and_then_the_answer_is_right(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=0.2)
    started = time.monotonic()
    assert merchant.create().status_code == 201
    assert time.monotonic() - started >= 0.2


def test_a_reset_ends_a_delay_without_doing_the_work(
    emulator: EmulatorServer, merchant: Any, in_background: Any
) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=60)
    held = in_background(merchant.create)
    emulator.wait_until_held()
    emulator.reset()
    with pytest.raises(requests.ConnectionError):
        held.result(timeout=10)
    assert emulator.payments() == []


def test_a_request_that_a_reset_overtakes_does_no_work(emulator: EmulatorServer, merchant: Any) -> None:
    state = emulator.state
    headers = {"authorization": f"Bearer {merchant.key}", "content-type": "application/json"}
    body = json.dumps(merchant.hosted_body()).encode()
    incoming = Incoming("POST", "/v1/payments/hpp", [], headers, body, emulator.url)
    merchant.get("/v1/payments")
    exchange = Exchange(state, incoming, state.log.entries()[0])
    state.reset()
    assert exchange.answer().delivery is Delivery.DROPPED
    assert emulator.payments() == []


def test_a_release_ends_a_delay_and_the_work_is_done(
    emulator: EmulatorServer, merchant: Any, control: Any, in_background: Any
) -> None:
    emulator.fault("create_hosted", "delay_before", delay_seconds=60)
    held = in_background(merchant.create)
    emulator.wait_until_held()
    assert emulator.payments() == []
    assert control("POST", "/release").status_code == 200
    assert held.result(timeout=10).status_code == 201
    assert len(emulator.payments()) == 1


def test_waiting_for_a_request_that_never_comes_has_an_end(emulator: EmulatorServer) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        emulator.wait_until_held(timeout_seconds=0.01)


def test_any_fault_may_be_delayed(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "status_before", delay_seconds=0.2)
    started = time.monotonic()
    assert merchant.get("/v1/payments").status_code == 500
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("kind", ["html_before", "html_after"])
def test_m1_a_page_of_something_in_between(emulator: EmulatorServer, merchant: Any, kind: str) -> None:
    emulator.fault("create_hosted", kind, status=502)
    answer = merchant.create()
    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<!doctype html>")
    assert "Flowlix-Request-Id" not in answer.headers
    assert "X-RateLimit-Limit" not in answer.headers
    assert len(emulator.payments()) == (1 if kind == "html_after" else 0)


@pytest.mark.parametrize(("kind", "body"), [("empty_body", b""), ("json_null", b"null"), ("json_array", b"[]")])
def test_m2_an_answer_without_a_payment(emulator: EmulatorServer, merchant: Any, kind: str, body: bytes) -> None:
    emulator.fault("create_hosted", kind)
    answer = merchant.create()
    assert (answer.status_code, answer.content) == (201, body)
    assert answer.headers["Content-Type"] == "application/json"
    assert len(emulator.payments()) == 1


def test_m2_json_that_stops_in_the_middle(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "truncated_json")
    answer = merchant.create(key="order-1")
    whole = merchant.create(key="order-1")
    assert whole.content.startswith(answer.content)
    assert 0 < len(answer.content) < len(whole.content)


def test_m3_a_huge_answer(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "huge_body", size_bytes=3_000_000)
    answer = merchant.get("/v1/payments")
    assert len(answer.content) == 3_000_000
    assert answer.json()["data"] == []


def test_m4_not_a_number(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("retrieve", "not_a_number")
    payment = merchant.created()
    assert '"amount": NaN' in merchant.get(f"/v1/payments/{payment['id']}").text


def test_m4_deep_nesting(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "nested_body", depth=50_000)
    assert merchant.get("/v1/payments").text == "[" * 50_000 + "]" * 50_000


def test_s9_wrong_values_are_put_over_the_right_ones(emulator: EmulatorServer, merchant: Any) -> None:
    payment = merchant.created()
    fields = {"amount": 1, "currency": "usd", "livemode": True, "id": "pay_other", "status": "chargeback"}
    emulator.fault("retrieve", "override", fields=fields)
    path = f"/v1/payments/{payment['id']}"
    wrong, right = merchant.get(path).json(), merchant.get(path).json()
    assert wrong == {**right, **fields}
    assert right["amount"] == 4999


def test_m10_fields_are_left_out(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "omit", fields=["id", "hpp_url", "redirect_url"])
    assert merchant.created().keys().isdisjoint({"id", "hpp_url", "redirect_url"})
    assert len(emulator.payments()) == 1


def test_a_missing_request_id(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "no_request_id")
    answer = merchant.get("/v1/payments")
    assert answer.status_code == 200
    assert "Flowlix-Request-Id" not in answer.headers
    assert "X-RateLimit-Limit" in answer.headers


def test_r1_a_429_in_seconds(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=7)
    answer = merchant.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert emulator.payments() == []


def test_r2_a_429_with_a_date(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.advance(hours=1)
    emulator.fault("create_hosted", "rate_limited", form="http_date", retry_after_seconds=30)
    header = merchant.create().headers["Retry-After"]
    assert header.endswith("GMT")
    assert 28 <= parsedate_to_datetime(header).timestamp() - emulator.log()[-1].received_at <= 31


def test_r4_a_429_with_rubbish(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "rate_limited", form="rubbish")
    assert merchant.create().headers["Retry-After"] == "in a while"


@pytest.mark.parametrize("text", ["-5", "1.5", "30, 60", "", "9" * 400, "Sun Nov  6 08:49:37 1994"])
def test_r5_a_429_with_any_text(emulator: EmulatorServer, merchant: Any, text: str) -> None:
    emulator.fault("create_hosted", "rate_limited", retry_after=text)
    assert merchant.create().headers["Retry-After"] == text


def test_r8_a_429_without_the_header(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "rate_limited", form="absent")
    answer = merchant.create()
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


def test_i7_in_flight_on_demand(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "in_flight")
    answer = merchant.create(key="order-1")
    assert answer.status_code == 409
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert merchant.create(key="order-1").status_code == 201


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_m14_a_redirect_to_another_host(emulator: EmulatorServer, merchant: Any, status: int) -> None:
    emulator.fault("create_hosted", "redirect", status=status, location="http://127.0.0.1:9/elsewhere")
    answer = merchant.create()
    assert (answer.status_code, answer.headers["Location"]) == (status, "http://127.0.0.1:9/elsewhere")
    assert emulator.payments() == []


def test_faults_wait_for_their_operation_and_come_in_order(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("create_hosted", "status_before", status=500)
    emulator.fault("create_hosted", "status_before", status=503)
    emulator.fault("list", "status_before", status=502)
    assert [merchant.create().status_code for _ in range(3)] == [500, 503, 201]
    assert [merchant.get("/v1/payments").status_code for _ in range(2)] == [502, 200]


@pytest.mark.parametrize("operation", ["create_direct", "create_hosted", "list", "retrieve", "refund"])
def test_every_operation_can_have_a_fault(emulator: EmulatorServer, merchant: Any, operation: str) -> None:
    paid = merchant.pay_directly().json()
    emulator.fault(operation, "status_before", status=502)
    calls = {
        "create_direct": merchant.pay_directly,
        "create_hosted": merchant.create,
        "list": lambda: merchant.get("/v1/payments"),
        "retrieve": lambda: merchant.get(f"/v1/payments/{paid['id']}"),
        "refund": lambda: merchant.post(f"/v1/payments/{paid['id']}/refund"),
    }
    assert [name for name, call in calls.items() if call().status_code == 502] == [operation]


def test_a_refused_key_does_not_use_up_a_fault(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.fault("list", "status_before")
    emulator.revoke_key(merchant.key)
    assert merchant.get("/v1/payments").status_code == 401
    emulator.restore_key(merchant.key)
    assert merchant.get("/v1/payments").status_code == 500


def test_the_connection_is_usable_after_a_broken_body(emulator: EmulatorServer, merchant: Any) -> None:
    for kind in sorted(set(KINDS) - {"drop_before", "drop_after", "truncated_answer", "drip", "override"}):
        emulator.fault("list", kind, delay_seconds=0)
        assert merchant.get("/v1/payments").status_code
    assert merchant.get("/v1/payments").json()["data"] == []


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"operation": "pay", "kind": "drop_after"}, ["pay", "create_hosted", "refund"]),
        ({"kind": "drop_after"}, ["operation", "create_hosted"]),
        ({"operation": "list", "kind": "explode"}, ["explode", "drop_after", "status_before"]),
        ({"operation": "list", "kind": None}, ["drop_after"]),
        ({"operation": "list"}, ["kind", "drop_after"]),
        ({"operation": "list", "kind": "drop_after", "status": 500}, ["status", "times", "delay_seconds"]),
        ({"operation": "list", "kind": "status_before", "status": 200}, ["status", "400", "599"]),
        ({"operation": "list", "kind": "status_before", "status": "500"}, ["status"]),
        ({"operation": "list", "kind": "status_before", "times": 0}, ["times", "1"]),
        ({"operation": "list", "kind": "status_before", "times": True}, ["times"]),
        ({"operation": "list", "kind": "delay_before", "delay_seconds": -1}, ["delay_seconds", "0"]),
        ({"operation": "list", "kind": "rate_limited", "form": "french"}, ["form", "http_date", "absent"]),
        ({"operation": "list", "kind": "rate_limited", "retry_after": "1\r\n2"}, ["retry_after"]),
        ({"operation": "list", "kind": "redirect", "status": 304}, ["status", "307"]),
        ({"operation": "list", "kind": "override"}, ["fields", "amount"]),
        ({"operation": "list", "kind": "omit", "fields": "id"}, ["fields", "list"]),
        ([], ["object"]),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_says_what_would(control: Any, fault: Any, named: list[str]) -> None:
    answer = control("POST", "/faults", fault)
    assert answer.status_code == 400
    assert [word for word in named if word not in answer.json()["error"]] == []
    assert control("GET", "/faults").json() == []


def test_every_kind_stands_in_the_reference() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/emulator.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
