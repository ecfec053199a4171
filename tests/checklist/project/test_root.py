"""Where the project is: at BASE_DIR, above it when that is too deep, or at the top of its repository."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.checklist.project import root
from django_flowlix.checklist.project.files import ProjectFiles
from tests.checklist.project.conftest import Project

Names = Callable[[], list[str]]


def test_the_whole_repository_is_searched_when_the_project_is_a_part_of_it(
    project: Project, names: Names, settings: Any
) -> None:
    project.write("backend/manage.py")
    project.write("frontend/app.js")
    project.commit()
    settings.BASE_DIR = project.root / "backend"
    assert names() == ["backend/manage.py", "frontend/app.js"]


def test_a_home_directory_in_git_is_not_the_project(
    project: Project, names: Names, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("letters/to-ada.txt")
    project.write("shop/manage.py")
    project.commit()
    monkeypatch.setenv("HOME", str(project.root))
    settings.BASE_DIR = project.root / "shop"
    assert names() == ["manage.py"]


def test_a_home_directory_that_is_the_project_is_searched(
    project: Project, found: Callable[[], ProjectFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("manage.py")
    project.commit()
    monkeypatch.setenv("HOME", str(project.root))
    files = found()
    assert (files.root, files.is_repository) == (project.root, True)


@pytest.mark.parametrize("has_manage", [True, False])
def test_a_base_dir_that_is_too_deep_is_not_believed(
    project: Project, names: Names, settings: Any, monkeypatch: pytest.MonkeyPatch, has_manage: bool
) -> None:
    """`BASE_DIR = Path(__file__).parent.parent` has to become one more when the settings are split into a package."""
    project.write("deploy.sh")
    if has_manage:
        project.write("manage.py")
    project.write("conf/__init__.py")
    project.write("conf/settings/__init__.py")
    settings.BASE_DIR = project.root / "conf" / "settings"
    settings.SETTINGS_MODULE = project.load("conf/settings/prod.py", monkeypatch)  # any other setting unsets it
    below = ["__init__.py", "settings/__init__.py", "settings/prod.py"]
    assert names() == ([*(f"conf/{name}" for name in below), "deploy.sh", "manage.py"] if has_manage else below)


def test_the_nearest_manage_py_is_the_projects(project: Project, names: Names, settings: Any) -> None:
    project.write("manage.py")
    project.write("other/shop/manage.py")
    settings.BASE_DIR = project.root / "other" / "shop"
    assert names() == ["manage.py"]


def test_a_manage_py_far_above_is_anothers(project: Project, names: Names, settings: Any) -> None:
    project.write("manage.py")
    project.write("a/b/c/d/shop.py")
    settings.BASE_DIR = project.root / "a" / "b" / "c" / "d"
    assert names() == ["shop.py"]


def test_settings_elsewhere_do_not_move_the_project(
    project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SETTINGS_MODULE = project.load("../elsewhere/prod_settings.py", monkeypatch)
    assert root.start_directory() == project.root


def test_a_repository_that_ignores_the_project_does_not_hide_it(project: Project, names: Names, settings: Any) -> None:
    project.write(".gitignore", "checkouts/\n")
    project.write("checkouts/shop/manage.py")
    project.commit()
    settings.BASE_DIR = project.root / "checkouts" / "shop"
    assert names() == ["manage.py"]


def test_without_a_base_dir_it_is_where_the_settings_package_is(
    project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings.BASE_DIR
    module = types.ModuleType("shop_settings")
    project.write("src/shop/__init__.py")
    project.write("src/shop/conf/__init__.py")
    module.__file__ = str(project.write("src/shop/conf/live.py"))
    monkeypatch.setitem(sys.modules, "shop_settings", module)
    settings.SETTINGS_MODULE = "shop_settings"
    assert root.start_directory() == project.root / "src" / "shop"
    assert root.settings_file() == project.root / "src" / "shop" / "conf" / "live.py"


def test_settings_without_a_module_leave_the_working_directory(
    project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings.BASE_DIR
    settings.SETTINGS_MODULE = None
    monkeypatch.chdir(project.root)
    assert root.start_directory() == project.root
    assert root.settings_file() is None
