"""The waiting page: works by reloading, asks the gateway itself, moves on by itself."""

from __future__ import annotations

import re

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.web.conftest import Customer, addresses, gateway_calls

pytestmark = pytest.mark.django_db


def test_s2_reloading_asks_the_gateway_and_moves_on(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    pending = addresses(started).pending
    customer.clock.advance(seconds=30)
    waiting = customer.get(pending)
    emulator.pay(str(started.gateway_id))
    customer.clock.advance(seconds=5)

    decided = customer.get(pending)

    assert waiting.status_code == 200
    assert '<noscript><meta http-equiv="refresh"' in waiting.content.decode()
    assert (decided.status_code, decided["Location"]) == (302, "/thanks/")
    assert gateway_calls(emulator)["retrieve"] == 2


def test_a_customer_who_has_not_paid_yet_finds_the_way_back_to_the_hosted_page(
    customer: Customer, started: Payment
) -> None:
    text = customer.get(addresses(started).pending).content.decode()

    assert f'href="{started.hosted_page_url}"' in text
    assert f'data-flowlix-status-url="{addresses(started).status}"' in text
    assert "<form" not in text


def test_c5_an_unknown_start_offers_to_continue(customer: Customer, emulator: EmulatorServer) -> None:
    emulator.fault("create_hosted", "drop_before", times=4)
    customer.pay()
    payment = Payment.objects.get()

    text = customer.get(addresses(payment).pending).content.decode()

    assert f'<form method="post" action="{addresses(payment).onward}"' in text
    assert f'data-flowlix-status-url="{addresses(payment).status}?from=created"' in text
    assert gateway_calls(emulator) == {"create_hosted": 4}, "looking does not send the create again"


def test_a_look_that_fails_does_not_hold_a_worker_for_all_the_retries(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.fault("retrieve", "status_before", status=503, times=10)
    customer.clock.advance(seconds=30)
    customer.clock.slept.clear()

    assert customer.get(addresses(started).pending).status_code == 200
    assert sum(customer.clock.slept) < 5


def test_n11_many_looks_in_vain_do_not_put_off_the_background_check(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.fault("retrieve", "status_before", status=500, times=500)
    for _ in range(40):
        customer.clock.advance(seconds=3)
        customer.get(addresses(started).pending)

    payment = Payment.objects.get()
    assert len(emulator.log("retrieve")) >= 80
    assert payment.next_sync_at == started.next_sync_at
    assert payment.next_sync_at is not None
    assert payment.next_sync_at <= customer.clock.now(), "it is due"


@pytest.mark.parametrize("name", ["returned", "pending", "status", "result"])
def test_no_page_is_cached_or_framed(customer: Customer, started: Payment, settings: object, name: str) -> None:
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "XFrame" not in m]  # type: ignore[attr-defined]

    response = customer.get(getattr(addresses(started), name))

    assert {"no-store", "no-cache", "private"} <= set(re.split(r",\s*", response["Cache-Control"]))
    assert response["X-Frame-Options"] == "DENY"


def test_f11_the_answer_to_a_start_is_not_cached_or_framed_either(customer: Customer) -> None:
    response = customer.pay()

    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"


def test_a4_the_waiting_page_takes_no_post(customer: Customer, started: Payment) -> None:
    assert customer.post(addresses(started).pending).status_code == 405
    assert customer.post(addresses(started).status).status_code == 405
    assert customer.post(addresses(started).result).status_code == 405


def test_f10_an_order_reference_is_escaped(customer: Customer) -> None:
    customer.post("/pay-by-query/?reference=<script>alert(1)</script>")

    text = customer.get(addresses(Payment.objects.get()).pending).content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
