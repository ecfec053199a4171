"""Which files are searched: what git would show, and whatever browsers get to see."""

from __future__ import annotations

import subprocess
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.project import listing, root
from django_flowlix.checklist.project.files import Kind, ProjectFiles, find_files
from tests.checklist.project.conftest import Project

Names = Callable[[], list[str]]


def without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


# --- What git leaves out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_repository", [True, False])
def test_what_git_ignores_is_left_out_in_a_repository_and_outside_of_one(
    project: Project, names: Names, is_repository: bool
) -> None:
    project.write(".gitignore", "local.py\n")
    project.write("shop/local.py")
    project.write("shop/views.py")
    if is_repository:
        project.commit()
    assert names() == [".gitignore", "shop/views.py"]


def test_tracked_files_are_told_apart(project: Project, found: Callable[[], ProjectFiles]) -> None:
    project.write("tracked.py")
    project.commit()
    project.write("new name.py")
    files = found()
    assert {file.name: file.is_tracked for file in files.files} == {"tracked.py": True, "new name.py": False}
    assert (files.is_repository, files.uses_git) == (True, True)


def test_a_directory_outside_git_tracks_nothing(project: Project, found: Callable[[], ProjectFiles]) -> None:
    project.write("shop.py")
    files = found()
    assert [file.is_tracked for file in files.files] == [False]
    assert (files.is_repository, files.uses_git) == (False, True)


