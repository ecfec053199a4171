"""Who is let in, and what each mode sees. Source: docs.flowlix.eu/api-reference/authentication"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from django_flowlix.emulator.server import EmulatorServer


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer fl_test_sk_short",
        "Bearer sk_test_0123456789abcdef",
        "Bearer fl_test_pk_0123456789abcdef",
        "Bearer fl_test_sk_0123456789abcde!",
        "Bearer  fl_test_sk_0123456789abcdef",
        "Basic fl_test_sk_0123456789abcdef",
        "fl_test_sk_0123456789abcdef",
    ],
)
def test_k5_no_usable_key_is_401(emulator: EmulatorServer, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = requests.get(f"{emulator.url}/v1/payments", headers=headers, timeout=5)
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert error["param"] is None
    assert error["decline_code"] is None
    assert "X-RateLimit-Limit" not in answer.headers


def test_the_scheme_may_be_written_in_any_case(emulator: EmulatorServer, merchant: Any) -> None:
    merchant.session.headers["Authorization"] = f"bearer {merchant.key}"
    assert merchant.get("/v1/payments").status_code == 200


def test_k5_a_revoked_key_is_refused_at_once_and_can_be_restored(emulator: EmulatorServer, merchant: Any) -> None:
    emulator.revoke_key(merchant.key)
    assert merchant.get("/v1/payments").status_code == 401
    emulator.restore_key(merchant.key)
    assert merchant.get("/v1/payments").status_code == 200


def test_only_the_listed_keys_are_accepted(merchant: Any, other_key: Any) -> None:
    with EmulatorServer(accepted_keys=[merchant.key]) as strict:
        merchant.emulator = other_key.emulator = strict
        assert merchant.get("/v1/payments").status_code == 200
        assert other_key.get("/v1/payments").status_code == 401


def test_k3_livemode_follows_the_key(merchant: Any, live: Any) -> None:
    assert merchant.created()["livemode"] is False
    assert live.created()["livemode"] is True


def test_f4_the_other_modes_objects_do_not_exist(merchant: Any, live: Any) -> None:
    payment = merchant.created()
    assert live.get(f"/v1/payments/{payment['id']}").status_code == 404
    assert live.post(f"/v1/payments/{payment['id']}/refund").status_code == 404
    assert live.get("/v1/payments").json()["data"] == []
    assert live.get("/v1/payments", params={"starting_after": payment["id"]}).status_code == 400


def test_two_keys_of_one_mode_see_the_same_payments(merchant: Any, other_key: Any) -> None:
    payment = merchant.created()
    assert other_key.get(f"/v1/payments/{payment['id']}").json()["id"] == payment["id"]


def test_the_error_object_has_all_its_keys(merchant: Any) -> None:
    answer = merchant.get("/v1/payments/pay_unknown")
    error = answer.json()["error"]
    assert set(error) == {"type", "code", "message", "param", "decline_code", "doc_url", "request_id"}
    assert error["request_id"] == answer.headers["Flowlix-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/payments/pay_1"),
        ("PUT", "/v1/payments"),
        ("GET", "/v1/refunds"),
        ("GET", "/v1/payments/"),
        ("POST", "/v1/payments/hpp/"),
        ("HEAD", "/v1/payments"),
        ("OPTIONS", "/v1/payments"),
    ],
)
def test_an_unknown_address_is_404_with_a_request_id(merchant: Any, method: str, path: str) -> None:
    answer = merchant.send(method, path)
    assert answer.status_code == 404
    assert answer.headers["Flowlix-Request-Id"].startswith("req_")


def test_request_ids_differ(merchant: Any) -> None:
    ids = {merchant.get("/v1/payments").headers["Flowlix-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("version", ["2025-01-31", "1999-99-99"])
def test_a_version_of_the_published_pattern_is_accepted(merchant: Any, version: str) -> None:
    assert merchant.get("/v1/payments", headers={"Flowlix-Version": version}).status_code == 200


@pytest.mark.parametrize("version", ["2025-1-31", "latest", "20250131", "2025-01-31T00:00"])
def test_another_version_is_400(merchant: Any, version: str) -> None:
    answer = merchant.post("/v1/payments/hpp", merchant.hosted_body(), headers={"Flowlix-Version": version})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "Flowlix-Version"
