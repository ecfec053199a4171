"""The page: for those who have the token, and without a word of the database or the token for anybody else."""

from __future__ import annotations

import sys
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

from django_flowlix.prometheus import MetricsView
from tests.prometheus.shop import a_morning

TOKEN = "a-token-of-the-test-suite-0123456789"

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

shop_registry = CollectorRegistry()
Gauge("shop_visitors", "Of the shop itself.", registry=shop_registry).set(7)
urlpatterns = [
    path("metrics/", MetricsView.as_view(token=TOKEN)),
    path("all/", MetricsView.as_view(token=TOKEN, registry=shop_registry)),
]


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
