"""The one reading of the files: what is read, how often, and what is left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.project import contents
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_texts_are_read_as_they_are_written(project: Project, read: Callable[[], Survey], encoding: str) -> None:
    project.write(".env").write_bytes(f"# ü\nKEY={TEST_KEY}\n".encode(encoding))
    assert [str(key.place) for key in read().keys] == [".env:2"]


def test_what_is_not_there_any_more_is_passed_over(project: Project, read: Callable[[], Survey]) -> None:
    project.write("deleted.txt", TEST_KEY)
    project.commit()
    (project.root / "deleted.txt").unlink()
    (project.root / "nowhere.txt").symlink_to(project.root / "deleted.txt")
    os.mkfifo(project.root / "pipe")
    found = read()
    assert (found.searched, found.unread, found.keys) == (0, [], [])


@pytest.mark.parametrize("before", [b"\x89PNG\0", b"\x89PNG\0\0", b"\0" * 2000, b"text" * 600 + b"\0"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_binary_files_are_searched(project: Project, read: Callable[[], Survey], before: bytes, encoding: str) -> None:
    project.write("picture.bin").write_bytes(before + TEST_KEY.encode(encoding) + b"\0\xff")
    assert [key.file.name for key in read().keys] == ["picture.bin"]


@pytest.mark.parametrize("lines", [0, 1, 45, 46, 47, 48, 49, 50, 51, 90, 95, 100, 140, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_big_files_are_searched_in_pieces(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch, lines: int, encoding: str
) -> None:
    """Wherever the key stands: at the end of a piece, over it, or at the beginning of the next."""
    monkeypatch.setattr(contents, "PIECE_BYTES", 2000)
    text = "x" * 19 + "\n"
    project.write("app.js").write_bytes((text * lines + TEST_KEY + "\n" + text * 300).encode(encoding))
    found = read()
    assert [str(key.place) for key in found.keys] == [f"app.js:{lines + 1}"]
    assert (found.searched, found.unread) == (1, [])


def test_source_that_is_too_long_to_be_understood_is_named(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "PIECE_BYTES", 100)
    project.write("big.py", "x = 1\n" * 100)
    project.write("big.html", "<p>\n" * 100)
    found = read()
    assert (found.too_long, found.unread, found.searched) == (["big.py"], [], 2)


@pytest.mark.parametrize("name", ["big.html", "dist/big.js"])
def test_long_pages_and_scripts_are_searched_to_their_end(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(contents, "PIECE_BYTES", 2000)
    project.write(name, "<p>\n" * 1000 + 'autocomplete="cc-number"\n{{ FLOWLIX }}\n')
    found = read()
    assert (named(found.card_fields), found.too_long) == (f"{name}:1001", [])
    assert named(found.settings_uses) == ("big.html:1002" if name == "big.html" else "")


def test_what_cannot_be_read_is_named(
    project: Project, read: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("secret.txt")
    project.write("broken.py", "card = = 1\n")

    opened = Path.open

    def refused(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "secret.txt":
            raise PermissionError
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    found = read()
    assert (found.unread, found.unparsed) == (["secret.txt"], ["broken.py"])


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


def test_scripts_are_searched_for_what_browsers_fill_in(project: Project, read: Callable[[], Survey]) -> None:
    names = ("dist/app.js", "src/card.ts", "shop/forms.py")
    for name in names:
        project.write(name, 'x = {"autoComplete":"cc-number"}\n')
    project.write("src/note.md", 'autocomplete: "cc-number"')
    assert sorted(str(place) for place in read().card_fields) == sorted(f"{name}:1" for name in names)


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
    opened = Path.open

    def counted(path: Path, *args: Any, **kwargs: Any) -> Any:
        reads[path.name] += 1
        return opened(path, *args, **kwargs)

    context = Context(account=account(), now=datetime.now(UTC))
    monkeypatch.setattr(Path, "open", counted)
    for line in ("live-key-from-environment", "secret-key-server-side", "pci-scope", "error-types"):
        for _, probe in item(line).probes:
            list(probe(context))
    assert {name: reads[name] for name in ("a.py", "b.html", ".env")} == {"a.py": 1, "b.html": 1, ".env": 1}


def test_ten_places_are_named() -> None:
    assert named(["a", "b", "a"]) == "a, b"
    assert named(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert named(range(22)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 12 more"
