"""The documentation keeps up: what exists in the code stands in the docs, and what the docs import exists."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import BaseCommand, get_commands, load_command_class

from django_flowlix import api, exceptions, urls
from django_flowlix.conf import environment
from django_flowlix.conf.rules import SETTINGS
from django_flowlix.signals import SIGNALS
from django_flowlix.statuses import PaymentStatus, ReviewReason

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "django_flowlix"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
CHECK_ID = re.compile(r'"([EW][0-9]{3})"')
CHECK_IDS = sorted(
    {
        check_id
        for path in (PACKAGE / "checks.py", *(PACKAGE / "conf").glob("*.py"))
        for check_id in CHECK_ID.findall(path.read_text(encoding="utf-8"))
    }
)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows(name: str, *, part: str = "") -> dict[str, str]:
    """Return the rows of a page's tables, from `part` on, by the name in the first cell (its first row counts)."""
    text = page(name)
    found = re.findall(r"^\| `?([\w.]+)[^|]*\|(.*)\|$", text[text.index(part) :], re.MULTILINE)
    return dict(reversed(found))


def test_the_check_ids_are_found() -> None:
    assert {"E001", "E026", "E030", "W035"} <= set(CHECK_IDS)


@pytest.mark.parametrize("check_id", CHECK_IDS)
def test_every_check_has_a_line_in_the_docs_and_a_test(check_id: str) -> None:
    assert len(rows("reference/checks.md")[check_id]) > 20
    tests = [ROOT / "tests" / "test_checks.py", *(ROOT / "tests" / "conf").glob("*.py")]
    tested = "".join(path.read_text(encoding="utf-8") for path in tests)
    by_setting = any(setting.check_id == check_id for setting in SETTINGS.values())
    assert by_setting or f'"{check_id}"' in tested


def test_no_check_is_documented_that_does_not_exist() -> None:
    documented = {name for name in rows("reference/checks.md") if re.fullmatch(r"[EW][0-9]{3}", name)}
    assert documented == set(CHECK_IDS)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented_with_its_check_and_default(name: str) -> None:
    default, meaning, check_id = rows("reference/settings.md")[name].split("|")
    assert check_id.strip() == SETTINGS[name].check_id
    assert len(meaning) > 20
    if name == "API_URL":
        assert "the contract's" in default
    elif name in ("SECRET_KEY", "BASE_URL"):
        assert "required" in default
    else:
        assert ast.literal_eval(default.strip().strip("`")) == SETTINGS[name].default


def test_the_documented_settings_exist() -> None:
    documented = {name for name in rows("reference/settings.md") if re.fullmatch(r"[A-Z_]{4,}", name)}
    assert documented <= set(SETTINGS)


@pytest.mark.parametrize("name", sorted(set(environment._READERS) - {"SECRET_KEY"}))
def test_every_setting_that_is_not_plain_text_says_how_it_is_written_in_the_environment(name: str) -> None:
    _, form = environment._READERS[name]
    assert f"`{form}`" in rows("reference/settings.md", part="| Setting | Written like |")[name]


@pytest.mark.parametrize("name", SIGNALS)
def test_every_signal_is_documented(name: str) -> None:
    assert name in rows("reference/signals.md")


@pytest.mark.parametrize("word", [*PaymentStatus, *ReviewReason])
def test_every_status_and_review_reason_is_documented(word: str) -> None:
    assert word in rows("reference/statuses.md")


@pytest.mark.parametrize(
    "name",
    [name for name in vars(exceptions) if name.startswith(("Payment", "Invalid", "Already")) and name != "Payment"],
)
def test_every_exception_is_documented(name: str) -> None:
    assert f"`{name}`" in page("reference/services.md")


@pytest.mark.parametrize("name", [name for name in api.__all__ if name.endswith("Error")])
def test_every_error_of_the_client_is_documented(name: str) -> None:
    assert f"`{name}`" in page("reference/client.md")


@pytest.mark.parametrize("pattern", urls.urlpatterns, ids=lambda pattern: pattern.name)
def test_every_address_is_documented(pattern: object) -> None:
    assert pattern.name in rows("reference/views.md")  # type: ignore[attr-defined]


TEMPLATES = sorted((PACKAGE / "templates" / "django_flowlix").glob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_is_documented(path: Path) -> None:
    assert path.name in rows("reference/views.md")


OWN_COMMANDS = [name for name, app in get_commands().items() if app == "django_flowlix"]


@pytest.mark.parametrize("name", OWN_COMMANDS)
def test_every_command_and_its_options_are_documented(name: str) -> None:
    text = page("reference/commands.md") + page("reference/emulator.md")
    assert f"## `{name}`" in text
    parser = load_command_class("django_flowlix", name).create_parser("manage.py", name)
    usual = BaseCommand().create_parser("manage.py", name)
    ours = set(parser._option_string_actions) - set(usual._option_string_actions)
    assert ours
    for option in ours:
        assert option in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_imports_exists(path: Path) -> None:
    imports = re.findall(r"^ *from (django[\w.]*) import ([\w, ]+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [(module, name.strip()) for module, names in imports for name in names.split(",")]
    assert [where for where in wanted if not hasattr(import_module(where[0]), where[1])] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).is_file()]
    assert missing == []