def test_without_git_everything_is_searched(
    project: Project, found: Callable[[], ProjectFiles], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.write(".gitignore", "local.py\n")
    project.write("local.py")
    project.commit()
    without_git(monkeypatch, tmp_path)
    files = found()
    assert [file.name for file in files.files] == [".gitignore", "local.py"]
    assert (files.is_repository, files.uses_git) == (False, False)


@pytest.mark.parametrize("fault", [subprocess.TimeoutExpired("git", 60), subprocess.CalledProcessError(128, "git")])
def test_a_git_that_does_not_answer_is_done_without(
    project: Project, found: Callable[[], ProjectFiles], monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    project.write("shop.py")

    def run(*args: Any, **kwargs: Any) -> Any:
        raise fault

    monkeypatch.setattr(listing.subprocess, "run", run)
    files = found()
    assert [file.name for file in files.files] == ["shop.py"]
    assert not files.uses_git


@pytest.mark.parametrize("is_repository", [True, False])
def test_git_is_asked_once(
    project: Project, names: Names, monkeypatch: pytest.MonkeyPatch, is_repository: bool
) -> None:
    project.write("shop.py")
    if is_repository:
        project.commit()
    calls: list[dict[str, Any]] = []
    run = subprocess.run

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs)
        return run(*args, **kwargs)

    monkeypatch.setattr(listing.subprocess, "run", counted)
    assert names() == ["shop.py"]
    (call,) = calls
    assert call["timeout"] == 60
    assert not call.get("shell")


def test_variables_of_git_lead_nowhere_else(
    project: Project, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.write("shop.py")
    project.commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert names() == ["shop.py"]


def test_a_setting_of_the_repository_starts_no_program(project: Project, names: Names, tmp_path: Path) -> None:
    project.write("shop.py")
    project.commit()
    script = project.write("../hook", f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    script.chmod(0o700)
    project.git("config", "core.fsmonitor", str(script))
    assert names() == ["shop.py"]
    assert not (tmp_path / "started").exists()


def test_a_repository_inside_the_project_is_searched_too(project: Project, names: Names) -> None:
    inner = Project(project.root / "vendored")
    inner.write("theirs.py")
    inner.commit()
    project.write("ours.py")
    project.commit()
    assert names() == ["ours.py", "vendored/theirs.py"]


@pytest.mark.parametrize("name", ["local_settings.py", "../elsewhere/etc/prod_settings.py"])
def test_the_settings_in_use_are_searched_wherever_they_are(
    project: Project,
    found: Callable[[], ProjectFiles],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    project.write(".gitignore", "local_settings.py\n")
    project.commit()
    settings.SETTINGS_MODULE = project.load(name, monkeypatch)
    (file,) = [file for file in found().files if file.path == (project.root / name).resolve()]
    assert (file.kind, file.is_tracked) == (Kind.SETTINGS, False)
    assert file.is_ignored is (name == "local_settings.py")


def test_what_python_has_loaded_is_searched_though_git_ignores_it(
    project: Project, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.write(".gitignore", "*\n")
    project.load("shop/keys.py", monkeypatch)
    project.load("../outside/more.py", monkeypatch)
    project.load("../venv/lib/python3.13/site-packages/theirs.py", monkeypatch)
    project.write("shop/unused.py")
    assert sorted(names()) == [str(tmp_path / "outside" / "more.py"), "shop/keys.py"]


def test_neither_pythons_nor_installed_nor_our_modules_are_the_projects() -> None:
    files = [str(path) for path in root.loaded_files()]
    assert not [name for name in files if "site-packages" in name or "/django_flowlix/" in name]
    assert not {str(Path(module.__file__ or "")) for module in (subprocess, types, listing)} & set(files)
    assert __file__ in files


def test_dotenv_files_are_searched_though_git_ignores_them(project: Project, found: Callable[[], ProjectFiles]) -> None:
    project.write(".gitignore", ".env\n*.env\n")
    project.write("node_modules/theirs/.env")
    for name in (".env", "deploy/shop.env", ".env.local"):
        project.write(name)
    project.commit()
    dotenvs = {file.name: file.is_ignored for file in found().files if file.kind is Kind.DOTENV}
    assert dotenvs == {".env": True, "deploy/shop.env": True, ".env.local": False}


# --- What others wrote ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "node_modules/left-pad/index.js",
        "lib/python3.13/site-packages/django/conf.py",
        ".tox/py313/bin/x.py",
        "shop/__pycache__/views.txt",
        "frontend/node_modules/vue/dist/vue.js",
        ".mypy_cache/shop.json",
    ],
)
@pytest.mark.parametrize("has_git", [True, False])
def test_what_others_wrote_is_left_out(
    project: Project, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, has_git: bool
) -> None:
    project.write(name)
    project.write("shop.py")
    if not has_git:
        without_git(monkeypatch, tmp_path)
    assert names() == ["shop.py"]


@pytest.mark.parametrize("has_git", [True, False])
def test_a_virtual_environment_is_left_out_whatever_it_is_called(
    project: Project, names: Names, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_git: bool
) -> None:
    project.write("python/pyvenv.cfg")
    project.write("python/lib/deep/down/module.py")
    project.write("python/share/dist/page.html")
    project.write("shop.py")
    if not has_git:
        without_git(monkeypatch, tmp_path)
    assert names() == ["shop.py"]


def test_links_are_not_followed_out_of_the_root(project: Project, names: Names, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("x = 1\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "there.py").write_text("x = 1\n")
    project.write("shop.py")
    (project.root / "file.py").symlink_to(tmp_path / "outside.py")
    (project.root / "directory").symlink_to(tmp_path / "elsewhere")
    (project.root / "inside.py").symlink_to(project.root / "shop.py")
    assert names() == ["inside.py", "shop.py"]


# --- What browsers get ---------------------------------------------------------------------------------------


def test_what_browsers_get_is_searched_though_git_ignores_it(project: Project, names: Names, settings: Any) -> None:
    project.write(".gitignore", "collected/\nassets/\npages/\ndist/\nbuild/\npublic/\n")
    settings.STATIC_ROOT = str(project.root / "collected")
    settings.STATICFILES_DIRS = [("prefix", project.root / "assets")]
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [project.root / "pages"]}]
    for name in ("collected/a.js", "assets/b.js", "pages/c.html", "frontend/dist/d.js.map", "build/e.css"):
        project.write(name)
    project.write("public/f.html")
    project.write("dist/wheel.py")
    project.commit()
    assert names() == [
        ".gitignore",
        "assets/b.js",
        "build/e.css",
        "collected/a.js",
        "frontend/dist/d.js.map",
        "pages/c.html",
        "public/f.html",
    ]


@pytest.mark.parametrize("name", ["config.json", "a.txt", "b.xml", "c.svg", "d.wasm", "e.htm", "site.webmanifest"])
def test_whatever_a_built_front_end_holds_is_searched(project: Project, names: Names, name: str) -> None:
    project.write(".gitignore", "public/\n")
    project.write(f"frontend/public/{name}")
    project.commit()
    assert names() == [".gitignore", f"frontend/public/{name}"]


def test_links_are_followed_in_static_directories(
    project: Project, names: Names, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "outside" / "inner").mkdir(parents=True)
    (tmp_path / "outside" / "inner" / "app.js").write_text("1\n")
    (tmp_path / "outside" / "round").symlink_to(tmp_path / "outside")
    (tmp_path / "collected.js").write_text("1\n")
    assets = project.root / "assets"
    assets.mkdir()
    (assets / "front").symlink_to(tmp_path / "outside")
    (assets / "collected.js").symlink_to(tmp_path / "collected.js")
    settings.STATICFILES_DIRS = [assets]
    project.commit()
    assert names() == ["assets/collected.js", "assets/front/inner/app.js"]


def test_static_files_outside_the_project_are_named_in_full(
    project: Project, names: Names, settings: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "static-root"
    outside.mkdir()
    (outside / "shop.js").write_text("1\n")
    settings.STATIC_ROOT = outside
    project.write("shop.py")
    assert sorted(names()) == [str(outside / "shop.js"), "shop.py"]


def test_the_apps_of_the_project_bring_their_templates(
    context: Context, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BASE_DIR = root.package_directory().parent
    monkeypatch.setattr(listing.subprocess, "run", lambda *args, **kwargs: types.SimpleNamespace(stdout=b""))
    names = {file.name for file in find_files(context).files}
    assert "example_project/shop/templates/shop/base.html" in names  # though git says that there is nothing
    assert "example_project/shop/static/shop/shop.css" in names
    assert not [name for name in names if "site-packages" in name]  # nor Django's own, from an environment in the root


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("shop/templates/shop/base.html", Kind.TEMPLATE),
        ("templates/mail.txt", Kind.TEMPLATE),
        ("shop/static/shop.js", Kind.STATIC),
        ("dist/bundle.js", Kind.STATIC),
        ("public/.env.js", Kind.STATIC),
        ("shop/settings.py", Kind.SETTINGS),
        ("shop/settings/production.py", Kind.SETTINGS),
        ("shop/settings_local.py", Kind.SETTINGS),
        ("shop/views.py", Kind.CODE),
        (".env", Kind.DOTENV),
        (".env.production", Kind.DOTENV),
        ("deploy/shop.env", Kind.DOTENV),
        (".env.example", Kind.DOTENV),
        ("shop.log", Kind.LOG),
        ("shop.log.3", Kind.LOG),
        ("compose.yaml", Kind.OTHER),
        ("dialog.txt", Kind.OTHER),
    ],
)
def test_kinds(project: Project, found: Callable[[], ProjectFiles], name: str, kind: Kind) -> None:
    project.write(name)
    (file,) = found().files
    assert file.kind is kind


@pytest.mark.parametrize("suffix", ["example", "sample", "dist", "template"])
def test_examples_are_there_to_be_copied(project: Project, found: Callable[[], ProjectFiles], suffix: str) -> None:
    project.write(f".env.{suffix}")
    project.write(".env.local")
    assert {file.name: file.is_example for file in found().files} == {f".env.{suffix}": True, ".env.local": False}
