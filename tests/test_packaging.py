"""What is in the wheel: the whole package with its templates, static files and types, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "django_flowlix"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from the source distribution as an index would get it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return ZipFile(path)


def test_the_package_is_in_the_wheel_file_by_file(wheel: ZipFile) -> None:
    paths = {path.relative_to(ROOT) for path in PACKAGE.rglob("*") if path.is_file()}
    # Left out: what Python and tools keep beside the code.
    expected = {path.as_posix() for path in paths if not any(p[0] == "." or p == "__pycache__" for p in path.parts)}
    assert "django_flowlix/py.typed" in expected
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


@pytest.mark.parametrize(
    "name",
    [
        "django_flowlix/templates/django_flowlix/pending.html",
        "django_flowlix/templates/admin/django_flowlix/payment/change_form.html",
        "django_flowlix/templates/admin/django_flowlix/payment/refund_form.html",
        "django_flowlix/templatetags/flowlix_admin.py",
        "django_flowlix/static/django_flowlix/admin.css",
        "django_flowlix/static/django_flowlix/pages.css",
        "django_flowlix/static/django_flowlix/poll.js",
        "django_flowlix/migrations/0001_initial.py",
        "django_flowlix/management/commands/flowlix_sync.py",
        "django_flowlix/emulator/__main__.py",
        "django_flowlix/py.typed",
    ],
)
def test_what_a_merchant_needs_is_in_the_wheel(wheel: ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_nothing_that_was_made_at_run_time_is_in_the_wheel(wheel: ZipFile) -> None:
    endings = {PurePosixPath(name).suffix for name in wheel.namelist() if ".dist-info/" not in name}
    assert endings <= {".py", ".html", ".css", ".js", ".svg", ".po", ".mo", ".typed"}


def test_the_metadata_name_what_is_promised(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Name"] == "django-flowlix"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert {"emulator", "postgresql", "mariadb", "otel", "prometheus", "dev"} == set(
        metadata.get_all("Provides-Extra", [])
    )
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">=")[0] for line in required) == [
        "django",
        "django-environ",
        "iso4217",
        "requests",
        "tenacity",
    ]
    assert "django>=5.2" in required  # and no upper cap


def test_the_license_is_in_the_wheel(wheel: ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/LICENSE"))
    assert wheel.read(name) == (ROOT / "LICENSE").read_bytes()
