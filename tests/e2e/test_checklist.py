"""The checklist in a real browser: attest and withdraw, axe, policy, phone, keyboard, paper, no JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist.items import registered
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ChecklistRun, ChecklistSignoff
from tests.admin.checked import CHECKLIST, RUNS, a_foreign_line, a_line, a_name, a_run, attest_page, finding
from tests.admin.rows import NOON
from tests.e2e.conftest import Visitor, follow
from tests.e2e.support_staff import Staff, staff
from tests.e2e.test_admin_accessibility import findings
from tests.e2e.test_policy_and_layout import HAS_VISIBLE_FOCUS

__all__ = ["staff"]

NARROW = {"width": 360, "height": 740}
PAPER = {"width": 794, "height": 1123}
LONG = "a_word_that_nobody_has_broken" * 12 + " <b>and</b> a sentence that goes on " * 8
SCOPE = "Cards are entered on the hosted page only"
CAME_TO = ".flowlix-came-to .flowlix-outcome > :not([aria-hidden])"


@pytest.fixture
def run(emulator: EmulatorServer) -> Iterator[ChecklistRun]:
    """Every outcome, lines that have changed, names that stand, expired and were withdrawn, and texts without end."""
    with a_foreign_line(title=LONG[:250]):
        ids = [item.id for item in registered()]
        kinds = ["pass", "warn", "skip", "fail", "person"]
        before = [a_line(item, finding(kinds[number % 5])) for number, item in enumerate(ids)]
        a_run(*before, hours_ago=30, ran_by="deploy", stages=("static", "network"))
        changed = {item: finding("fail", f"It broke. {LONG}", f"Mend it. {LONG}") for item in ids[::7]}
        people = {item: finding("person", "A program cannot see.") for item in ("pci-scope", "https", "stock-reserved")}
        now = [
            a_line(item, changed.get(item) or people.get(item) or finding(kinds[number % 5]), finding("note"))
            for number, item in enumerate(ids)
            if item != "clock"
        ]
        run = a_run(*now)
        a_name("https", api_key_fingerprint="0" * 16)
        a_name(
            "stock-reserved", at=NOON - timedelta(days=3), withdrawn_at=NOON, withdrawn_by_name="carl", note=LONG[:500]
        )
        a_name("stock-reserved", note=LONG[:500])
        yield run


def every_page(visitor: Visitor, run: ChecklistRun) -> Iterator[str]:
    """Walk through all screens; yields the name of each when it is there."""
    page = visitor.page
    for address in (
        RUNS,
        f"{RUNS}{run.pk}/change/",
        CHECKLIST,
        attest_page("stock-reserved", "withdraw"),
        "/admin/django_flowlix/",
    ):
        page.goto(address)
        yield address
    page.goto(CHECKLIST)
    for summary in page.locator("summary").all():
        summary.click()
    yield "with every name"
    page.goto(attest_page("pci-scope"))
    yield "attest"
    follow(page.get_by_role("button", name="Attest"))
    yield "attest with a fault"
    page.get_by_label("How you know").fill("I looked.")
    page.locator("[name=shown]").evaluate("field => { field.value = 'something else' }")
    follow(page.get_by_role("button", name="Attest"))
    yield "attest once more"
    ChecklistRun.objects.all().delete()
    page.goto(CHECKLIST)
    yield "before the first run"


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "dark", "viewport": NARROW}],
    ids=["light", "dark", "phone"],
)
def test_axe_finds_nothing(staff: Staff, run: ChecklistRun, options: dict[str, Any]) -> None:
    visitor = staff(bypass_csp=True, **options)
    found, seen = [], []
    for name in every_page(visitor, run):
        seen.append(name)
        found += findings(visitor)

    assert found == []
    assert len(seen) == 10


def test_every_page_fits_a_phone_and_keeps_the_policy(staff: Staff, run: ChecklistRun) -> None:
    visitor = staff(viewport=NARROW)
    too_wide = []
    for name in every_page(visitor, run):
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            too_wide.append(f"{name} is {width} px wide")

    assert too_wide + visitor.complaints == []


def test_on_a_phone_the_list_shows_what_each_run_came_to(staff: Staff, run: ChecklistRun) -> None:
    page = staff(viewport=NARROW).page
    page.goto(RUNS)
    badges = page.locator("#result_list .flowlix-counts .flowlix-outcome")
    ends = badges.evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")

    assert len(ends) == 10
    assert max(ends) <= NARROW["width"]
    day = page.locator("#result_list .field-started a").first
    assert day.evaluate("link => link.getClientRects().length") <= 2, "2026-03-14 stays in one line"


@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_a_line_is_attested_and_the_name_withdrawn(staff: Staff, run: ChecklistRun, javascript: bool) -> None:
    page = staff(java_script_enabled=javascript).page
    line = page.get_by_role("article", name=SCOPE)
    outcome = line.locator(CAME_TO)
    page.goto("/admin/django_flowlix/")
    follow(page.get_by_role("link", name="Go-live checklist:"))
    follow(line.get_by_role("link", name="Attest"))
    page.get_by_label("How you know").fill("Looked at every template.")
    follow(page.get_by_role("button", name="Attest"))

    assert page.url.endswith("#line-pci-scope")
    assert page.get_by_text(f"Your name stands under “{SCOPE}” now.").is_visible()
    assert line.get_by_text("Attested by anna").is_visible()
    assert outcome.inner_text() == "pass"

    follow(line.get_by_role("link", name="Withdraw attestation"))
    page.get_by_label("Why it no longer holds").fill("It was another branch.")
    follow(page.get_by_role("button", name="Withdraw attestation"))
    assert outcome.inner_text() == "needs a person"
    line.get_by_text("1 attestation, with note and statement").click()
    assert line.get_by_text("It was another branch.").is_visible()
    signoff = ChecklistSignoff.objects.get(item="pci-scope")
    assert (signoff.note, signoff.withdrawal_note) == ("Looked at every template.", "It was another branch.")


def test_changes_lead_to_their_lines_and_lines_to_their_runs(staff: Staff, run: ChecklistRun) -> None:
    page = staff().page
    page.goto(CHECKLIST)
    changes = page.get_by_role("region", name="Changed by the last run")
    changes.get_by_role("link").first.click()

    assert page.url.endswith("#line-live-key-from-environment")
    line = page.locator("#line-live-key-from-environment")
    assert line.get_by_text("Changed by the last run:").is_visible()
    follow(line.get_by_role("link", name="2026-03-14 12:00"))
    assert page.url.endswith(f"{RUNS}{run.pk}/change/")


def test_the_file_of_a_run_opens_anywhere(staff: Staff, run: ChecklistRun, tmp_path: Path) -> None:
    visitor = staff()
    visitor.page.goto(f"{RUNS}{run.pk}/change/")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="Download as an HTML file").click()
    assert download.value.suggested_filename == "flowlix-check-default-2026-03-14-1200.html"
    file = tmp_path / "report.html"
    download.value.save_as(file)
    visitor.page.goto(file.as_uri())

    assert visitor.page.get_by_role("heading", name="Go-live checklist").is_visible()
    background = visitor.page.evaluate("getComputedStyle(document.querySelector('.line')).backgroundColor")
    assert background != "rgba(0, 0, 0, 0)", "its own policy lets its style in"


def test_by_keyboard_the_focus_is_seen(staff: Staff, run: ChecklistRun) -> None:
    page = staff().page
    page.goto(CHECKLIST)
    page.locator("#content-start").focus()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        target = page.locator(":focus")
        reached.append(target.inner_text().splitlines()[0])
        assert target.evaluate(HAS_VISIBLE_FOCUS), reached

    assert reached[:3] == ["2026-03-14 12:00", "All runs", "The key is read from the environment, never hard-coded"]
    assert "API integration" in reached


def test_each_line_has_a_name_and_its_outcome_is_read(staff: Staff, run: ChecklistRun) -> None:
    page = staff().page
    page.goto(CHECKLIST)

    assert page.get_by_role("article", name=SCOPE).locator(CAME_TO).inner_text() == "needs a person"
    assert page.get_by_role("article").count() == len(registered())
    assert page.get_by_role("navigation", name="Sections").get_by_role("img", name="fail").count() > 1
    headings = page.locator("#content :is(h1, h2, h3, h4)").evaluate_all("all => all.map(one => +one.tagName[1])")
    jumps = [(one, other) for one, other in pairwise(headings) if other > one + 1]
    assert jumps == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_has_every_name(staff: Staff, run: ChecklistRun, scheme: str) -> None:
    page = staff(color_scheme=scheme, viewport=PAPER).page
    page.goto(CHECKLIST)
    page.emulate_media(media="print", color_scheme=scheme)

    panel = page.locator(".flowlix-panel").first
    assert panel.evaluate("panel => getComputedStyle(panel).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("Withdrawn by carl").is_visible()
    for selector in ("#header", "#nav-sidebar", ".flowlix-steps", ".flowlix-contents"):
        assert not page.locator(selector).first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]


def test_forced_colours_keep_the_signs(staff: Staff, run: ChecklistRun) -> None:
    page = staff(forced_colors="active").page
    page.goto(CHECKLIST)
    signs = page.locator(".flowlix-seen .flowlix-mark, .flowlix-badge .flowlix-mark")
    same = signs.evaluate_all(
        """all => all.filter(sign => {
            const ground = sign.closest('.flowlix-badge, .flowlix-line, .flowlix-panel');
            return getComputedStyle(sign).color === getComputedStyle(ground).backgroundColor;
        }).length"""
    )

    assert signs.count() > 60
    assert same == 0
