"""A person buys a pen: it works at once, at the second card, not at all, or without ever coming back."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment

VISA = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
WITHOUT_FUNDS = "4000 0000 0000 9995"


def test_a_card_pays_and_the_receipt_shows_it(visitor: Any, emulator: EmulatorServer) -> None:
    order = visitor.go_to_hosted_page()
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()
    payment = Payment.objects.get()

    assert visitor.heading() == "Thank you, Ada."
    assert visitor.sees("Visa")
    assert visitor.sees(str(payment.gateway_id))
    assert order.paid_at is not None
    assert (payment.status, payment.card_last4, payment.amount_minor) == ("succeeded", "4242", 4900)
    # An undisturbed purchase: one POST to start it, one GET on the return.
    calls = [(entry.method, entry.operation) for entry in emulator.log() if entry.path.startswith("/v1/")]
    assert calls == [("POST", "create_hosted"), ("GET", "retrieve")]


def test_i4_after_a_declined_card_a_second_one_pays(visitor: Any, emulator: EmulatorServer) -> None:
    order = visitor.go_to_hosted_page()
    visitor.enter_card(WITHOUT_FUNDS)
    visitor.page.wait_for_url("**/not-paid/")
    order.refresh_from_db()

    assert visitor.sees("Nothing has been taken from your account")
    assert order.paid_at is None

    visitor.page.get_by_role("button", name="Try again").click()
    visitor.page.wait_for_url("**/hpp/**")
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()

    assert order.paid_at is not None
    assert sorted(Payment.objects.values_list("attempt", "status")) == [(1, "failed"), (2, "succeeded")]
    keys = [entry.idempotency_key for entry in emulator.log("create_hosted")]
    assert len(set(keys)) == 2


def test_a_canceled_payment_leaves_the_order_as_it_is(visitor: Any) -> None:
    order = visitor.go_to_hosted_page()
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.page.wait_for_url("**/not-paid/")
    order.refresh_from_db()

    assert order.paid_at is None
    assert visitor.page.get_by_role("button", name="Try again").is_visible()


def pay_and_lose_the_connection(route: Any) -> None:
    route.fetch(max_redirects=0)
    route.abort()


def test_s1_a_customer_who_never_returns_is_booked_by_sync(
    visitor: Any, emulator: EmulatorServer, fake_clock: Any
) -> None:
    order = visitor.go_to_hosted_page()
    visitor.page.route("**/hpp/**", pay_and_lose_the_connection)
    with visitor.page.expect_event("requestfailed"):
        visitor.enter_card(VISA)
    visitor.page.close()
    order.refresh_from_db()
    assert order.paid_at is None
    assert emulator.payments()[0].status == "succeeded"

    fake_clock.advance(minutes=10)
    call_command("flowlix_sync")
    order.refresh_from_db()

    assert order.paid_at is not None
    assert Payment.objects.get().status == "succeeded"


def test_i1_a_double_click_on_pay_makes_one_payment(visitor: Any, emulator: EmulatorServer) -> None:
    visitor.check_out()
    visitor.page.get_by_role("button", name="Pay €49.00").dblclick()
    visitor.page.wait_for_url("**/hpp/**")

    assert len(emulator.payments()) == 1
    assert Payment.objects.count() == 1


def test_i2_a_second_tab_leads_to_the_same_hosted_page(visitor: Any, emulator: EmulatorServer) -> None:
    order = visitor.go_to_hosted_page()
    second = visitor.open_tab()
    second.goto(order.get_absolute_url())
    second.get_by_role("button", name="Go on paying").click()
    second.wait_for_url("**/hpp/**")

    assert second.url == visitor.page.url
    assert len(emulator.payments()) == 1


def test_s4_without_its_cookie_the_payment_is_booked_and_nothing_personal_is_shown(visitor: Any) -> None:
    order = visitor.go_to_hosted_page()
    visitor.context.clear_cookies()
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()

    assert order.paid_at is not None
    assert visitor.heading() == "We cannot show this order here"
    assert "Ada" not in visitor.page.content()


def test_s3_back_and_reload_change_nothing(visitor: Any, emulator: EmulatorServer) -> None:
    order = visitor.go_to_hosted_page()
    visitor.enter_card(VISA)
    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()
    paid_at = order.paid_at
    visitor.page.reload()
    visitor.page.goto(f"/flowlix/return/{Payment.objects.get().return_token}/?status=failed")
    visitor.page.wait_for_url("**/receipt/")
    order.refresh_from_db()

    assert order.paid_at == paid_at
    assert len(emulator.log("create_hosted")) == 1


def test_a_declined_card_is_met_with_kind_words(visitor: Any) -> None:
    visitor.go_to_hosted_page()
    visitor.enter_card(DECLINED)
    visitor.page.wait_for_url("**/not-paid/")
    text = visitor.page.inner_text("main").lower()

    assert not [word for word in ("lost", "stolen", "fraud", "your fault", "failed") if word in text]
    assert visitor.heading() == "That did not go through"
