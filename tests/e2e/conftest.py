"""A real browser in front of the shop, with the emulator as the gateway behind it.

Without a browser the tests are skipped; with FLOWLIX_REQUIRE_BROWSER=1 they fail instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings as django_settings

from django_flowlix.emulator.server import EmulatorServer
from example_project.shop.catalogue import fill_shelves
from example_project.shop.models import Order

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_MS = 20_000

# An in-memory database is one connection for all threads: two requests at once would share a transaction. This
# file is read before the first test sets the database up.
_sqlite = django_settings.DATABASES["default"]
if _sqlite["ENGINE"].endswith("sqlite3") and not _sqlite.setdefault("TEST", {}).get("NAME"):
    _sqlite["TEST"]["NAME"] = str(Path(tempfile.gettempdir()) / f"django-flowlix-e2e-{os.getpid()}.sqlite3")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


def go_without(reason: str) -> NoReturn:
    if os.environ.get("FLOWLIX_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, and FLOWLIX_REQUIRE_BROWSER=1 asks for a browser")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for one module. (For the session it would leave its event loop to tests that know nothing of it.)"""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        go_without(f"no browser: none of {', '.join(BROWSERS)} is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        go_without('no playwright: pip install "django-flowlix[dev]"')
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def shop_url(live_server: Any, emulator: EmulatorServer, settings: Any) -> str:
    """The shop on a real port, paying at the emulator."""
    account = settings.FLOWLIX["default"] | {"BASE_URL": live_server.url}
    settings.FLOWLIX = {"default": account}
    settings.SHOP_HOSTED_PAGE_ORIGINS = [emulator.url]
    fill_shelves()
    return str(live_server.url)


def follow(target: Any) -> None:
    """Click, and wait for the page that comes: `click()` alone may return while the old one is still there."""
    with target.page.expect_navigation():
        target.click()


class Visitor:
    """A person with a browser of their own; complaints of the browser are kept and must be none at the end."""

    def __init__(self, browser: Any, shop_url: str, **options: Any) -> None:
        self.shop_url = shop_url
        self.context = browser.new_context(base_url=shop_url, **options)
        self.context.set_default_timeout(TIMEOUT_MS)
        self.complaints: list[str] = []
        self.page = self.open_tab()

    def open_tab(self) -> Any:
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def _note(self, message: Any) -> None:
        # "Failed to load resource" is how Chromium reports a page with status 404 or 422; those are asked for.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    def fill_basket(self, product: str = "Heron fountain pen") -> None:
        self.page.goto("/")
        self.page.get_by_role("link", name=product).click()
        self.page.get_by_role("button", name="Put into the basket").click()
        self.page.get_by_role("link", name="Go to checkout").click()

    def check_out(self) -> Order:
        """Go from an empty basket to the order's page."""
        self.fill_basket()
        for label, value in (
            ("First name", "Ada"),
            ("Last name", "Lovelace"),
            ("E-mail", "ada@example.com"),
            ("Phone", "+49 30 901820"),
            ("Street and number", "Unter den Linden 1"),
            ("Postcode", "10117"),
            ("City", "Berlin"),
        ):
            self.page.get_by_label(label).fill(value)
        self.page.get_by_label("Country").select_option("Germany")
        self.page.get_by_role("button", name="Continue to your order").click()
        self.page.wait_for_url("**/orders/*/")
        return Order.objects.get()

    def go_to_hosted_page(self) -> Order:
        order = self.check_out()
        self.page.get_by_role("button", name="Pay €49.00").click()
        self.page.wait_for_url("**/hpp/**")
        return order

    def enter_card(self, number: str) -> None:
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Expiry date").fill("12/34")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_label("Name on card").fill("Ada Lovelace")
        self.page.get_by_role("button", name="Pay").click()

    def sees(self, text: str) -> bool:
        """Wait for a text to appear."""
        self.page.get_by_text(text).first.wait_for()
        return True

    def heading(self) -> str:
        return str(self.page.get_by_role("heading", level=1).inner_text())


@pytest.fixture
def visitor(browser: Any, shop_url: str) -> Iterator[Visitor]:
    visitor = Visitor(browser, shop_url)
    yield visitor
    visitor.context.close()
    assert visitor.complaints == []


@pytest.fixture
def make_visitor(browser: Any, shop_url: str) -> Iterator[Any]:
    """Visitors with special browsers: `make_visitor(java_script_enabled=False)`."""
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        visitors.append(Visitor(browser, shop_url, **options))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []
