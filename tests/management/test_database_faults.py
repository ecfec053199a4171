"""Commands on a database that is not there, or has no tables yet: one sentence, exit code 1, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, connection

ROOT = Path(__file__).resolve().parents[2]
PRUNE = ["flowlix_prune"]
PRUNE_DRY = ["flowlix_prune", "--dry-run"]
ERASE = ["flowlix_erase", "--order", "7", "--no-input"]
COMMANDS = [PRUNE, PRUNE_DRY, ERASE]
SAID = "CommandError: database: OperationalError. Is it reachable, and has migrate been run?\n"


@pytest.fixture(params=["no tables", "no database"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = tmp_path / "empty.sqlite3" if request.param == "no tables" else tmp_path / "nowhere" / "db.sqlite3"
    return f"sqlite:///{place}"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_database_is_not_there_or_empty(command: list[str], database: str) -> None:
    environment = os.environ | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    run = subprocess.run(
        [sys.executable, "-m", "django", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        timeout=60,
    )

    assert (run.returncode, run.stdout, run.stderr) == (1, "", SAID)


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError("password=hunter2"), InterfaceError("password=hunter2")])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_databases_own_words_are_not_repeated(command: list[str], error: Exception) -> None:
    def fails(*args: Any) -> None:
        raise error

    with connection.execute_wrapper(fails), pytest.raises(CommandError) as raised:
        call_command(*command)

    sentence = f"database: {type(error).__name__}. Is it reachable, and has migrate been run?"
    assert (str(raised.value), raised.value.returncode) == (sentence, 1)
    assert raised.value.__suppress_context__


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_fault_of_the_code_is_not_hidden(command: list[str]) -> None:
    def fails(*args: Any) -> None:
        raise LookupError

    with connection.execute_wrapper(fails), pytest.raises(LookupError):
        call_command(*command)
