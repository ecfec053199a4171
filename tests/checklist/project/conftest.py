"""A project in a directory of its own, which the settings name as theirs."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.findings import Finding
from django_flowlix.checklist.project import root as project_root
from django_flowlix.checklist.project.files import ProjectFiles, find_files
from django_flowlix.checklist.report import Line
from tests.checklist.project.keys import LIVE_KEY, TEST_KEY


@dataclass
class Project:
    """Writes files, and may be a git repository."""

    root: Path

    def write(self, name: str, text: str = "x = 1\n") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, name: str, monkeypatch: pytest.MonkeyPatch, text: str = "x = 1\n") -> str:
        """Write a module and let it be one that Python has loaded; returns its name."""
        module = types.ModuleType(f"loaded_{Path(name).stem}")
        module.__file__ = str(self.write(name, text))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module.__name__

    def git(self, *args: str) -> None:
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *args]
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        """Make git track all that it does not ignore."""
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=All")


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / "shop"
    root.mkdir()
    settings.BASE_DIR = root
    settings.SETTINGS_MODULE = None
    # The tests that are loaded are not this project's modules.
    loaded = project_root.loaded_files
    monkeypatch.setattr(project_root, "loaded_files", lambda: [path for path in loaded() if tmp_path in path.parents])
    settings.STATIC_ROOT = None
    settings.STATICFILES_DIRS = []
    return Project(root)


@pytest.fixture
def names(project: Project, context: Context) -> Callable[[], list[str]]:
    """The names of the project's files as they are found now."""
    return lambda: [file.name for file in find_files(context).files]


@pytest.fixture
def found(project: Project, context: Context) -> Callable[[], ProjectFiles]:
    return lambda: find_files(context)


@pytest.fixture
def test_key(emulator: Any, settings: Any) -> str:
    """The account has a test key as the gateway draws it."""
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": TEST_KEY}}
    return TEST_KEY


@pytest.fixture
def live_key(emulator: Any, settings: Any) -> str:
    """The account has a live key."""
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    return LIVE_KEY


@pytest.fixture
def findings(db: None, look: Callable[..., Line]) -> Callable[[str], list[Finding]]:
    """All that is found for a line, without a key in it, whatever the test is about."""

    def findings(item_id: str) -> list[Finding]:
        found = list(look(item_id).findings)
        told = " ".join(f"{finding.looked_at} {finding.to_do}" for finding in found)
        assert not [key for key in (TEST_KEY, LIVE_KEY) if key in told or key[-20:] in told]
        return found

    return findings
