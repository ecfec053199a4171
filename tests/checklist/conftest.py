"""What the checklist's tests share: a context for a configured account; and a look at one line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.report import Line
from django_flowlix.checklist.running import run
from django_flowlix.conf import account
from tests.checklist.looking import item


@pytest.fixture
def context(emulator: Any) -> Context:
    return Context(account=account(), now=datetime.now(UTC))


@pytest.fixture
def look(emulator: Any) -> Callable[..., Line]:
    """Look at one line: `look("retry-5xx")`, `look("https", "network")`; settings are read at that moment."""

    def look(item_id: str, *stages: str, **context: Any) -> Line:
        told = Context(account=account(), now=datetime.now(UTC), stages=frozenset(stages or ("static",)), **context)
        (line,) = run(told, [item(item_id)]).lines
        return line

    return look
