"""The two ways to run the demo: for a person until Ctrl-C, or as a smoke test with a verdict."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import golive, smoke
from .processes import Household
from .programme import welcome
from .stage import DemoError, Stage, choose_port, prepare, raise_curtain


def run_for_people(shop_port: int, emulator_port: int, contract: str, tell: Callable[[str], None]) -> None:
    """Run until a signal comes. Raises: DemoError when a part fails."""
    stage = Stage(
        shop_port=choose_port(shop_port, tell), emulator_port=choose_port(emulator_port, tell), contract=contract
    )
    password = secrets.token_urlsafe(9)
    env = stage.environment()
    tell("Preparing the database ...")
    with Household() as household:
        try:
            prepare(env | {"DJANGO_SUPERUSER_PASSWORD": password}, "--admin")
            raise_curtain(household, stage, env, tell)
            tell(welcome(stage, password))
            while (ended := household.ended_child()) is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            tell("\nClosing the shop ...")
        else:
            raise DemoError(f"{ended.name} ended by itself (exit code {ended.exit_code}); closing the shop.")


def run_smoke(shop_port: int, emulator_port: int, contract: str, tell: Callable[[str], None]) -> None:
    """Buy something in a database of its own, give it back in the admin, and go through the go-live checklist.

    Raises: DemoError naming what went wrong and what was seen
    """
    password = secrets.token_urlsafe(9)
    with tempfile.TemporaryDirectory(prefix="flowlix-smoke-") as directory, Household() as household:
        database = Path(directory) / "smoke.sqlite3"
        stage = Stage(
            shop_port=choose_port(shop_port, tell),
            emulator_port=choose_port(emulator_port, tell),
            contract=contract,
            database_url=f"sqlite:///{database}",
        )
        env = stage.environment()
        prepare(env | {"DJANGO_SUPERUSER_PASSWORD": password}, "--admin")
        raise_curtain(household, stage, env, tell=_silently)
        try:
            found = smoke.perform(stage, database, password, tell) or golive.go_through(env, tell)
        except (LookupError, OSError) as error:
            found = [str(error)]
        if found:
            raise DemoError("\n".join(["The smoke test failed:", *found, "", *_last_words(household)]))


def _silently(line: str) -> None:
    """The children's output is shown only when something went wrong."""


def _last_words(household: Household) -> list[str]:
    return [f"{child.name:>8} | {line}" for child in household.children for line in child.last_lines]
