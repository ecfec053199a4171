"""The metrics: known data gives known samples, no counter goes down, no secret and no error text comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.test import AsyncRequestFactory, Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.views.debug import ExceptionReporter
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from django_flowlix.models import Alert, ApiCall
from django_flowlix.prometheus import FlowlixCollector, MetricsView
from django_flowlix.services.monitoring.tallies import close_hours
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.services.monitoring.happened import calls, change, payments, refund

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
TOKEN = "a-token-of-the-test-suite-0123456789"
DOCS = Path(__file__).resolve().parent.parent / "docs"

pytestmark = pytest.mark.django_db

shop_registry = CollectorRegistry()
Gauge("shop_visitors", "Of the shop itself.", registry=shop_registry).set(7)
urlpatterns = [
    path("metrics/", MetricsView.as_view(token=TOKEN)),
    path("all/", MetricsView.as_view(token=TOKEN, registry=shop_registry)),
]


@pytest.fixture(autouse=True)
def one_account(settings: Any, fake_clock: FakeClock) -> FakeClock:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL, "ALERTS": {"no_sales": None}}}
    settings.ROOT_URLCONF = __name__
    fake_clock.current = NOON
    return fake_clock


Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(collector: FlowlixCollector) -> Samples:
    """Return the samples by name and the values of their labels, in the order in which labels are documented."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for metric in collector.collect()
        for sample in metric.samples
    }


def of(found: Samples, name: str) -> dict[tuple[str, ...], float]:
    """Return one metric's samples that are not 0."""
    return {labels: value for (of_name, labels), value in found.items() if of_name == name and value}


def a_morning() -> None:
    at = NOON - timedelta(minutes=30)
    calls(3, at, duration_ms=50)
    calls(2, at, duration_ms=51)
    calls(1, at, duration_ms=40_000, http_status=None, outcome="unknown")
    calls(1, at, duration_ms=3, http_status=None, outcome="not_sent")
    calls(4, at, duration_ms=700, operation="create_hosted", http_status=429, outcome="error", livemode=True)
    payments(2, "succeeded", at, amount_minor=1050)
    payments(1, "succeeded", at, currency="JPY", exponent=0, amount_minor=500)
    payments(3, "failed", at, decline_code="expired_card", card_brand="visa")
    payments(1, "failed", at, account="second", livemode=True)
    (paid,) = payments(1, "succeeded", at)
    refund(paid, "succeeded", at, amount_minor=300)


# --- The collector -------------------------------------------------------------------------------------------


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
        *("refund_unconfirmed", "refund_stuck", "refund_overdue", "notification_failing"),
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
    close_hours(NOON)
    assert samples(FlowlixCollector())["flowlix_tallied_until_timestamp_seconds", ()] == 1773486000  # 11:00 UTC


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


def test_a_scrape_takes_nine_statements_however_much_there_is() -> None:
    calls(1, NOON - timedelta(hours=4))
    close_hours(NOON)
    collector = FlowlixCollector()
    collector.collect()
    a_morning()
    for number in range(10):
        calls(5, NOON, operation=f"operation_{number}")
    with CaptureQueriesContext(connection) as queries:
        collector.collect()
    assert len(queries) == 9


# --- What goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [DatabaseError("password=hunter2"), InterfaceError("password=hunter2")])
@pytest.mark.parametrize("place", ["read_present", "RunningTotals.read"])
def test_a_database_that_fails_is_told_without_its_words(
    error: Exception, place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(f"django_flowlix.prometheus.collector.{place}", fail)

    response = scrape()

    assert response.status_code == 200
    assert "flowlix_scrape_success 0.0" in response.text
    assert "flowlix_payments_total" not in response.text
    assert "hunter2" not in response.text
    assert "metrics could not be read" in caplog.text


def test_settings_that_are_wrong_are_told_as_well(settings: Any) -> None:
    settings.FLOWLIX = {}
    assert samples(FlowlixCollector()).keys() == {
        ("flowlix_scrape_duration_seconds", ()),
        ("flowlix_scrape_success", ()),
    }


def test_counters_are_left_out_when_hours_are_not_closed(caplog: pytest.LogCaptureFixture) -> None:
    calls(1, NOON - timedelta(days=3))
    collector = FlowlixCollector()

    found = samples(collector)

    assert (found["flowlix_scrape_success", ()], counters(found)) == (0, {})
    assert ("flowlix_queue_size", ("payment_review", "test")) in found
    assert "run flowlix_monitor" in caplog.text
    close_hours(NOON)
    assert of(samples(collector), "flowlix_calls_total") == {("default", "test", "retrieve", "ok"): 1}


def test_a_fault_of_the_code_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_flowlix.prometheus.collector.read_present", lambda *args: None)
    with pytest.raises(AttributeError):
        FlowlixCollector().collect()


# --- The page ------------------------------------------------------------------------------------------------


def scrape(token: str = f"Bearer {TOKEN}", where: str = "/metrics/", **headers: str) -> Any:
    response = Client(headers={"Authorization": token, **headers} if token else headers).get(where)
    response.text = response.content.decode()
    return response


def test_the_page_is_text_for_prometheus() -> None:
    a_morning()
    response = scrape()
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    families = {family.name: family for family in parse(response.text)}
    assert families["flowlix_payments"].type == "counter"
    line = 'flowlix_declines_total{account="default",card_brand="visa",decline_code="expired_card",mode="test"} 3.0\n'
    assert line in response.text


def test_the_page_speaks_openmetrics_when_asked() -> None:
    a_morning()
    response = scrape(Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert "flowlix_call_duration_seconds" in {family.name for family in parse_openmetrics(response.text)}


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}0",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer ****",
        "Bearer k\xf6nig",
        f"Bearer {TOKEN}\x00",
    ],
)
def test_nobody_reads_it_without_the_token(authorization: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = scrape(authorization)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert response["Cache-Control"] == "no-store"
    assert "flowlix" not in response.text
    assert len(queries) == 0


@pytest.mark.parametrize("authorization", [f"bearer {TOKEN}", f"BEARER   {TOKEN} "])
def test_the_scheme_may_be_written_in_other_ways(authorization: str) -> None:
    assert scrape(authorization).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "head", "options"])
