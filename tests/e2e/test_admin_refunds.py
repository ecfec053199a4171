"""Support staff at work in a real browser: they find a payment and give money back, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Refund
from tests.e2e.conftest import Visitor, follow
from tests.e2e.support_staff import LIST, ORDER, Staff, a_paid_payment, staff
from tests.e2e.test_policy_and_layout import HAS_VISIBLE_FOCUS

__all__ = ["staff"]


def find_payment(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(LIST)
    page.locator("#searchbar").fill(ORDER)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=ORDER).click()
    page.wait_for_url(f"**{LIST}*/change/**")


def fact(visitor: Visitor, name: str) -> str:
    """Return a figure of the section on top."""
    return str(visitor.page.locator(".flowlix-facts div", has_text=name).locator("dd").inner_text())


def refund(visitor: Visitor, amount: str, reason: str) -> str:
    """Refund from the payment's page; returns what the page says afterwards."""
    page = visitor.page
    follow(page.get_by_role("link", name="Refund", exact=True))
    if page.get_by_label("Amount").count():
        page.get_by_label("Amount").fill(amount)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name=f"Refund {amount} EUR now").click()
    page.wait_for_url(f"**{LIST}*/change/**")
    return str(page.locator(".messagelist").inner_text())


def ask_now(visitor: Visitor) -> None:
    follow(visitor.page.get_by_role("button", name="Ask the gateway now"))


def tab_to(page: Any, role: str, name: str) -> None:
    """Press Tab until the focus is there, and see that it can be seen."""
    target = page.get_by_role(role, name=name, exact=True)
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate(HAS_VISIBLE_FOCUS), f"no visible focus on {role} {name}"
            return
    raise AssertionError(f"{role} {name} cannot be reached with Tab on {page.url}")


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])
def test_a_part_then_the_rest_then_once_more(staff: Staff, dev_emulator: EmulatorServer, javascript: bool) -> None:
    dev_emulator.set_refund_delay(None)
    payment = a_paid_payment(dev_emulator)
    anna = staff(java_script_enabled=javascript)
    find_payment(anna)
    assert fact(anna, "Left to refund") == "49.99 EUR"

    assert "Refund 1 over 10.00 EUR is accepted by the gateway and under way" in refund(anna, "10.00", "one bag")
    assert (fact(anna, "Refunds under way"), fact(anna, "Left to refund")) == ("10.00 EUR", "39.99 EUR")
    dev_emulator.finish_refund(dev_emulator.refunds(str(payment.gateway_id))[0].id, "succeed")
    ask_now(anna)
    assert (fact(anna, "Refunded"), fact(anna, "Refunds under way")) == ("10.00 EUR", "0.00 EUR")

    assert "Refund 2 over 39.99 EUR" in refund(anna, "39.99", "the other bags")
    dev_emulator.finish_refund(dev_emulator.refunds(str(payment.gateway_id))[1].id, "succeed")
    ask_now(anna)
    assert (fact(anna, "Refunded"), fact(anna, "Left to refund")) == ("49.99 EUR", "0.00 EUR")

    assert anna.page.get_by_role("link", name="Refund", exact=True).count() == 0
    assert anna.sees("No refund from here: The payment has been refunded in full.")
    anna.page.goto(f"{LIST}{payment.pk}/refund/")
    assert anna.sees("This payment cannot be refunded")
    assert len(dev_emulator.log("refund")) == 2


def test_in_eu_once_and_in_full(staff: Staff, emulator: EmulatorServer) -> None:
    a_paid_payment(emulator)
    anna = staff()
    find_payment(anna)
    anna.page.get_by_role("link", name="Refund", exact=True).click()
    assert anna.sees("Payments of this account are refunded once and in full")
    follow(anna.page.get_by_role("link", name="Back to the payment"))

    assert "Refunded: 49.99 EUR went back to Visa •••• 4242" in refund(anna, "49.99", "sent back")
    assert fact(anna, "Refunded") == "49.99 EUR"
    assert anna.page.get_by_role("link", name="Refund", exact=True).count() == 0
    assert len(emulator.log("refund")) == 1


