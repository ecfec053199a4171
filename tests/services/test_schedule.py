"""When the background looks next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from django_flowlix.services import schedule

CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(0), timedelta(seconds=2)),
        (timedelta(minutes=29), timedelta(seconds=2)),
        (timedelta(minutes=30), timedelta(minutes=10)),
        (timedelta(hours=5), timedelta(minutes=10)),
        (timedelta(days=1), timedelta(hours=1)),
        (timedelta(days=29), timedelta(days=1)),
        (timedelta(days=30), timedelta(days=7)),
        (timedelta(hours=-1), timedelta(seconds=2)),
    ],
)
def test_young_payments_are_looked_at_more_often(age: timedelta, pause: timedelta) -> None:
    now = CREATED + age
    assert schedule.next_look(CREATED, now) - now == pause


def test_failures_and_deliveries_wait_longer_each_time_up_to_a_limit() -> None:
    failures = [(schedule.after_failure(n, CREATED) - CREATED).total_seconds() for n in (1, 2, 3, 4, 10, 1000)]
    assert failures == [0, 30, 60, 120, 3600, 3600]
    deliveries = [(schedule.next_delivery(n, CREATED) - CREATED).total_seconds() for n in (1, 2, 3, 4, 12, 1000)]
    assert deliveries == [0, 60, 120, 240, 21600, 21600]
