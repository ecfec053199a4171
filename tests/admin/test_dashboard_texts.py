"""How figures are written: what is nearly nothing is not nothing, and what is nearly all is not all."""

from __future__ import annotations

import pytest

from django_flowlix.admin.dashboard_texts import seconds_text, share_text
from django_flowlix.services.monitoring.statistics import Rate
from tests.admin.monitored import SPACE


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [
        (0, 10_000, "0 %"),
        (1, 10_000, "< 0.1 %"),
        (4, 10_000, "< 0.1 %"),
        (5, 10_000, "0.1 %"),
        (5_000, 10_000, "50.0 %"),
        (9_994, 10_000, "99.9 %"),
        (9_995, 10_000, "> 99.9 %"),
        (9_999, 10_000, "> 99.9 %"),
        (10_000, 10_000, "100 %"),
    ],
)
def test_a_share(part: int, whole: int, written: str) -> None:
    assert share_text(Rate(part, whole)) == written.replace(" %", f"{SPACE}%")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0004, "0 ms"),
        (0.9, "900 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1.0, "1.0 s"),
        (29.9, "29.9 s"),
        (30.0, "over 30 s"),
    ],
)
def test_a_duration(seconds: float, written: str) -> None:
    assert seconds_text(seconds) == written