def test_u2_a_double_click_refunds_once(staff: Staff, dev_emulator: EmulatorServer) -> None:
    payment = a_paid_payment(dev_emulator)
    page = staff().page
    page.goto(f"{LIST}{payment.pk}/refund/")
    page.get_by_label("Amount").fill("10,00")
    page.get_by_label("Reason").fill("one bag")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Refund 10.00 EUR now").dblclick()
    page.wait_for_url(f"**{LIST}*/change/**")

    assert [row.amount_minor for row in Refund.objects.all()] == [1000]
    assert len(dev_emulator.log("refund")) == 1


def test_a_fault_is_shown_beside_its_field_and_the_entry_is_kept(staff: Staff, dev_emulator: EmulatorServer) -> None:
    payment = a_paid_payment(dev_emulator)
    page = staff().page
    page.goto(f"{LIST}{payment.pk}/refund/")
    page.get_by_label("Amount").fill("60")
    page.get_by_label("Reason").fill("one bag")
    follow(page.get_by_role("button", name="Continue"))
    amount = page.get_by_label("Amount")

    assert amount.input_value() == "60"
    assert page.get_by_label("Reason").input_value() == "one bag"
    said = amount.evaluate(
        "field => field.getAttribute('aria-describedby').split(' ')"
        ".map(id => document.getElementById(id)?.textContent ?? '').join(' ')"
    )
    assert "At most 49.99 EUR can be refunded." in said


def test_a_refund_by_keyboard_alone(staff: Staff, dev_emulator: EmulatorServer) -> None:
    payment = a_paid_payment(dev_emulator)
    page = staff().page
    page.goto(f"{LIST}{payment.pk}/change/")
    tab_to(page, "link", "Refund")
    page.keyboard.press("Enter")
    page.wait_for_url("**/refund/")
    tab_to(page, "textbox", "Amount in EUR")
    page.keyboard.press("Control+a")
    page.keyboard.type("10.00")
    tab_to(page, "textbox", "Reason")
    page.keyboard.type("one bag")
    tab_to(page, "button", "Continue")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Confirm the refund").wait_for()
    tab_to(page, "button", "Refund 10.00 EUR now")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")

    assert Refund.objects.get().amount_minor == 1000
    for role, name in (("button", "Ask the gateway now"), ("button", "Copy for a ticket")):
        tab_to(page, role, name)


# --- The text for a ticket --------------------------------------------------------------------------------------


def test_one_click_copies_the_text_for_a_ticket(staff: Staff, emulator: EmulatorServer) -> None:
    payment = a_paid_payment(emulator)
    anna = staff(permissions=["clipboard-read", "clipboard-write"])
    anna.page.goto(f"{LIST}{payment.pk}/change/")
    anna.page.get_by_role("button", name="Copy for a ticket").click()

    anna.page.get_by_role("status").get_by_text("Copied", exact=True).wait_for()
    copied = anna.page.evaluate("navigator.clipboard.readText()")
    assert f"Payment: {payment.gateway_id}" in copied.splitlines()
    assert emulator.log()[0].request_id in copied


def test_the_text_is_copied_where_there_is_no_clipboard_to_write_to(staff: Staff, emulator: EmulatorServer) -> None:
    payment = a_paid_payment(emulator)
    page = staff(permissions=["clipboard-read"]).page
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })")
    page.goto(f"{LIST}{payment.pk}/change/")
    page.get_by_role("button", name="Copy for a ticket").click()

    page.get_by_role("status").get_by_text("Copied", exact=True).wait_for()
    selected = page.get_by_label("Text for a ticket", exact=True)
    assert selected.evaluate("field => field.selectionEnd - field.selectionStart === field.value.length")


def test_without_a_script_the_text_can_be_selected_by_hand(staff: Staff, emulator: EmulatorServer) -> None:
    payment = a_paid_payment(emulator)
    page = staff(java_script_enabled=False).page
    page.goto(f"{LIST}{payment.pk}/change/")

    assert page.get_by_role("button", name="Copy for a ticket").count() == 0
    page.get_by_text("Text for a ticket to the gateway").click()
    assert f"Payment: {payment.gateway_id}" in page.get_by_label("Text for a ticket", exact=True).input_value()
