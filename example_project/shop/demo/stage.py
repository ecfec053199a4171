"""What the demo consists of: which commands run, at which addresses, in which environment."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from .processes import Child, Household

ROOT = Path(__file__).resolve().parents[3]
MANAGE = str(ROOT / "example_project" / "manage.py")
START_TIMEOUT_SECONDS = 60


CONTRACTS = ("eu", "dev")


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The demo's ports, the contract it speaks, and its database ("" for the one of the settings)."""

    shop_port: int
    emulator_port: int
    contract: str = "eu"
    database_url: str = ""

    @property
    def shop_url(self) -> str:
        return f"http://127.0.0.1:{self.shop_port}"

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"

    def command(self, name: str) -> str:
        """Return how to run a command in another terminal, for this contract and these addresses."""
        usual = {
            "FLOWLIX_CONTRACT": ("eu", self.contract),
            "FLOWLIX_API_URL": ("http://127.0.0.1:8900", self.emulator_url),
            "FLOWLIX_BASE_URL": ("http://127.0.0.1:8000", self.shop_url),
        }
        changed = [f"{variable}={value}" for variable, (default, value) in usual.items() if value != default]
        return " ".join([*changed, f".venv/bin/python example_project/manage.py {name}"])

    def environment(self) -> dict[str, str]:
        """Return the children's environment: everything about Flowlix is ours, a real key is never used here."""
        # Empty instead of absent, because a `.env` file would fill in what is absent.
        theirs = {name: "" for name in os.environ if name.startswith("FLOWLIX_")}
        ours = {
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DEBUG": "1",
            "SECRET_KEY": secrets.token_urlsafe(40),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            # The one that the settings make up as well, so that a command in another terminal is of this account.
            "FLOWLIX_SECRET_KEY": "_".join(["fl", "test", "sk", "onlyForTheEmulator"]),
            "FLOWLIX_CONTRACT": self.contract,
            "FLOWLIX_API_URL": self.emulator_url,
            "FLOWLIX_BASE_URL": self.shop_url,
            "SHOP_HOSTED_PAGE_ORIGINS": self.emulator_url,
            "PYTHONUNBUFFERED": "1",
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",  # the demo is what that server is for
        }
        if self.database_url:
            ours["DATABASE_URL"] = self.database_url
        return {**os.environ, **theirs, **ours}


def choose_port(wanted: int, tell: Callable[[str], None]) -> int:
    """Return the wanted port of 127.0.0.1, or a free one with a notice when it is taken; 0 means any."""
    with socket.socket() as probe:
        # Without it a port counts as taken for a minute after the last demo ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            free = choose_port(0, tell)
            tell(f"Port {wanted} is taken; using {free} instead.")
            return free
        port: int = probe.getsockname()[1]
        return port


def prepare(env: dict[str, str], *seed_options: str) -> None:
    """Migrate the database and fill the shelves. Raises: DemoError with what the command said."""
    for command in (["migrate", "--verbosity", "0"], ["seed_shop", *seed_options]):
        done = subprocess.run(  # noqa: S603  our own commands
            [sys.executable, MANAGE, *command], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DemoError(f"manage.py {command[0]} failed:\n{done.stdout}{done.stderr}")


def raise_curtain(household: Household, stage: Stage, env: dict[str, str], tell: Callable[[str], None]) -> None:
    """Start the three processes and wait until they answer. Raises: DemoError"""
    emulator = household.start(
        "emulator",
        ["-m", "django_flowlix.emulator", "--contract", stage.contract, "--port", str(stage.emulator_port)],
        env=env,
        cwd=ROOT,
        tell=tell,
    )
    shop_command = [MANAGE, "runserver", "--noreload", f"127.0.0.1:{stage.shop_port}"]
    shop = household.start("shop", shop_command, env=env, cwd=ROOT, tell=tell)
    household.start("sync", [MANAGE, "flowlix_sync", "--loop"], env=env, cwd=ROOT, tell=tell)
    wait_until_it_answers(emulator, stage.emulator_url)
    wait_until_it_answers(shop, stage.shop_url)


def wait_until_it_answers(child: Child, url: str) -> None:
    """Return when the address answers, whatever it says. Raises: DemoError when the process ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if child.exit_code is not None:
            raise DemoError(f"{child.name} ended (exit code {child.exit_code}):\n" + "\n".join(child.last_lines))
        try:
            requests.get(url, timeout=5)
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return
    raise DemoError(f"{child.name} does not answer at {url}:\n" + "\n".join(child.last_lines))
