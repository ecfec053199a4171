"""pytest fixtures: `pytest_plugins = ["django_flowlix.testing.plugin"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..emulator.server import EmulatorServer
from . import emulated_gateway


@pytest.fixture
def flowlix_emulator() -> Iterator[EmulatorServer]:
    """The account `default` talks to a fresh emulator for the length of a test."""
    with emulated_gateway() as server:
        yield server
