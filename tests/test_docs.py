"""The documentation keeps up: what exists in the code stands in the docs, and what the docs import exists."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import BaseCommand, get_commands, load_command_class

from django_flowlix import api, exceptions, services, urls
from django_flowlix.admin import AlertAdmin, ChecklistRunAdmin, PaymentAdmin, RefundAdmin
from django_flowlix.admin.export import COLUMNS
from django_flowlix.conf import environment
from django_flowlix.conf.rules import SETTINGS
from django_flowlix.models import Alert, ChecklistRun, Payment, Refund
from django_flowlix.services import schedule
from django_flowlix.services.monitoring.queues import PAYMENT_QUEUES, REFUND_QUEUES
from django_flowlix.signals import SIGNALS
from django_flowlix.statuses import PaymentStatus, RefundSource, RefundStatus, ReviewReason

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


STATUS_WORDS = [
    *((word, "| Status |") for word in PaymentStatus),
    *((word, "`RefundStatus` says") for word in RefundStatus),
    *((word, "`RefundSource` says") for word in RefundSource),
    *((word, "## Reviews") for word in ReviewReason),
]


@pytest.mark.parametrize(("word", "part"), STATUS_WORDS)
def test_every_status_source_and_review_reason_is_documented(word: str, part: str) -> None:
    text = page("reference/statuses.md")
    table = text[text.index(part) :].partition("\n\n## ")[0]
    assert f"\n| `{word}` |" in table


@pytest.mark.parametrize("label", [str(word.label) for word in PaymentStatus])
def test_staff_read_what_each_status_means(label: str) -> None:
    text = page("how-to/support.md")
    assert label in text[text.index("| The status says |") : text.index("**Refunds**")]


@pytest.mark.parametrize("label", [str(word.label) for word in RefundStatus])
def test_staff_read_what_each_outcome_of_a_refund_means(label: str) -> None:
    assert f"\n| {label} |" in page("how-to/refund.md")


EXCEPTIONS = [
    name
    for name, value in vars(exceptions).items()
    if isinstance(value, type) and issubclass(value, exceptions.PaymentError)
]


def test_the_exceptions_are_found() -> None:
    assert {"PaymentError", "AlreadyPaid", "RefundError", "InvalidRefundRequest", "RefundRejected"} <= set(EXCEPTIONS)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_documented(name: str) -> None:
    assert f"`{name}`" in page("reference/services.md")


@pytest.mark.parametrize("name", services.__all__)
def test_every_public_service_is_documented_with_its_arguments(name: str) -> None:
    text = page("reference/services.md")
    (heading,) = re.findall(rf"^## `{name}(.*)`$", text, re.MULTILINE)
    if name.islower():
        written = re.findall(r"(\w+)(?==|,|\))", heading.partition(" -> ")[0])
        assert set(inspect.signature(getattr(services, name)).parameters) - set(written) == set()


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


def own_addresses() -> list[str]:
    """Return the names of the admin's addresses, without those to add and delete, which refuse everybody."""
    screens = [
        (Payment, PaymentAdmin),
        (Refund, RefundAdmin),
        (Alert, AlertAdmin),
        (ChecklistRun, ChecklistRunAdmin),
    ]
    patterns = [pattern for model, screen in screens for pattern in screen(model, admin.site).get_urls()]
    return [pattern.name for pattern in patterns if pattern.name and not pattern.name.endswith(("_add", "_delete"))]


@pytest.mark.parametrize("name", own_addresses())
def test_every_address_of_the_admin_is_documented(name: str) -> None:
    assert name in rows("reference/admin.md", part="## Addresses")


@pytest.mark.parametrize("page_name", ["reference/admin.md", "how-to/refund.md"])
@pytest.mark.parametrize(
    "permission", ["view_payment", "view_refund", *(codename for codename, _ in Payment._meta.permissions)]
)
def test_every_permission_is_documented(page_name: str, permission: str) -> None:
    assert permission in rows(page_name, part="| Permission |")


def test_the_permission_for_alerts_is_documented() -> None:
    assert "dashboard" in rows("reference/admin.md", part="| Permission |")["view_alert"]


