"""Dashboard, alerts and first transactions in a browser: axe, policy, phone, keyboard, paper, no JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from django_flowlix.services import clock
from django_flowlix.services.monitoring.tallies import close_hours
from tests.admin.alerts import a_complete_run, a_delivery, a_resolved_alert, an_alert
from tests.e2e.conftest import Visitor, follow
from tests.e2e.support_staff import Staff, staff
from tests.e2e.test_admin_accessibility import findings
from tests.e2e.test_policy_and_layout import HAS_VISIBLE_FOCUS
from tests.services.monitoring.happened import calls, payments, refund

__all__ = ["staff"]

APP = "/admin/django_flowlix/"
ALERTS = f"{APP}alert/"
DASHBOARD = f"{ALERTS}dashboard/"
NARROW = {"width": 360, "height": 740}
PAPER = {"width": 794, "height": 1123}
PICTURES = ["Payments by outcome", "Decline rate", "Calls that failed at the gateway", "Latency of the calls"]
# Text of a drawing is painted with `fill`, which axe does not look at.
FAINT_DRAWING = """() => {
    const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (one, other) => {
        const pair = [light(parse(one)), light(parse(other))].sort((a, b) => b - a);
        return (pair[0] + 0.05) / (pair[1] + 0.05);
    };
    const faint = [];
    for (const figure of document.querySelectorAll("figure")) {
        const ground = getComputedStyle(figure).backgroundColor;
        for (const text of figure.querySelectorAll("svg text"))
            if (ratio(getComputedStyle(text).fill, ground) < 4.5) faint.push(text.textContent);
        for (const shape of figure.querySelectorAll(".flowlix-ink, .flowlix-line, .flowlix-dot")) {
            const style = getComputedStyle(shape);
            const best = Math.max(...[style.fill, style.stroke].filter(c => c !== "none").map(c => ratio(c, ground)));
            if (best < 3) faint.push(shape.getAttribute("class"));
        }
    }
    return faint;
}"""


@pytest.fixture
def incident() -> None:
    """Hours with payments and calls of all kinds in live mode, and alerts in every state."""
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    live = {"livemode": True}
    for hour in range(1, 12):
        at, card = now - timedelta(hours=hour), {"card_brand": "visa", "card_country": "DE"}
        paid = payments(18 + hour, "succeeded", at, **live, **card)
        payments(hour, "failed", at, decline_code="three_d_secure_failed" if hour % 2 else "", **live, **card)
        payments(2, "expired", at, **live)
        calls(25 if hour % 3 else 3, at, duration_ms=90 * hour, **live)
        calls(hour, at, http_status=503, outcome="unknown", **live)
        calls(2, at, http_status=429, outcome="error", **live)
        calls(1, at, http_status=None, outcome="unknown", operation="create_hosted", **live)
    payments(1, "failed", now - timedelta(hours=15), decline_code="stolen_card", **live)
    refund(paid[0], "succeeded", now - timedelta(hours=1))
    close_hours(clock.now())
    a_complete_run(clock.now(), livemode=True)
    a_delivery(an_alert("decline_rate", **live))
    an_alert("server_errors", **live)
    an_alert("latency", livemode=False)
    a_resolved_alert("rate_limited", **live)


def every_page(visitor: Visitor) -> Iterator[str]:
    """Walk through all screens; yields the address of each when it is there."""
    addresses = [
        f"{DASHBOARD}?mode=live",
        f"{DASHBOARD}?mode=live&window=7d&tables=open",
        f"{DASHBOARD}?mode=live&window=30d",
        f"{DASHBOARD}?mode=test&window=never",
        ALERTS,
        APP,
        f"{APP}payment/first/",
        f"{APP}payment/first/?page=9",
    ]
    for address in addresses:
        visitor.page.goto(address)
        yield address
    visitor.page.goto(f"{ALERTS}?state=open")
    follow(visitor.page.get_by_role("link", name="Decline rate", exact=True))
    yield "an alert"


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "dark", "viewport": NARROW}],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing(staff: Staff, incident: None, options: dict[str, Any]) -> None:
    visitor = staff(bypass_csp=True, **options)
    found, seen = [], []
    for name in every_page(visitor):
        seen.append(name)
        found += findings(visitor)
        found += [f"{name}: {faint} is too faint" for faint in visitor.page.evaluate(FAINT_DRAWING)]

    assert found == []
    assert len(seen) == 9


def test_a_faint_drawing_would_be_noticed(staff: Staff, incident: None) -> None:
    visitor = staff(bypass_csp=True)
    visitor.page.goto(f"{DASHBOARD}?mode=live")
    visitor.page.locator("figure text").first.evaluate("text => text.style.setProperty('fill', '#ccc')")

    assert len(visitor.page.evaluate(FAINT_DRAWING)) == 1


def test_every_page_fits_a_phone_and_keeps_the_policy(staff: Staff, incident: None) -> None:
    visitor = staff(viewport=NARROW)
    too_wide = []
    for name in every_page(visitor):
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            too_wide.append(f"{name} is {width} px wide")

    assert too_wide + visitor.complaints == []


def test_it_works_without_javascript(staff: Staff, incident: None) -> None:
    visitor = staff(java_script_enabled=False)
    page = visitor.page
    page.goto(APP)
    follow(page.get_by_role("link", name="Dashboard"))
    follow(page.get_by_role("link", name="Live", exact=True))
    follow(page.get_by_role("link", name="7 days"))

    assert page.url.endswith("?window=7d&mode=live")
    assert page.get_by_role("img", name=PICTURES[0]).is_visible()
    table = page.get_by_role("region", name=PICTURES[0])
    assert not table.is_visible()
    page.get_by_text(f"{PICTURES[0]} as a table").click()
    assert table.get_by_role("row").count() == 29


def test_pictures_are_read_aloud_with_name_and_description(staff: Staff, incident: None) -> None:
    page = staff().page
    page.goto(f"{DASHBOARD}?mode=live")

    for name in PICTURES:
        assert page.get_by_role("img", name=name).count() == 1
    described = page.get_by_role("img", name=PICTURES[1]).get_attribute("aria-labelledby")
    assert described == "flowlix-decline-rate-title flowlix-decline-rate-desc"


def test_by_keyboard_the_focus_is_seen(staff: Staff, incident: None) -> None:
    page = staff().page
    page.goto(f"{DASHBOARD}?mode=live&tables=open")
    page.locator("#content-start").focus()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        target = page.locator(":focus")
        if not target.count() or not target.evaluate("element => element.closest('.flowlix-dashboard') !== null"):
            break
        reached.append(target.inner_text().splitlines()[0])
        assert target.evaluate(HAS_VISIBLE_FOCUS), reached

    assert reached[:7] == [
        "24 hours",
        "7 days",
        "30 days",
        "Live",
        "Test",
        "Decline rate",
        "Server errors of the gateway",
    ]
    assert f"{PICTURES[3]} as a table" in reached
    assert "Show every table" in reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_has_every_table(staff: Staff, incident: None, scheme: str) -> None:
    visitor = staff(color_scheme=scheme, viewport=PAPER)
    page = visitor.page
    page.goto(f"{DASHBOARD}?mode=live")
    page.emulate_media(media="print", color_scheme=scheme)

    assert page.evaluate("getComputedStyle(document.querySelector('figure')).backgroundColor") == "rgb(255, 255, 255)"
    for name in PICTURES:
        assert page.get_by_role("region", name=name).get_by_role("row").first.is_visible()
    for selector in ("#header", ".flowlix-choices", "#nav-sidebar"):
        assert not page.locator(selector).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    assert page.evaluate(FAINT_DRAWING) == []


def test_a_column_says_its_numbers_to_a_pointer(staff: Staff, incident: None) -> None:
    page = staff().page
    page.goto(f"{DASHBOARD}?mode=live")
    columns = page.locator("#flowlix-volume .flowlix-slot")

    assert columns.count() == 24
    columns.nth(22).scroll_into_view_if_needed()
    box = columns.nth(22).bounding_box()
    title = page.evaluate(
        "point => document.elementFromPoint(...point).parentElement.querySelector('title').textContent",
        [box["x"] + box["width"] / 2, box["y"] + box["height"] - 4],
    )
    assert title.endswith("19 paid · 1 declined · 2 canceled, expired or not started")


def test_forced_colours_keep_the_kinds_apart(staff: Staff, incident: None) -> None:
    page = staff(forced_colors="active").page
    page.goto(f"{DASHBOARD}?mode=live")

    paid, otherwise = (
        page.locator(f"#flowlix-volume .flowlix-drawn .flowlix-{kind}").first.evaluate(
            "shape => getComputedStyle(shape).fill"
        )
        for kind in ("paid", "otherwise")
    )
    assert paid != otherwise
    assert page.locator("#flowlix-volume .flowlix-drawn .flowlix-stripes").count() == 12
