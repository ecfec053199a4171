"""One account in test mode, at noon."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.prometheus.shop import NOON


@pytest.fixture(autouse=True)
def one_account(settings: Any, fake_clock: FakeClock) -> FakeClock:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "ALERTS": {"no_sales": None}}}
    fake_clock.current = NOON
    return fake_clock
