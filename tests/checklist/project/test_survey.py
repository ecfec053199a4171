"""The one reading of the files: what is read, how often, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.project import survey as surveying
from django_flowlix.checklist.project.survey import Survey, named, survey
from django_flowlix.conf import account
from tests.checklist.looking import item
from tests.checklist.project.conftest import Project
from tests.checklist.project.keys import TEST_KEY


@pytest.fixture
def read(project: Project, context: Context) -> Callable[[], Survey]:
    return lambda: survey(context)


def test_keys_are_found_with_their_place(project: Project, read: Callable[[], Survey]) -> None:
    project.write("shop/pay.py", f"\nKEY = '{TEST_KEY}'\n")
    found = read()
    assert [str(key.place) for key in found.keys] == ["shop/pay.py:2"]
    assert (found.searched, found.modules, found.pages) == (1, 1, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_texts_are_read_as_they_are_written(project: Project, read: Callable[[], Survey], encoding: str) -> None:
    project.write(".env").write_bytes(f"# ü\nKEY={TEST_KEY}\n".encode(encoding))
    assert [str(key.place) for key in read().keys] == [".env:2"]


def test_binary_big_and_missing_files_are_left_out(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "MAX_BYTES", 100)
    project.write("big.txt", TEST_KEY + "x" * 100)
    project.write("deleted.txt", TEST_KEY)
    project.commit()
    (project.root / "deleted.txt").unlink()
    project.write("picture.bin").write_bytes(b"\x89PNG\0" + TEST_KEY.encode())
    found = read()
    assert (found.searched, found.too_big, found.unread, found.keys) == (0, 1, [], [])


def test_what_cannot_be_read_is_named(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("secret.txt")
    project.write("broken.py", "card = = 1\n")

    read_bytes = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "secret.txt":
            raise PermissionError
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert read().unread == ["broken.py", "secret.txt"]


def test_tests_and_migrations_serve_no_customer(project: Project, read: Callable[[], Survey]) -> None:
    names = ("tests/pay.py", "shop/tests.py", "test_pay.py", "pay_test.py", "conftest.py", "shop/migrations/0001.py")
    for name in names:
        project.write(name, "client.create_direct_payment()\n")
    found = read()
    assert (found.direct_payments, found.modules, found.searched) == ([], 0, len(names))


def test_pages_are_templates_and_markup(project: Project, read: Callable[[], Survey]) -> None:
    for name in ("templates/a.txt", "b.html", "src/c.vue", "src/d.tsx", "e.md"):
        project.write(name, '<input name="cvc">\n')
    found = read()
    assert [str(place) for place in found.card_fields] == [
        "b.html:1",
        "src/c.vue:1",
        "src/d.tsx:1",
        "templates/a.txt:1",
    ]
    assert found.pages == 4


def test_a_copy_of_this_package_is_not_the_projects_code(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("vendored/django_flowlix/client.py", "client.create_direct_payment()\n")
    project.write("vendored/django_flowlix/emulator/templates/page.html", f'<input name="cvc"> {TEST_KEY}\n')
    monkeypatch.setattr(surveying, "package_directory", lambda: project.root / "vendored" / "django_flowlix")
    found = read()
    assert (found.direct_payments, found.card_fields) == ([], [])
    assert len(found.keys) == 1  # a key is one wherever it stands


@pytest.mark.django_db
def test_each_file_is_read_once_however_many_lines_ask(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "templates/b.html", ".env"):
        project.write(name)
    reads: Counter[str] = Counter()
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        reads[path.name] += 1
        return read_bytes(path)

    context = Context(account=account(), now=datetime.now(UTC))
    monkeypatch.setattr(Path, "read_bytes", counted)
    for line in ("live-key-from-environment", "secret-key-server-side", "pci-scope", "error-types"):
        for _, probe in item(line).probes:
            list(probe(context))
    assert {name: reads[name] for name in ("a.py", "b.html", ".env")} == {"a.py": 1, "b.html": 1, ".env": 1}


def test_ten_places_are_named() -> None:
    assert named(["a", "b", "a"]) == "a, b"
    assert named(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert named(range(22)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 12 more"
