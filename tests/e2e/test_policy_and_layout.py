"""Every page under the strict Content-Security-Policy, on a narrow phone, and by keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from django_flowlix.models import Payment

VISA = "4242424242424242"
NARROW = {"width": 320, "height": 640}
HAS_VISIBLE_FOCUS = """element => [element, ...(element.closest(".card") ? [element.closest(".card")] : [])].some(
    shown => { const style = getComputedStyle(shown);
               return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
                   || style.boxShadow !== "none"; })"""
# Every element with text of its own, its colour against the first opaque background behind it.
CONTRAST = """() => {
    const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = element => {
        for (let node = element; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const faint = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility()) continue;
        const style = getComputedStyle(element);
        const pair = [light(parse(style.color)), light(behind(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        const needed = large ? 3 : 4.5;
        if (ratio < needed) faint.push(`${element.tagName} ${ratio.toFixed(2)} ${element.textContent.trim()}`);
    }
    return faint;
}"""


def visit_everything(visitor: Any, see: Any) -> None:
    """Walk through the whole shop and call `see` on every page."""
    page = visitor.page
    for address in ("/", "/products/wax-seal/", "/basket/", "/nothing-here/"):
        page.goto(address)
        see()
    visitor.fill_basket()
    see()
    page.goto("/basket/")
    see()
    order = visitor.check_out()
    see()
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/hpp/**")
    see()
    payment = Payment.objects.get()
    page.goto(payment.get_absolute_url())
    see()
    page.goto(payment.hosted_page_url)
    visitor.enter_card(VISA)
    page.wait_for_url("**/receipt/")
    see()
    for address in (order.get_absolute_url(), f"/flowlix/result/{payment.return_token}/"):
        page.goto(address)
        see()


def test_a_breach_of_the_policy_would_be_noticed(visitor: Any) -> None:
    visitor.page.goto("/")
    visitor.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    assert visitor.page.wait_for_function("document.querySelector('p[style]') !== null")
    noticed = "; ".join(visitor.complaints)
    visitor.complaints.clear()

    assert "Content Security Policy" in noticed


def test_the_admin_works_under_the_policy(visitor: Any, django_user_model: type[User]) -> None:
    django_user_model.objects.create_superuser("admin", password="a long enough one")
    order = visitor.go_to_hosted_page()
    page = visitor.page
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("a long enough one")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Orders").click()
    page.get_by_role("link", name=order.reference).click()
    page.goto("/admin/shop/product/add/")
    page.get_by_label("Name").press_sequentially("Blotting paper")

    assert page.get_by_label("Slug").input_value() == "blotting-paper"  # a script of the admin did that
    page.goto("/admin/django_flowlix/payment/")
    assert visitor.sees(order.reference)
    page.get_by_role("link", name=order.reference).first.click()
    assert visitor.sees(order.reference)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_f11_every_page_keeps_the_policy_fits_a_narrow_phone_and_is_legible(make_visitor: Any, scheme: str) -> None:
    """Legible is WCAG 2.2, success criterion 1.4.3: 4.5 : 1, or 3 : 1 for large text."""
    visitor = make_visitor(viewport=NARROW, color_scheme=scheme)
    seen, faults = [], []

    def measure() -> None:
        seen.append(visitor.page.url)
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            faults.append(f"{visitor.page.url} is {width} px wide")
        if "/hpp/" not in visitor.page.url:
            faults.extend(f"{visitor.page.url}: {text}" for text in visitor.page.evaluate(CONTRAST))

    visit_everything(visitor, measure)
    assert len(seen) == 12
    assert faults + visitor.complaints == []


def test_faint_text_would_be_noticed(visitor: Any) -> None:
    visitor.page.goto("/")
    visitor.page.evaluate("document.querySelector('h1').style.setProperty('color', '#d0c8b8')")

    assert [text.split()[0] for text in visitor.page.evaluate(CONTRAST)] == ["H1"]


class Keyboard:
    """A person without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def go_to(self, role: str, name: str) -> None:
        """Press Tab until the focus is there, and see that it can be seen."""
        target = self.page.get_by_role(role, name=name).first
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate(HAS_VISIBLE_FOCUS), f"no visible focus on {role} {name}"
                return
        raise AssertionError(f"{role} {name} cannot be reached with Tab on {self.page.url}")

    def press(self, role: str, name: str) -> None:
        self.go_to(role, name)
        self.page.keyboard.press("Enter")

    def write(self, name: str, text: str, role: str = "textbox") -> None:
        self.go_to(role, name)
        self.page.keyboard.type(text)


def test_a_purchase_by_keyboard_alone(visitor: Any) -> None:
    page, keyboard = visitor.page, Keyboard(visitor.page)
    page.goto("/")
    keyboard.press("link", "Heron fountain pen")
    page.wait_for_url("**/products/**")
    keyboard.press("button", "Put into the basket")
    page.wait_for_url("**/basket/")
    keyboard.press("link", "Go to checkout")
    page.wait_for_url("**/checkout/")
    for label, text in (("First name", "Ada"), ("Last name", "Lovelace"), ("E-mail", "ada@example.com")):
        keyboard.write(label, text)
    for label, text in (("Phone", "+49 30 901820"), ("Street", "Unter den Linden 1"), ("Postcode", "10117")):
        keyboard.write(label, text)
    keyboard.write("City", "Berlin")
    keyboard.write("Country", "Germany", role="combobox")
    keyboard.press("button", "Continue to your order")
    page.wait_for_url("**/orders/*/")
    keyboard.press("button", "Pay €49.00")
    page.wait_for_url("**/hpp/**")
    keyboard.write("Card number", VISA)
    keyboard.write("Expiry date", "1234")
    keyboard.write("Security code", "123")
    keyboard.press("button", "Pay")
    page.wait_for_url("**/receipt/")

    assert visitor.heading() == "Thank you, Ada."


def test_the_first_tab_stop_skips_to_the_content(visitor: Any) -> None:
    visitor.page.goto("/")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")

    assert visitor.page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize(("preference", "animation"), [("reduce", "none"), ("no-preference", "flowlix-turn")])
def test_the_waiting_ring_turns_only_for_those_who_like_it(make_visitor: Any, preference: str, animation: str) -> None:
    visitor = make_visitor(reduced_motion=preference)
    visitor.go_to_hosted_page()
    visitor.page.goto(Payment.objects.get().get_absolute_url())

    ring = visitor.page.locator(".flowlix-mark")
    assert ring.evaluate("element => getComputedStyle(element).animationName") == animation
