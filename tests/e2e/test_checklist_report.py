"""The checklist's page in a browser, opened from a file as from a ticket: axe, a phone's width, the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist.report import Report
from django_flowlix.checklist.reports import html_report
from tests.checklist.reports.examples import every_outcome, hostile
from tests.e2e.conftest import TIMEOUT_MS, go_without
from tests.e2e.test_admin_accessibility import OPTIONS

REPORTS = {"test": every_outcome(), "live": every_outcome(livemode=True), "hostile": hostile()}


class Reader:
    """Opens a report from a file; what the browser complains of is kept."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self._browser, self._folder = browser, folder
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    def opens(self, report: Report, **options: Any) -> Any:
        file = self._folder / "report.html"
        file.write_text(html_report.render(report), encoding="utf-8")
        self.contexts.append(self._browser.new_context(**options))
        self.contexts[-1].set_default_timeout(TIMEOUT_MS)
        page = self.contexts[-1].new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("request", lambda request: self._note(request.url))
        page.goto(file.as_uri())
        return page

    def _note(self, url: str) -> None:
        if not url.endswith("/report.html"):
            self.complaints.append(f"asked for {url}")


@pytest.fixture
def reader(browser: Any, tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(browser, tmp_path)
    yield reader
    for context in reader.contexts:
        context.close()
    assert reader.complaints == []


def violations(page: Any) -> list[str]:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ModuleNotFoundError:
        go_without('no axe: pip install "django-flowlix[dev]"')
    result = Axe().run(page, options=OPTIONS).response
    return [f"{found['id']}: {node['html']}" for found in result["violations"] for node in found["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_nothing(reader: Reader, name: str, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900}
    page = reader.opens(REPORTS[name], color_scheme=scheme, viewport=size, bypass_csp=True)

    assert violations(page) == []


def test_axe_would_find_something(reader: Reader) -> None:
    page = reader.opens(every_outcome(), bypass_csp=True)
    page.locator("h1").evaluate("heading => heading.style.setProperty('color', '#ddd')")

    assert [found.split(":")[0] for found in violations(page)] == ["color-contrast"]


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_fits_a_phone_and_keeps_its_policy(reader: Reader, name: str) -> None:
    page = reader.opens(REPORTS[name], viewport={"width": 320, "height": 700})

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.locator("article").first.evaluate("line => getComputedStyle(line).display") == "grid"


def test_a_style_that_is_not_the_pages_own_is_refused(browser: Any, tmp_path: Path) -> None:
    reader = Reader(browser, tmp_path)
    page = reader.opens(every_outcome())
    page.evaluate("document.querySelector('h1').setAttribute('style', 'color: rgb(1, 2, 3)')")
    colour = page.locator("h1").evaluate("heading => getComputedStyle(heading).color")
    reader.contexts[0].close()

    assert colour != "rgb(1, 2, 3)"
    assert "Content Security Policy" in reader.complaints[0]


def test_a_screen_reader_can_follow(reader: Reader) -> None:
    page = reader.opens(every_outcome())

    assert page.get_by_role("heading", level=1).inner_text() == "Go-live checklist"
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["Integration", "Security", "Installation"]
    assert page.get_by_role("region", name="Security").get_by_role("article").count() == 2
    assert page.get_by_role("article", name="HTTPS everywhere").get_by_role("listitem").count() == 3
    assert page.get_by_role("navigation", name="Sections").get_by_role("link").count() == 3
    assert [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]


def test_the_printed_page_is_black_on_white_and_shows_the_addresses(reader: Reader) -> None:
    page = reader.opens(every_outcome(), color_scheme="dark")
    page.emulate_media(media="print")

    colours = "({color, backgroundColor}) => [color, backgroundColor]"
    assert page.evaluate(f"({colours})(getComputedStyle(document.body))") == ["rgb(29, 36, 48)", "rgb(255, 255, 255)"]

    link = page.get_by_role("article", name="The line decline-texts").get_by_role("link")
    shown = link.evaluate("link => getComputedStyle(link, '::after').content")
    assert "https://docs.example.com/checklist.html#decline-texts" in shown
    assert page.get_by_role("navigation").count() == 0
