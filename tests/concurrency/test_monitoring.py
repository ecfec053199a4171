"""Several monitors at the same moment, on several machines: one alert, told once; every hour counted once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django
import pytest
from django.core import mail
from django.utils import timezone

from django_flowlix.conf import account
from django_flowlix.models import Alert, AlertDelivery, CallTally, TalliedHour
from django_flowlix.services.monitoring.run import monitor
from django_flowlix.services.monitoring.tallies import close_hours
from tests.conftest import BASE_URL, TEST_KEY
from tests.services.monitoring.happened import calls, payments, time_goes_on

from .conftest import Workers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def shop(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    settings.ADMINS = ["ops@shop.example"] if django.VERSION >= (6,) else [("Ops", "ops@shop.example")]


def test_monitors_at_the_same_time_open_one_alert_and_tell_once(workers: Workers) -> None:
    now = timezone.now()
    payments(1, "succeeded", now - timedelta(hours=1), review_reason="mismatch", review_since=now - timedelta(hours=1))

    reports = workers.together(*[lambda: monitor(now, [account()])] * 4)

    assert [report for report in reports if isinstance(report, BaseException)] == []
    assert Alert.objects.get().state == "open"
    assert sorted(AlertDelivery.objects.values_list("target", "attempts")) == [("log", 0), ("mail", 0)]
    assert not AlertDelivery.objects.filter(deliver_at__isnull=False).exists()
    assert len(mail.outbox) == 1


def test_hours_are_counted_once_however_many_count(workers: Workers) -> None:
    now = timezone.now()
    for hours in (3, 4, 5):
        calls(10, now - timedelta(hours=hours))
    time_goes_on(now)

    closed = workers.together(*[lambda: close_hours(now)] * 4)

    assert sum(closed) == TalliedHour.objects.count()
    assert sum(CallTally.objects.values_list("number", flat=True)) == 30
