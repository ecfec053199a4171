"""Reading payments. Source: docs.flowlix.eu/api-reference/pagination, api-reference/payments/list-payments"""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer


@pytest.fixture
def seven(merchant: Any) -> list[str]:
    """Return the ids of seven payments, newest first."""
    return [merchant.created(amount=100 + n)["id"] for n in range(7)][::-1]


def _ids(page: dict[str, Any]) -> list[str]:
    return [payment["id"] for payment in page["data"]]


def test_a_payment_reads_as_it_was_created(merchant: Any) -> None:
    created = merchant.created(metadata={"order": "1001"})
    answer = merchant.get(f"/v1/payments/{created['id']}")
    assert answer.status_code == 200
    assert answer.json() == {name: value for name, value in created.items() if name != "hpp_url"}


@pytest.mark.parametrize("payment_id", ["pay_unknown", "x" * 300, "%2e%2e", "pay_a%0d%0ab"])
def test_n13_an_unknown_payment_is_404(merchant: Any, payment_id: str) -> None:
    answer = merchant.get(f"/v1/payments/{payment_id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_empty_list_has_its_envelope(merchant: Any) -> None:
    assert merchant.get("/v1/payments").json() == {
        "object": "list", "url": "/v1/payments", "data": [], "has_more": False,
    }  # fmt: skip


def test_the_list_is_newest_first_and_ten_long(emulator: EmulatorServer, merchant: Any) -> None:
    ids = [merchant.created()["id"] for _ in range(12)][::-1]
    page = merchant.get("/v1/payments").json()
    assert _ids(page) == ids[:10]
    assert page["has_more"] is True


def test_starting_after_walks_to_the_end(merchant: Any, seven: list[str]) -> None:
    walked: list[str] = []
    page = merchant.get("/v1/payments", params={"limit": 3}).json()
    while True:
        walked += _ids(page)
        if not page["has_more"]:
            break
        page = merchant.get("/v1/payments", params={"limit": 3, "starting_after": walked[-1]}).json()
    assert walked == seven


def test_ending_before_gives_the_page_right_before_the_cursor(merchant: Any, seven: list[str]) -> None:
    page = merchant.get("/v1/payments", params={"limit": 2, "ending_before": seven[4]}).json()
    assert _ids(page) == seven[2:4]
    assert page["has_more"] is True
    page = merchant.get("/v1/payments", params={"limit": 2, "ending_before": seven[2]}).json()
    assert _ids(page) == seven[:2]
    assert page["has_more"] is False


def test_a_payment_created_meanwhile_does_not_shift_the_next_page(merchant: Any, seven: list[str]) -> None:
    merchant.created()
    page = merchant.get("/v1/payments", params={"limit": 3, "starting_after": seven[2]}).json()
    assert _ids(page) == seven[3:6]


def test_status_filters(emulator: EmulatorServer, merchant: Any, seven: list[str]) -> None:
    emulator.pay(seven[0])
    emulator.decline(seven[1])
    emulator.pay(seven[2])
    emulator.refund(seven[2])
    found = {
        status: _ids(merchant.get("/v1/payments", params={"status": status}).json())
        for status in ("succeeded", "failed", "refunded", "pending")
    }
    assert found == {
        "succeeded": [seven[0]], "failed": [seven[1]], "refunded": [seven[2]], "pending": seven[3:],
    }  # fmt: skip


def test_has_more_counts_what_the_filter_lets_through(
    emulator: EmulatorServer, merchant: Any, seven: list[str]
) -> None:
    emulator.pay(seven[0])
    page = merchant.get("/v1/payments", params={"status": "succeeded", "limit": 1}).json()
    assert (_ids(page), page["has_more"]) == ([seven[0]], False)


def test_created_is_bounded_inclusively_below_and_exclusively_above(emulator: EmulatorServer, merchant: Any) -> None:
    old = merchant.created()
    emulator.advance(seconds=100)
    new = merchant.created()
    since = merchant.get("/v1/payments", params={"created[gte]": new["created"]}).json()
    before = merchant.get("/v1/payments", params={"created[lt]": new["created"]}).json()
    assert (_ids(since), _ids(before)) == ([new["id"]], [old["id"]])
    both = {"created[gte]": old["created"], "created[lt]": new["created"] + 1}
    assert _ids(merchant.get("/v1/payments", params=both).json()) == [new["id"], old["id"]]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=paid", "status"),
        ("status=SUCCEEDED", "status"),
        ("created[gte]=yesterday", "created[gte]"),
        ("created[lt]=-1", "created[lt]"),
        ("created[gt]=1", "created[gt]"),
        ("starting_after=pay_unknown", "starting_after"),
        ("ending_before=pay_unknown", "ending_before"),
        ("page=2", "page"),
    ],
)
def test_a_query_that_does_not_fit_is_400(merchant: Any, query: str, param: str) -> None:
    answer = merchant.get(f"/v1/payments?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_both_cursors_at_once_are_400(merchant: Any, seven: list[str]) -> None:
    params = {"starting_after": seven[0], "ending_before": seven[5]}
    assert merchant.get("/v1/payments", params=params).status_code == 400