def test_other_methods_are_refused(method: str) -> None:
    response = getattr(Client(headers={"Authorization": f"Bearer {TOKEN}"}), method)("/metrics/")
    assert (response.status_code, response["Allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 23, " " * 40, "x" * 30 + "\n", "ä" * 40, "two words of a passphrase", None, 10**30]
)
def test_a_token_that_protects_nothing_is_refused_without_being_quoted(token: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="at least 24") as refused:
        MetricsView.as_view(token=token)
    assert not token or str(token) not in str(refused.value)


def test_a_view_without_a_token_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured):
        MetricsView.as_view()


def test_a_registry_of_the_shop_may_be_shown() -> None:
    text = scrape(where="/all/").text
    assert "shop_visitors 7.0" in text
    assert "flowlix" not in text


def test_the_token_stays_out_of_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_flowlix.prometheus.collector.read_present", lambda *args: None)
    request = RequestFactory(headers={"Authorization": f"Bearer {TOKEN}"}).get("/metrics/")
    try:
        urlpatterns[0].callback(request)
    except AttributeError:
        reporter = ExceptionReporter(request, *sys.exc_info())
    assert "_read" in reporter.get_traceback_text()
    assert TOKEN not in reporter.get_traceback_text() + reporter.get_traceback_html()


def test_the_page_takes_part_in_no_transaction_and_asks_for_no_login() -> None:
    view: Any = urlpatterns[0].callback
    assert view._non_atomic_requests == {"default"}
    assert view.login_required is False


def test_the_page_works_under_asgi_too() -> None:
    request = AsyncRequestFactory().get("/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
    assert urlpatterns[0].callback(request).status_code == 200  # Django runs views that are not async in a thread


# --- Without the extra ---------------------------------------------------------------------------------------


def run(code: str) -> subprocess.CompletedProcess[str]:
    begin = "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; "
    return subprocess.run(
        [sys.executable, "-c", begin + code], capture_output=True, text=True, check=False, cwd=DOCS.parent
    )


def test_without_prometheus_client_one_is_told_which_extra_to_install() -> None:
    done = run("sys.modules['prometheus_client'] = None; django.setup(); import django_flowlix.prometheus")
    assert 'ImproperlyConfigured: django_flowlix.prometheus needs prometheus-client: pip install "django-flowlix' in (
        done.stderr
    )


def test_nothing_else_needs_prometheus_client() -> None:
    done = run(
        "sys.modules['prometheus_client'] = None; django.setup(); "
        "from django.core.management import call_command; call_command('check'); "
        "import django_flowlix.urls, django_flowlix.views, django_flowlix.admin, django_flowlix.testing"
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- The documentation ---------------------------------------------------------------------------------------


def documented() -> dict[str, set[str]]:
    """Return the labels of the metrics of the reference page, by name."""
    text = (DOCS / "reference/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(flowlix_\w+)` \|[^|]*\| ([^|]*) \|", text, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def names_and_labels() -> Iterator[tuple[str, set[str]]]:
    for metric in FlowlixCollector().describe():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        yield name, set(metric._labelnames)  # type: ignore[attr-defined]


def test_every_metric_is_documented_with_its_labels() -> None:
    assert documented() == dict(names_and_labels())


def test_the_example_alerts_ask_for_metrics_that_exist() -> None:
    text = (DOCS / "how-to/prometheus-alerts.yml").read_text(encoding="utf-8")
    used = {name.removesuffix("_bucket") for name in re.findall(r"\bflowlix_(?!monitor|sync)\w+", text)}
    assert len(used) >= 7
    assert used <= set(dict(names_and_labels()))


def test_the_example_alerts_use_labels_and_words_that_exist() -> None:
    text = (DOCS / "how-to/prometheus-alerts.yml").read_text(encoding="utf-8")
    a_morning()
    seen: dict[str, set[str]] = {}
    for metric in FlowlixCollector().collect():
        for sample in metric.samples:
            for label, value in sample.labels.items():
                seen.setdefault(label, set()).add(value)
    selectors = re.findall(r"flowlix_\w+\{([^}]*)\}", text)
    assert selectors
    for selector in selectors:
        for label, words in re.findall(r'(\w+)=~?"([^"]*)"', selector):
            assert set(words.split("|")) <= seen[label]
