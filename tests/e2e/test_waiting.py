"""The waiting page: it moves on by itself, with JavaScript and without, and never calls the unknown a failure."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from tests.e2e.conftest import follow

VISA = "4242 4242 4242 4242"
WITH_AND_WITHOUT = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])


@pytest.fixture
def impatient(settings: Any) -> None:
    """One try and no more, so that an unknown outcome is reached quickly."""
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETRY_BUDGET": 1}}


@WITH_AND_WITHOUT
def test_s2_a_payment_that_is_decided_later_leads_to_the_receipt(
    make_visitor: Any, emulator: EmulatorServer, javascript: bool
) -> None:
    visitor = make_visitor(java_script_enabled=javascript)
    order = visitor.go_to_hosted_page()
    emulator.fault("retrieve", "override", fields={"status": "pending"}, times=1)
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/flowlix/pending/**")

    assert visitor.heading() == "We are confirming your payment"
    assert visitor.sees(order.reference)
    order.refresh_from_db()
    assert order.paid_at is None

    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()
    assert order.paid_at is not None


@WITH_AND_WITHOUT
def test_n11_a_return_while_the_gateway_is_down_is_confirmed_later(
    make_visitor: Any, emulator: EmulatorServer, impatient: None, javascript: bool
) -> None:
    visitor = make_visitor(java_script_enabled=javascript)
    order = visitor.go_to_hosted_page()
    emulator.fault("retrieve", "status_before", status=503, times=2)
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/flowlix/pending/**")
    text = visitor.page.inner_text("main").lower()

    assert not [word for word in ("failed", "error", "declined", "unfortunately") if word in text]
    visitor.page.wait_for_url("**/receipt/", timeout=60_000)
    order.refresh_from_db()
    assert order.paid_at is not None


def test_c3_a_start_that_sync_completes_leads_on_by_itself(
    visitor: Any, emulator: EmulatorServer, impatient: None, fake_clock: Any
) -> None:
    visitor.check_out()
    emulator.fault("create_hosted", "drop_after", times=1)
    follow(visitor.page.get_by_role("button", name="Pay €49.00"))
    assert visitor.heading() == "We are preparing your payment"

    fake_clock.advance(minutes=10)
    call_command("flowlix_sync")
    visitor.page.wait_for_url("**/hpp/**")
    assert len(emulator.payments()) == 1


def test_n2_a_start_without_an_answer_goes_on_with_a_button_where_there_is_no_javascript(
    make_visitor: Any, emulator: EmulatorServer, impatient: None
) -> None:
    visitor = make_visitor(java_script_enabled=False)
    visitor.check_out()
    emulator.fault("create_hosted", "drop_after", times=1)
    follow(visitor.page.get_by_role("button", name="Pay €49.00"))
    assert visitor.heading() == "We are preparing your payment"

    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.wait_for_url("**/hpp/**")
    keys = {entry.idempotency_key for entry in emulator.log("create_hosted")}
    assert len(emulator.payments()) == 1
    assert len(keys) == 1


def test_a_payment_not_made_yet_leads_back_to_the_hosted_page(visitor: Any) -> None:
    visitor.go_to_hosted_page()
    visitor.page.goto(Payment.objects.get().get_absolute_url())
    visitor.page.get_by_role("link", name="Back to the payment page").click()
    visitor.page.wait_for_url("**/hpp/**")

    assert "49.00" in visitor.heading()


def test_after_a_while_the_page_says_that_it_takes_longer(visitor: Any) -> None:
    visitor.go_to_hosted_page()
    visitor.page.clock.install()
    visitor.page.goto(Payment.objects.get().get_absolute_url())
    slow = visitor.page.get_by_text("It takes a little longer this time")
    assert not slow.is_visible()

    visitor.page.clock.run_for(30_000)
    slow.wait_for(state="visible")
    assert slow.is_visible()
