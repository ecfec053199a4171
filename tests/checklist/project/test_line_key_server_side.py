"""secret-key-server-side: a key in any file of the project, or in its logs, is told of, and never shown."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Finding, Outcome
from django_flowlix.checklist.project import contents
from tests.checklist.logging_tree import handlers_are, masked
from tests.checklist.project.conftest import Project
from tests.checklist.project.keys import HOOK, LIVE_KEY, NEW_LIVE_KEY, NEW_TEST_KEY, TEST_KEY

Findings = Callable[[str], list[Finding]]
ITEM = "secret-key-server-side"


def counted(findings: list[Finding]) -> list[tuple[Outcome, str]]:
    return [(found.outcome, found.looked_at) for found in findings if found.outcome is not Outcome.NOTE]


@pytest.fixture
def only(findings: Findings, project: Project) -> Callable[[], tuple[Outcome, str]]:
    """The one finding that counts, with the outcome and the words."""

    def only() -> tuple[Outcome, str]:
        ((outcome, words),) = counted(findings(ITEM))
        return outcome, words

    return only


Only = Callable[[], tuple[Outcome, str]]


def test_nothing_found_tells_what_was_searched(only: Only, project: Project, tmp_path: Path) -> None:
    project.write("a.py")
    project.write("b.html")
    (tmp_path / "shop.log").write_text("fine\n")
    with handlers_are(logging.FileHandler(tmp_path / "shop.log", delay=True)):
        outcome, words = only()
    assert outcome is Outcome.PASS
    assert f"{project.root} (2 searched)" in words
    assert "log files (1 searched)" in words


def test_no_file_is_no_proof(only: Only) -> None:
    assert only()[0] is Outcome.SKIP


@pytest.mark.parametrize("key", [LIVE_KEY, NEW_LIVE_KEY])
@pytest.mark.parametrize(
    "name",
    ["shop/settings.py", "templates/base.html", "static/shop.js", "dist/app.js.map", "README.md", "tests/test_pay.py"],
)
def test_a_live_key_fails_wherever_it_stands(only: Only, project: Project, key: str, name: str) -> None:
    project.write(name, f"first\n{key}  # flowlix: allow-key\n")
    assert only() == (Outcome.FAIL, f"A live key stands in {name}:2.")


@pytest.mark.parametrize("key", [TEST_KEY, NEW_TEST_KEY])
@pytest.mark.parametrize("name", ["shop/settings.py", "README.md", ".env.example"])
def test_a_test_key_is_warned_of(only: Only, project: Project, key: str, name: str) -> None:
    project.write(name, f"{key}\n")
    project.commit()
    assert only() == (Outcome.WARN, f"A test key stands in {name}:1.")


@pytest.mark.parametrize("name", ["templates/base.html", "shop/static/shop.js", "public/app.js"])
def test_a_test_key_in_what_browsers_get_fails(only: Only, project: Project, name: str) -> None:
    project.write(name, f"{TEST_KEY}\n")
    assert only() == (Outcome.FAIL, f"A test key stands in what browsers get: {name}:1.")


def test_a_comment_lets_a_test_key_stay(only: Only, project: Project) -> None:
    project.write("settings.py", f"# pragma: allowlist secret\nKEY = '{TEST_KEY}'\n")
    assert only()[0] is Outcome.PASS


def test_made_up_keys_are_none(only: Only, project: Project) -> None:
    project.write("README.md", "export FLOWLIX_SECRET_KEY=fl_test_sk_for_the_emulator_only\n")
    assert only()[0] is Outcome.PASS


@pytest.mark.parametrize("tail", ["YOURLIVEKEY", "yoursecretkeyhere", "insertyourkeyhere1234", "placeholder-1234"])
def test_what_stands_for_a_key_is_none(only: Only, project: Project, tail: str) -> None:
    project.write("README.md", f"export FLOWLIX_SECRET_KEY=fl_live_sk_{tail}\n")
    assert only()[0] is Outcome.PASS


@pytest.mark.parametrize(
    "tail", ["51HxxxxxxxxxxxxxxxY", "x" * 24, "abcdefghijklmnop", "Short1234", "onlyForTheExample"]
)
def test_what_may_be_an_example_of_a_live_key_is_asked_about(only: Only, project: Project, tail: str) -> None:
    project.write("README.md", f"export FLOWLIX_SECRET_KEY=fl_live_sk_{tail}\n")
    assert only() == (Outcome.WARN, "What looks like a live key stands in README.md:1.")


@pytest.mark.parametrize("tail", ["x" * 24, "abcdefghijklmnop", "0123456789abcdef", "Short1234", "hardcodedSecretKey"])
@pytest.mark.parametrize("name", ["templates/base.html", "shop/static/shop.js", "public/app.js", "settings.py"])
@pytest.mark.parametrize("mode", ["live", "test"])
def test_what_is_in_use_has_no_examples(only: Only, project: Project, tail: str, name: str, mode: str) -> None:
    """A key that is easy to remember is one all the same where browsers or Django get it."""
    project.write(name, f"KEY = '{'_'.join(['fl', mode, 'sk', tail])}'\n")
    outcome, words = only()
    assert outcome is (Outcome.WARN if (mode, name) == ("test", "settings.py") else Outcome.FAIL)
    assert f"{name}:1" in words


@pytest.mark.parametrize("name", ["templates/base.html", "settings.py"])
def test_what_calls_itself_a_placeholder_is_none_anywhere(only: Only, project: Project, name: str) -> None:
    project.write(name, f"KEY = '{'_'.join(['fl', 'live', 'sk', 'your_key_goes_here'])}'\n")
    assert only()[0] is Outcome.PASS


def test_a_key_in_base64_is_found(only: Only, project: Project) -> None:
    project.write("secret.yaml", f"data:\n  key: {base64.b64encode(LIVE_KEY.encode()).decode()}\n")
    assert only() == (Outcome.FAIL, "A live key stands in secret.yaml:2.")


def test_a_webhook_secret_is_as_bad_as_the_accounts_mode(
    only: Only, project: Project, test_key: str, settings: Any
) -> None:
    project.write("settings.py", f"HOOKS = ['{HOOK}']\n")
    assert only() == (Outcome.WARN, "A webhook secret stands in settings.py:1.")
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    assert only() == (Outcome.FAIL, "A webhook secret stands in settings.py:1.")


# --- dotenv files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".env", ".env.production", "deploy/shop.env"])
def test_a_tracked_dotenv_file_with_a_key_fails(only: Only, project: Project, name: str) -> None:
    project.write(name, f"FLOWLIX_SECRET_KEY={TEST_KEY}\n")
    project.commit()
    assert only() == (Outcome.FAIL, f"A test key stands in a dotenv file that git tracks: {name}:1.")


def test_a_tracked_dotenv_file_without_a_key_is_warned_of(only: Only, project: Project) -> None:
    project.write(".env", "DEBUG=off\n")
    project.commit()
    assert only() == (Outcome.WARN, "Git tracks dotenv files: .env.")


@pytest.mark.parametrize("suffix", ["example", "sample", "dist", "template"])
def test_an_example_without_a_key_is_fine(only: Only, project: Project, suffix: str) -> None:
    project.write(f".env.{suffix}", "FLOWLIX_SECRET_KEY=fl_live_sk_…\n")
    project.commit()
    assert only()[0] is Outcome.PASS


@pytest.mark.parametrize("is_ignored", [True, False])
def test_an_untracked_dotenv_file_is_where_the_key_belongs(only: Only, project: Project, is_ignored: bool) -> None:
    project.write(".gitignore", ".env\n" if is_ignored else "*.pyc\n")
    project.commit()
    project.write(".env", f"FLOWLIX_SECRET_KEY={LIVE_KEY}\n")
    assert only()[0] is Outcome.PASS


def test_an_untracked_dotenv_file_that_is_not_ignored_is_noted(findings: Findings, project: Project) -> None:
    project.write("shop.py")
    project.commit()
    project.write(".env", f"FLOWLIX_SECRET_KEY={LIVE_KEY}\n")
    found = findings(ITEM)
    notes = [finding.looked_at for finding in found if finding.outcome is Outcome.NOTE]
    assert notes == ["Git does not track these dotenv files, and does not ignore them either: .env."]
    project.write(".gitignore", ".env\n")
    assert not [finding for finding in findings(ITEM) if finding.outcome is Outcome.NOTE]


def test_a_dotenv_file_for_browsers_is_no_environment(only: Only, project: Project) -> None:
    project.write("static/.env", f"FLOWLIX_SECRET_KEY={TEST_KEY}\n")
    assert only()[0] is Outcome.FAIL


# --- Logs and templates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [LIVE_KEY, TEST_KEY])
def test_a_key_in_a_handlers_file_fails(only: Only, project: Project, key: str) -> None:
    path = project.write("logs/shop.log", f"started\n{key}\n")
    with handlers_are(masked(logging.FileHandler(path, delay=True))):
        assert only() == (Outcome.FAIL, f"A key stands in a log file: {path}:2.")


def test_a_key_in_any_log_of_the_project_fails(only: Only, project: Project) -> None:
    project.write("debug.log.1", f"{TEST_KEY}\n")
    with handlers_are(masked(logging.StreamHandler())):
        assert only() == (Outcome.FAIL, "A key stands in a log file: debug.log.1:1.")


def test_a_template_that_shows_the_settings_is_warned_of(findings: Findings, project: Project) -> None:
    project.write("templates/base.html", "<script>\nkey = '{{ settings.FLOWLIX.default.SECRET_KEY }}'\n</script>")
    outcomes = dict(counted(findings(ITEM)))
    assert outcomes[Outcome.WARN] == (
        "A template shows the settings of FLOWLIX or a secret key: templates/base.html:2."
    )


# --- What is said --------------------------------------------------------------------------------------------


def test_many_places_are_counted(only: Only, project: Project) -> None:
    for number in range(10, 32):
        project.write(f"keys/{number}.py", f"KEY = '{TEST_KEY}'\n")
    _, words = only()
    assert words.endswith("keys/18.py:1, keys/19.py:1 and 12 more.")


def test_every_place_is_told_of_once(findings: Findings, project: Project) -> None:
    project.write(".env", f"A={LIVE_KEY}\nB={TEST_KEY}\n")
    project.write("static/shop.js", f"{LIVE_KEY} {TEST_KEY}\n")
    project.write("settings.py", f"{TEST_KEY}\n")
    project.commit()
    assert counted(findings(ITEM)) == [
        (Outcome.FAIL, "A live key stands in .env:1, static/shop.js:1."),
        (Outcome.FAIL, "A test key stands in what browsers get: static/shop.js:1."),
        (Outcome.FAIL, "A test key stands in a dotenv file that git tracks: .env:2."),
        (Outcome.WARN, "A test key stands in settings.py:1."),
    ]


def test_what_was_not_searched_is_no_proof(
    findings: Findings, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("small.txt")
    project.write("secret.txt")
    opened = Path.open

    def refused(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "secret.txt":
            raise PermissionError
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    found = [finding for finding in findings(ITEM) if finding.outcome is Outcome.SKIP]
    assert [finding.looked_at for finding in found] == ["Could not be read, and were not searched: secret.txt."]


def test_without_git_that_is_noted(
    findings: Findings, project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    project.write("small.txt")
    notes = [found.looked_at for found in findings(ITEM) if found.outcome is Outcome.NOTE]
    assert notes == ["Git could not be asked: the files that .gitignore names were searched too."]


def test_a_broken_module_is_searched_all_the_same(only: Only, project: Project) -> None:
    project.write("card.py", f"card = = '{TEST_KEY}'\n")
    assert only() == (Outcome.WARN, "A test key stands in card.py:1.")


@pytest.mark.parametrize("name", ["frontend/dist/app.js", "tool.bin"])
def test_neither_size_nor_bytes_hide_a_key(
    only: Only, project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(contents, "PIECE_BYTES", 2000)
    project.write(name).write_bytes(b"x\0" * 1500 + LIVE_KEY.encode() + b"\0" * 3000)
    assert only() == (Outcome.FAIL, f"A live key stands in {name}:1.")


def test_a_project_outside_git_says_so(findings: Findings, project: Project) -> None:
    project.write("shop.py")
    notes = [found.looked_at for found in findings(ITEM) if found.outcome is Outcome.NOTE]
    assert notes == ["The project is in no git repository: whether a dotenv file is tracked cannot be told."]
