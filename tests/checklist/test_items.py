"""The register: the gateway's list in its order, and lines of third parties after it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_flowlix.checklist import Item, Section, items, register
from django_flowlix.checklist.items import registered

ROOT = Path(__file__).resolve().parents[2]
# docs.flowlix.eu/guides/go-live, then what an installation needs besides
IN_ORDER = {
    "api-integration": ["live-key-from-environment", "idempotency-keys", "payment-id-stored", "minor-units"],
    "error-handling": ["error-types", "decline-texts", "retry-5xx", "no-retry-4xx", "retry-after"],
    "security": ["secret-key-server-side", "https", "webhooks-verified", "card-numbers-not-logged", "pci-scope"],
    "testing": ["outcomes-exercised", "idempotency-exercised", "errors-exercised", "hosted-cycle-exercised"],
    "monitoring": ["request-ids-stored", "decline-rate-watched", "alerts-deliverable"],
    "go-live": ["live-key-set", "real-payment", "first-transactions-watched"],
    "installation": [
        "system-checks", "migrations", "gateway-reachable", "key-accepted", "answer-headers", "clock",
        "return-address", "shared-cache", "sync-running",
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def register_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(items, "_registered", dict(items._registered))
    return


def by_section() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in registered():
        found.setdefault(item.section.id, []).append(item.id)
    return found


def test_the_lines_are_the_gateway_s_list_in_its_order() -> None:
    assert by_section() == IN_ORDER
    assert list(by_section()) == list(IN_ORDER)


def test_every_line_has_somebody_who_looks() -> None:
    import django_flowlix.checklist.probes  # noqa: F401

    assert [item.id for item in registered() if not item.probes] == []


@pytest.mark.parametrize("item", registered(), ids=lambda item: item.id)
def test_every_line_is_explained_where_its_link_leads(item: Item) -> None:
    address, anchor = item.docs_url.split("#")
    assert anchor == item.id
    page = (ROOT / "docs/reference" / f"{Path(address).stem}.md").read_text(encoding="utf-8")
    (explained,) = re.findall(rf"^### {re.escape(item.id)}\n\n(.+?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert len(explained) > 100


def test_no_line_is_explained_that_does_not_exist() -> None:
    page = (ROOT / "docs/reference/checklist.md").read_text(encoding="utf-8")
    explained = re.findall(r"^### ([a-z0-9-]+)$", page, re.MULTILINE)
    assert explained == [name for names in IN_ORDER.values() for name in names]


def test_a_third_party_s_lines_come_after_those_of_their_section() -> None:
    shop = Section("acme-shop", "Acme shop")
    register(Item("stock-reserved", shop, "Stock is reserved"))
    register(Item("cards-on-file", Section("security", "Security"), "No card is on file"))
    register(Item("invoice-sent", shop, "The invoice is sent"))
    names = [item.id for item in registered()]
    assert names[names.index("pci-scope") + 1] == "cards-on-file", "not after the lines of all other sections"
    assert by_section() == IN_ORDER | {
        "security": [*IN_ORDER["security"], "cards-on-file"],
        "acme-shop": ["stock-reserved", "invoice-sent"],
    }


def test_a_third_party_s_line_may_have_its_own_page() -> None:
    shop = Section("acme-shop", "Acme shop")
    item = register(Item("stock-reserved", shop, "Stock is reserved", docs_url="https://acme.example/stock"))
    assert item.docs_url == "https://acme.example/stock"
    assert register(Item("invoice-sent", shop, "The invoice is sent")).docs_url == "", "no page of ours explains it"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "acme.example/stock", "file:///etc/passwd"])
def test_a_link_that_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must be an http"):
        register(Item("stock-reserved", Section("acme-shop", "Acme shop"), "Stock", docs_url=address))


def test_a_section_has_one_title() -> None:
    with pytest.raises(ValueError, match="'security' is called 'Security' already"):
        register(Item("cards-on-file", Section("security", "Safety"), "No card is on file"))


@pytest.mark.parametrize(
    "name", ["", "Stock", "stock reserved", "stock_reserved", "-stock", "stock-", "1stock", "s" * 65]
)
def test_an_id_that_could_not_be_typed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words joined by hyphens"):
        register(Item(name, Section("acme-shop", "Acme shop"), "Stock"))
    with pytest.raises(ValueError, match="lower-case words joined by hyphens"):
        register(Item("stock", Section(name, "Acme shop"), "Stock"))


def test_an_id_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="has an item 'retry-5xx' already"):
        register(Item("retry-5xx", Section("acme-shop", "Acme shop"), "Again"))


def test_a_third_party_may_register_before_anything_else_is_imported() -> None:
    """An app that stands before ours gets ready first: the gateway's lines come first all the same."""
    code = """
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_flowlix"], USE_TZ=True)
django.setup()
from django_flowlix.checklist import Item, Section, register
from django_flowlix.checklist.items import registered
register(Item("stock-reserved", Section("acme-shop", "Acme"), "Stock"))
print(registered()[0].id, registered()[-1].id)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout.split() == ["live-key-from-environment", "stock-reserved"], done.stderr
