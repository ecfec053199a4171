"""What is the case now: queues of both modes, open alerts, deliveries that fail, requests that are left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_flowlix.conf import accounts
from django_flowlix.models import Alert, AlertDelivery, MonitorRun
from django_flowlix.services import clock
from django_flowlix.services.monitoring.present import Present, read_present
from django_flowlix.services.monitoring.queues import ALL_QUEUES, REVIEW, Waiting
from django_flowlix.services.monitoring.tallies import close_hours
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.services.monitoring.happened import calls, payments

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
LIVE_KEY = "_".join(["fl", "live", "sk", "forTheTestSuiteOnly"])


@pytest.fixture(autouse=True)
def two_accounts(settings: Any, fake_clock: FakeClock) -> None:
    settings.FLOWLIX = {
        "default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL},
        "second": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"},
    }
    fake_clock.current = NOON


def present() -> Present:
    return read_present(accounts(), clock.now())


def told(account: str, remaining: int | None, at: datetime) -> None:
    calls(1, at, api_key_fingerprint=accounts()[account].api_key_fingerprint, rate_limit_remaining=remaining)


def test_what_waits_is_told_by_mode() -> None:
    payments(2, "succeeded", NOON, review_reason="mismatch", review_since=NOON - timedelta(hours=3))
    payments(1, "succeeded", NOON, review_reason="mismatch", review_since=NOON - timedelta(hours=1), livemode=True)

    found = present().waiting

    assert set(found) == {(queue, livemode) for queue in ALL_QUEUES for livemode in (False, True)}
    assert found[REVIEW, False] == Waiting(2, NOON - timedelta(hours=3))
    assert found[REVIEW, True] == Waiting(1, NOON - timedelta(hours=1))


def test_alerts_that_are_open_and_those_of_their_deliveries_that_fail() -> None:
    figures = {"value": 1, "worst_value": 1, "threshold": 1, "summary": "bad"}
    opened = Alert.objects.create(rule="latency", account="second", livemode=True, state="open", **figures)
    Alert.objects.create(rule="stuck", account="second", livemode=True, state="pending", **figures)
    Alert.objects.create(rule="no_sales", account="default", livemode=False, state="resolved", active=None, **figures)
    for target, attempts, deliver_at in [("mail", 0, NOON), ("log", 2, NOON), ("first", 2, None)]:
        AlertDelivery.objects.create(
            alert=opened, event="opened", target=target, attempts=attempts, deliver_at=deliver_at
        )

    found = present()

    assert found.open_alerts == {("latency", "second", True)}
    assert found.failing_deliveries == 1


def test_the_requests_that_are_left_are_those_the_gateway_told_last_in_the_last_minute() -> None:
    told("default", 50, NOON - timedelta(seconds=30))
    told("default", 41, NOON - timedelta(seconds=20))
    told("default", None, NOON - timedelta(seconds=10))
    told("second", 7, NOON - timedelta(seconds=61))
    assert present().remaining_requests == {"default": 41}

    told("second", 0, NOON)
    assert present().remaining_requests == {"default": 41, "second": 0}


def test_one_account_has_no_other_to_be_united_with(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    told("default", 5, NOON)
    assert present().remaining_requests == {"default": 5}


def test_how_far_hours_are_closed() -> None:
    assert present().tallied_until is None
    calls(1, NOON - timedelta(hours=4))
    calls(1, NOON)  # the hour of the newest row is never closed
    close_hours(NOON)
    assert present().tallied_until == NOON - timedelta(hours=1)


def test_when_each_account_was_last_judged() -> None:
    assert present().judged_at == {}
    for livemode, at in ((False, NOON), (True, NOON - timedelta(days=3))):
        MonitorRun.objects.create(account="second", livemode=livemode, completed_at=at)
    assert present().judged_at == {("second", False): NOON, ("second", True): NOON - timedelta(days=3)}


def test_it_takes_seven_statements() -> None:
    with CaptureQueriesContext(connection) as queries:
        present()
    assert len(queries) == 7