@pytest.mark.parametrize(
    "permission", ["view_checklistrun", *(codename for codename, _ in ChecklistRun._meta.permissions)]
)
def test_the_permissions_for_the_checklist_are_documented(permission: str) -> None:
    assert "checklist" in rows("reference/admin.md", part="| Permission |")[permission]


def parameter(list_filter: Any) -> str:
    if isinstance(list_filter, str):
        return f"{list_filter}__exact"
    return {"day": "day__from"}.get(list_filter.parameter_name, list_filter.parameter_name)


FILTERS = [
    *PaymentAdmin.list_filter,
    *RefundAdmin.list_filter,
    *AlertAdmin.list_filter,
    *ChecklistRunAdmin.list_filter,
]


@pytest.mark.parametrize("list_filter", FILTERS, ids=parameter)
def test_every_filter_of_the_admin_is_documented(list_filter: Any) -> None:
    text = page("reference/admin.md")
    assert f"`{parameter(list_filter)}`" in text[text.index("## Filters") : text.index("## Work queues")]


@pytest.mark.parametrize(
    "line",
    [
        f"{of}: `{queue.name}`"
        for of, queues in (("payments", PAYMENT_QUEUES), ("refunds", REFUND_QUEUES))
        for queue in queues
    ],
)
def test_every_work_queue_is_documented_for_developers_and_for_staff(line: str) -> None:
    assert f"\n| {line} |" in page("reference/admin.md")
    staff = line.replace("`", "").replace(": review", ": needs review").capitalize()
    assert f"\n| {staff} |" in page("how-to/support.md")


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_the_export_is_documented(column: str) -> None:
    text = page("reference/admin.md")
    assert f"`{column}`" in text[text.index("| Column |") : text.index("## What is never shown")]


@pytest.mark.django_db
def test_the_group_for_support_gets_every_permission() -> None:
    text = page("how-to/refund.md")
    (snippet,) = re.findall(r"```python\n(from django.contrib.auth.models import Group.*?)```", text, re.DOTALL)
    exec(snippet, {})
    given = {permission.codename for permission in Group.objects.get(name="Support").permissions.all()}
    assert given == {"view_payment", "view_refund", *(codename for codename, _ in Payment._meta.permissions)}


def duration(words: str) -> timedelta | None:
    """Read a pause or an age of the table: `10 minutes`, `hour`, `never`."""
    if words == "never":
        return None
    count, unit = re.fullmatch(r"(?:run, at most once in )?(\d*) ?(second|minute|hour|day|week)s?", words).groups()  # type: ignore[union-attr]
    return timedelta(**{f"{unit}s": int(count or 1)})


def schedule_of_the_docs() -> list[tuple[timedelta, timedelta | None, timedelta | None]]:
    """Return the rows of the table: an age that falls into each, and the pauses of an open and of a paid payment."""
    text = page("reference/commands.md")
    found = re.findall(r"^\| (?:up to )?([\w ]+) \| ([\w ,]+) \| ([\w ]+) \|$", text, re.MULTILINE)
    table = [cells for cells in found if cells[0][0].isdigit() or cells[0] == "older"]
    ages = [duration(age) for age, *_ in table[:-1]] + [timedelta(days=4000)]
    return [
        (age - timedelta(seconds=1), duration(pause), duration(paid))
        for age, (_, pause, paid) in zip(ages, table, strict=True)
        if age is not None
    ]


def test_the_schedule_of_the_docs_is_found() -> None:
    assert len(schedule_of_the_docs()) == 8


@pytest.mark.parametrize(("age", "while_open", "paid"), schedule_of_the_docs())
def test_the_schedule_of_the_docs_is_the_one_that_is_kept(
    age: timedelta, while_open: timedelta, paid: timedelta | None
) -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert schedule.next_look(now - age, now) == now + while_open
    assert schedule.next_look_for_refunds(now - age, now) == (None if paid is None else now + paid)


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
def test_the_code_of_a_page_is_python(path: Path) -> None:
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for block in blocks:
        if ">>>" not in block:
            ast.parse(dedent(block))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).is_file()]
    assert missing == []
