"""Known data gives known samples, and no counter goes down."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import CollectorRegistry

from django_flowlix.models import Alert, ApiCall, MonitorRun
from django_flowlix.prometheus import FlowlixCollector
from django_flowlix.services.monitoring.tallies import close_hours
from tests.conftest import FakeClock
from tests.prometheus.shop import NOON, Samples, a_morning, of, samples
from tests.services.monitoring.happened import calls, change, payments

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("closed", [False, True])
def test_counters_tell_what_has_happened(closed: bool, one_account: FakeClock) -> None:
    a_morning()
    if closed:
        one_account.advance(hours=5)
        close_hours(one_account.now())

    found = samples(FlowlixCollector())

    assert of(found, "flowlix_calls_total") == {
        ("default", "test", "retrieve", "ok"): 5,
        ("default", "test", "retrieve", "no_answer"): 1,
        ("default", "test", "retrieve", "not_sent"): 1,
        ("default", "live", "create_hosted", "rate_limited"): 4,
    }
    assert of(found, "flowlix_payments_total") == {
        ("default", "test", "succeeded"): 4,
        ("default", "test", "failed"): 3,
        ("second", "live", "failed"): 1,
    }
    assert of(found, "flowlix_refunds_total") == {("default", "test", "succeeded"): 1}
    assert of(found, "flowlix_declines_total") == {
        ("default", "test", "expired_card", "visa"): 3,
        ("second", "live", "unknown", "unknown"): 1,
    }
    assert of(found, "flowlix_paid_minor_total") == {
        ("default", "test", "EUR", "2"): 3100,
        ("default", "test", "JPY", "0"): 500,
    }
    assert of(found, "flowlix_refunded_minor_total") == {("default", "test", "EUR", "2"): 300}


def test_the_histogram_is_cumulative_and_leaves_out_what_was_never_sent() -> None:
    a_morning()

    found = of(samples(FlowlixCollector()), "flowlix_call_duration_seconds_bucket")

    retrieve = {labels[3]: value for labels, value in found.items() if labels[2] == "retrieve"}
    assert list(retrieve) == [
        *("0.05", "0.1", "0.15", "0.2", "0.3", "0.4", "0.6", "0.8", "1.0", "1.5", "2.0", "3.0", "5.0", "8.0"),
        *("15.0", "30.0", "+Inf"),
    ]
    assert list(retrieve.values()) == [3, *[5] * 15, 6]
    create = {labels[3]: value for labels, value in found.items() if labels[2] == "create_hosted"}
    assert create == dict.fromkeys(["0.8", "1.0", "1.5", "2.0", "3.0", "5.0", "8.0", "15.0", "30.0", "+Inf"], 4)


def test_what_has_not_happened_yet_is_zero_so_that_its_first_is_seen() -> None:
    calls(1, NOON)

    found = samples(FlowlixCollector())

    results = {labels[3] for name, labels in found if name == "flowlix_calls_total"}
    assert results == {
        *("ok", "declined", "refused", "credentials_refused"),
        *("rate_limited", "server_error", "no_answer", "not_sent"),
    }
    statuses = {labels: value for (name, labels), value in found.items() if name == "flowlix_payments_total"}
    words = ("pending", "requires_action", "processing", "succeeded", "failed", "canceled", "expired", "rejected")
    assert statuses == {("default", "test", word): 0 for word in words}
    refund_statuses = {labels[2] for name, labels in found if name == "flowlix_refunds_total"}
    assert refund_statuses == {"pending", "succeeded", "failed"}


def test_gauges_tell_what_is_the_case() -> None:
    payments(2, "succeeded", NOON, review_reason="mismatch", review_since=NOON - timedelta(minutes=90))
    payments(1, "pending", NOON, next_sync_at=NOON - timedelta(minutes=45), livemode=True)
    figures = {"value": 1, "worst_value": 1, "threshold": 1, "summary": "bad"}
    Alert.objects.create(rule="latency", account="default", livemode=False, state="open", **figures)
    Alert.objects.create(rule="no_sales", account="gone", livemode=True, state="open", **figures)

    found = samples(FlowlixCollector())

    assert of(found, "flowlix_queue_size") == {("payment_review", "test"): 2, ("payment_overdue", "live"): 1}
    assert of(found, "flowlix_queue_oldest_age_seconds") == {
        ("payment_review", "test"): 5400,
        ("payment_overdue", "live"): 2700,
    }
    queues = {labels[0] for name, labels in found if name == "flowlix_queue_size"}
    assert queues == {
        *("payment_review", "payment_unconfirmed", "payment_stuck", "payment_overdue"),
        *("refund_unconfirmed", "refund_stuck", "refund_overdue", "notification_untold"),
    }
    assert of(found, "flowlix_alerts_open") == {("latency", "default", "test"): 1, ("no_sales", "gone", "live"): 1}
    rules = {labels[0] for name, labels in found if name == "flowlix_alerts_open" and labels[1] == "default"}
    assert {"latency", "decline_rate", "stuck"} <= rules
    assert "no_sales" not in rules  # switched off
    assert found["flowlix_alert_deliveries_failing", ()] == 0
    assert found["flowlix_scrape_success", ()] == 1


def test_how_far_hours_are_closed_is_told_once_one_is() -> None:
    assert ("flowlix_tallied_until_timestamp_seconds", ()) not in samples(FlowlixCollector())
    calls(1, NOON - timedelta(hours=4))
    calls(1, NOON)  # the hour of the newest row is never closed
    close_hours(NOON)
    assert samples(FlowlixCollector())["flowlix_tallied_until_timestamp_seconds", ()] == 1773486000  # 11:00 UTC


def test_when_the_monitor_last_judged_is_told_and_that_it_never_did() -> None:
    metric = "flowlix_monitor_completed_timestamp_seconds"
    assert samples(FlowlixCollector())[metric, ("default", "test")] == 0
    MonitorRun.objects.create(account="default", livemode=False, completed_at=NOON - timedelta(hours=1))
    MonitorRun.objects.create(account="gone", livemode=True, completed_at=NOON)
    assert of(samples(FlowlixCollector()), metric) == {
        ("default", "test"): 1773486000,  # 11:00 UTC
        ("gone", "live"): 1773489600,
    }


def counters(found: Samples) -> Samples:
    return {key: value for key, value in found.items() if key[0].endswith(("_total", "_bucket"))}


def test_no_counter_goes_down_whichever_process_is_asked(one_account: FakeClock) -> None:
    """Two processes are asked in turn, and a new one each time, over eight hours of closing and pruning."""
    processes, last = [FlowlixCollector(), FlowlixCollector()], Samples()
    for step in range(16):
        calls(1, one_account.now(), duration_ms=step * 200)
        (payment,) = payments(1, "succeeded" if step % 2 else "failed", one_account.now(), decline_code="lost_card")
        if step % 3 == 2:
            change(payment, "pending", "expired", one_account.now())
        if step % 4 == 3:
            close_hours(one_account.now())
            ApiCall.objects.filter(created_at__lt=one_account.now() - timedelta(hours=3)).delete()
        for process in (processes[step % 2], FlowlixCollector()):
            found = counters(samples(process))
            assert {key: value for key, value in last.items() if found.get(key, -1) < value} == {}
            last = found
        one_account.advance(minutes=30)
    assert of(last, "flowlix_calls_total") == {("default", "test", "retrieve", "ok"): 16}
    assert of(last, "flowlix_payments_total")["default", "test", "failed"] == 8


def test_registering_asks_nothing_of_the_database() -> None:
    with CaptureQueriesContext(connection) as queries:
        CollectorRegistry(auto_describe=True).register(FlowlixCollector())
    assert len(queries) == 0


def test_all_that_is_collected_was_described() -> None:
    a_morning()
    described = {metric.name: (metric.type, metric.documentation) for metric in FlowlixCollector().describe()}
    collected = {metric.name: (metric.type, metric.documentation) for metric in FlowlixCollector().collect()}
    assert described == collected
    assert all(re.fullmatch(r"flowlix_[a-z_]+", name) and text.endswith(".") for name, (_, text) in described.items())


def test_a_scrape_takes_ten_statements_however_much_there_is() -> None:
    calls(1, NOON - timedelta(hours=4))
    calls(1, NOON)
    close_hours(NOON)
    collector = FlowlixCollector()
    collector.collect()
    a_morning()
    for number in range(10):
        calls(5, NOON, operation=f"operation_{number}")
    with CaptureQueriesContext(connection) as queries:
        collector.collect()
    assert len(queries) == 10


def test_settings_that_are_wrong_are_told_as_well(settings: Any) -> None:
    settings.FLOWLIX = {}
    assert samples(FlowlixCollector()).keys() == {
        ("flowlix_scrape_duration_seconds", ()),
        ("flowlix_scrape_success", ()),
    }


def test_counters_are_left_out_when_hours_are_not_closed(caplog: pytest.LogCaptureFixture) -> None:
    calls(1, NOON - timedelta(days=4))
    calls(1, NOON - timedelta(days=3))
    collector = FlowlixCollector()

    found = samples(collector)

    assert (found["flowlix_scrape_success", ()], counters(found)) == (0, {})
    assert ("flowlix_queue_size", ("payment_review", "test")) in found
    assert "run flowlix_monitor" in caplog.text
    close_hours(NOON)
    assert of(samples(collector), "flowlix_calls_total") == {("default", "test", "retrieve", "ok"): 2}


def test_a_fault_of_the_code_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_flowlix.prometheus.collector.read_present", lambda *args: None)
    with pytest.raises(AttributeError):
        FlowlixCollector().collect()


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_kept_longer_than_the_settings_say() -> None:
    """In a thread of an exporter no request ends, at which Django would let go of it."""
    connection.close()
    assert samples(FlowlixCollector())["flowlix_scrape_success", ()] == 1
    assert connection.settings_dict["CONN_MAX_AGE"] == 0
    assert connection.connection is None
