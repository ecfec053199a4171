"""live-key-from-environment, live-key-set: where the key in use comes from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Finding, Outcome
from tests.checklist.project.conftest import Project

Findings = Callable[[str], list[Finding]]
ITEM = "live-key-from-environment"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    for name in ("FLOWLIX_SECRET_KEY", "FLOWLIX_SECRET_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["live_key", "test_key"])
def key(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def outcomes(findings: list[Finding]) -> list[Outcome]:
    return [finding.outcome for finding in findings]


def test_a_variable_brings_it(findings: Findings, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_COPY", key)
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", key)
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.PASS
    assert "the environment variable FLOWLIX_SECRET_KEY brings" in finding.looked_at


def test_a_variable_of_the_projects_own_will_do(findings: Findings, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PAYMENT_KEY", f" {key}\n")
    (finding,) = findings(ITEM)
    assert "SHOP_PAYMENT_KEY" in finding.looked_at


def test_a_file_that_a_variable_names_brings_it(
    findings: Findings, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"{key}\n")
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", str(tmp_path / "secret"))
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.PASS
    assert "FLOWLIX_SECRET_KEY_FILE" in finding.looked_at


def test_files_that_are_none_are_passed_over(
    findings: Findings, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "big").write_text(key + " " * 5000)
    os.mkfifo(tmp_path / "pipe")
    for number, value in enumerate(
        [str(tmp_path / "pipe"), "/does/not/exist", str(tmp_path), "", str(tmp_path / "big"), "x" * 5000]
    ):
        monkeypatch.setenv(f"FLOWLIX_{number}_FILE", value)
    assert outcomes(findings(ITEM)) == [Outcome.PERSON]


def test_otherwise_a_person_knows(findings: Findings, key: str, project: Project) -> None:
    project.write("shop/settings.py")
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.PERSON
    assert finding.looked_at == (
        "No environment variable holds the key in use or names a file with it, and it was found in none of the files "
        "that were searched."
    )
    assert finding.to_do == (
        "The key comes to the settings from a secret store, or from a file outside version control that is no source."
    )


@pytest.mark.parametrize("name", ["shop/settings.py", "shop/keys.py", "config.yaml", "deploy/shop.json"])
def test_a_key_in_the_code_fails_with_a_live_key(
    findings: Findings, live_key: str, project: Project, name: str
) -> None:
    project.write(name, f"x = 1\nkey = '{live_key}'\n")
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.FAIL
    assert f"{name}:2" in finding.looked_at


def test_a_key_in_the_code_is_warned_of_with_a_test_key(findings: Findings, test_key: str, project: Project) -> None:
    project.write("shop/settings.py", f"FLOWLIX = {{'default': {{'SECRET_KEY': '{test_key}'}}}}\n")
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.WARN
    assert "shop/settings.py:1" in finding.looked_at


def test_a_made_up_key_in_the_code_is_warned_of_too(findings: Findings, settings: Any, project: Project) -> None:
    """The live key would stand in the same place."""
    project.write("settings.py", f"KEY = '{settings.FLOWLIX['default']['SECRET_KEY']}'\n")
    assert outcomes(findings(ITEM)) == [Outcome.WARN]


def test_a_variable_does_not_excuse_a_copy_in_the_code(
    findings: Findings, live_key: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", live_key)
    project.write("settings.py", f"KEY = os.environ.get('FLOWLIX_SECRET_KEY', '{live_key}')\n")
    assert outcomes(findings(ITEM)) == [Outcome.FAIL, Outcome.PASS]


def test_an_untracked_dotenv_file_is_the_environment(
    findings: Findings, live_key: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", live_key)
    project.commit()
    project.write(".env", f"FLOWLIX_SECRET_KEY={live_key}\n")
    assert outcomes(findings(ITEM)) == [Outcome.PASS]
    project.commit()
    assert outcomes(findings(ITEM)) == [Outcome.FAIL, Outcome.PASS]


@pytest.mark.parametrize("is_repository", [True, False])
@pytest.mark.parametrize("name", [".env", "deploy/shop.env"])
def test_a_dotenv_file_that_git_ignores_is_the_environment_for_whoever_reads_it(
    findings: Findings, key: str, project: Project, name: str, is_repository: bool
) -> None:
    project.write(".gitignore", ".env\n*.env\n")
    project.write(name, f"FLOWLIX_SECRET_KEY={key}\n")
    if is_repository:
        project.commit()
    (finding,) = findings(ITEM)
    assert finding.outcome is Outcome.PASS
    assert finding.looked_at.endswith(f" key in use stands in {name}, a dotenv file that is not under version control.")


@pytest.mark.parametrize("name", ["local_settings.py", "../elsewhere/etc/prod_settings.py"])
def test_the_settings_in_use_are_searched_though_git_ignores_them(
    findings: Findings,
    live_key: str,
    project: Project,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    project.write(".gitignore", "local_settings.py\n")
    project.commit()
    text = f"FLOWLIX = {{'default': {{'SECRET_KEY': '{live_key}'}}}}\n"
    settings.SETTINGS_MODULE = project.load(name, monkeypatch, text)
    for item in (ITEM, "secret-key-server-side"):
        (words,) = [found.looked_at for found in findings(item) if found.outcome is Outcome.FAIL]
        assert words.endswith(f"{Path(name).name}:1.")


def test_a_live_key_in_pieces_is_found(findings: Findings, live_key: str, project: Project) -> None:
    project.write("settings.py", f"KEY = 'fl_live_' + 'sk_' + '{live_key[-20:]}'\n")
    assert outcomes(findings(ITEM)) == [Outcome.FAIL]


def test_an_allowed_test_key_is_passed_over(findings: Findings, test_key: str, project: Project) -> None:
    project.write("settings.py", f"KEY = '{test_key}'  # flowlix: allow-key\n")
    assert outcomes(findings(ITEM)) == [Outcome.PERSON]


def test_another_accounts_key_says_nothing_of_this_one(findings: Findings, test_key: str, project: Project) -> None:
    other = "_".join(["fl", "test", "sk", "Wd5mXr2LkPz9TbQv"])
    project.write("settings.py", f"KEY = '{other}'\n")
    assert outcomes(findings(ITEM)) == [Outcome.PERSON]


def test_a_live_key_is_set(findings: Findings, live_key: str) -> None:
    (finding,) = findings("live-key-set")
    assert finding.outcome is Outcome.PASS
    assert finding.looked_at.startswith("Account 'default' has a live key of contract eu: ")


def test_a_test_key_is_not_the_live_one(findings: Findings, test_key: str) -> None:
    (finding,) = findings("live-key-set")
    assert finding.outcome is Outcome.SKIP
    assert finding.to_do
