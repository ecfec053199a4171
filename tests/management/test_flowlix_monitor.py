"""`flowlix_monitor` as operators run it: what it prints, its exit code, and what it says to somebody who mistyped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import django
import pytest
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection

from django_flowlix.management.commands import flowlix_monitor
from django_flowlix.models import Alert, AlertDelivery, MonitorRun, Payment, TalliedHour
from django_flowlix.services.monitoring.readings import Readings
from tests.conftest import BASE_URL, TEST_KEY, FakeClock
from tests.services.monitoring.happened import calls, payments, time_goes_on

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 14, 12, 34, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shop(fake_clock: FakeClock, settings: Any) -> FakeClock:
    fake_clock.current = NOW
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    settings.ADMINS = ["ops@shop.example"] if django.VERSION >= (6,) else [("Ops", "ops@shop.example")]
    return fake_clock


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the output."""
    output = StringIO()
    try:
        call_command("flowlix_monitor", *arguments, stdout=output)
    except SystemExit as end:
        return int(end.code or 0), output.getvalue()
    return 0, output.getvalue()


def five_failing_calls_in_a_hundred() -> None:
    calls(95, NOW - timedelta(minutes=1))
    calls(5, NOW - timedelta(minutes=1), http_status=503, outcome="unknown", request_id="req_503")


def test_all_is_well() -> None:
    calls(100, NOW - timedelta(minutes=1))

    code, output = run()

    assert code == 0
    (line,) = output.splitlines()
    assert line.startswith("FLOWLIX OK - 12 rules judged | ")
    assert "'default.test.server_errors'=0;;0.05" in line
    assert "'default.test.latency'=0.1475s;;5" in line


def test_from_pending_to_open_to_over(shop: FakeClock) -> None:
    five_failing_calls_in_a_hundred()
    code, output = run()
    assert (code, output.splitlines()[0].partition(" | ")[0]) == (1, "FLOWLIX WARNING - 12 rules judged, 1 pending")
    assert mail.outbox == []

    shop.advance(minutes=5)
    code, output = run()
    assert code == 2
    first, *lines = output.splitlines()
    assert first.startswith("FLOWLIX CRITICAL - 1 open: server errors of the gateway 5.0 % | ")
    assert lines[0] == (
        "OPEN since 2026-03-14 12:39 UTC: server errors of the gateway (default, test): "
        "5 of 100 calls were answered with 5xx; bad is 5.0 % or more"
    )
    assert lines[1].startswith("  Nothing is lost")
    assert lines[2] == "  Request ids: req_503"
    assert len(mail.outbox) == 1

    calls(2000, shop.now() - timedelta(seconds=1))
    assert [run()[0], run()[0]] == [2, 2]
    shop.advance(minutes=10)
    assert run()[0] == 0
    assert [("OVER" in message.subject) for message in mail.outbox] == [False, True]


def test_json_for_machines(shop: FakeClock) -> None:
    five_failing_calls_in_a_hundred()
    run()
    shop.advance(minutes=5)
    code, output = run("--format", "json")

    found = json.loads(output)
    assert (code, found["state"], found["time"]) == (2, "critical", "2026-03-14T12:39:00+00:00")
    (alert,) = found["open"]
    assert (alert["rule"], alert["mode"], alert["value"], alert["threshold"]) == ("server_errors", "test", 0.05, 0.05)
    assert alert["request_ids"] == ["req_503"]
    rules = {rule["rule"]: rule for rule in found["rules"]}
    assert (rules["decline_rate"]["is_bad"], rules["decline_rate"]["value"]) == (None, None)
    assert (rules["server_errors"]["state"], rules["latency"]["unit"]) == ("open", "seconds")


def test_a_dry_run_judges_and_writes_nothing(shop: FakeClock) -> None:
    calls(1, NOW - timedelta(hours=5))
    payments(1, "succeeded", NOW - timedelta(seconds=1), review_reason="mismatch", review_since=NOW)

    code, output = run("--dry-run")

    assert code == 0
    assert "default test needs_review: bad: payments that need a person's review: 1, the oldest for 0 min" in output
    assert "default test decline_rate: not judged: 0 of 1 decided payments were declined: too few to judge" in output
    assert not Alert.objects.exists()
    assert not TalliedHour.objects.exists()
    assert not MonitorRun.objects.exists()
    assert mail.outbox == []


def test_it_closes_hours_on_its_way() -> None:
    calls(1, NOW - timedelta(hours=5))
    time_goes_on(NOW - timedelta(minutes=1))
    run()
    assert TalliedHour.objects.count() == 4


def test_one_account(settings: Any) -> None:
    settings.FLOWLIX = settings.FLOWLIX | {
        "second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL, "ALERTS": {"latency": None}}
    }
    payments(1, "succeeded", NOW, account="default", review_reason="mismatch", review_since=NOW)
    assert run("--account", "second")[1].startswith("FLOWLIX OK - 11 rules judged")
    assert run("--account", "default")[0] == 2
    assert run("--account", "second")[0] == 0
    assert run()[1].startswith("FLOWLIX CRITICAL - 1 open: payments that need review 1 | ")
    assert run("-v", "2")[1].count("\nsecond ") == 11


def test_an_account_that_is_gone_leaves_no_open_alert(settings: Any) -> None:
    payments(1, "succeeded", NOW, account="second", review_reason="mismatch", review_since=NOW)
    one = settings.FLOWLIX
    settings.FLOWLIX = one | {"second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL}}
    assert run()[0] == 2
    settings.FLOWLIX = one
    assert run()[0] == 0


def test_a_delivery_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"ALERTS": {"needs_review": None}}}
    monkeypatch.setattr(
        "django_flowlix.services.monitoring.telling.mail_admins", lambda *args: (_ for _ in ()).throw(OSError("down"))
    )
    code, output = run("--test")
    assert (code, output) == (2, "mail: FAILED, tried again by the next runs: OSError: down\nlog: told\n")

    code, output = run()
    assert code == 1
    assert output.startswith("FLOWLIX WARNING - 11 rules judged, 1 undelivered | ")
    assert "Deliveries of alerts that keep failing: 1. The alerts in the admin say why." in output


def test_the_test_says_by_which_ways_it_went(settings: Any) -> None:
    assert run("--test") == (0, "mail: told\nlog: told\n")
    assert AlertDelivery.objects.filter(delivered_at=NOW).count() == 2
    settings.ADMINS = []
    assert run("--test") == (0, "log: told\nmail: nobody, ADMINS is empty\n")


@pytest.mark.parametrize("arguments", [("--account", "third"), ("--account", "third", "--test")])
def test_an_account_that_does_not_exist(arguments: tuple[str, ...]) -> None:
    fault = "there is no account 'third': write one of default"
    assert run(*arguments) == (3, f"FLOWLIX UNKNOWN - {fault}\n")
    code, output = run(*arguments, "--format", "json")
    assert (code, json.loads(output)) == (3, {"state": "unknown", "error": fault})


def test_a_wrong_option_is_unknown_to_the_supervisor(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        flowlix_monitor.Command().run_from_argv(["manage.py", "flowlix_monitor", "--format", "xml"])
    assert end.value.code == 3
    assert "argument --format: invalid choice: 'xml'" in capsys.readouterr().err


def test_a_rule_that_cannot_be_judged_stops_neither_the_others_nor_the_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    payments(1, "succeeded", NOW - timedelta(seconds=1), review_reason="mismatch", review_since=NOW)
    assert run()[0] == 2
    assert MonitorRun.objects.get().completed_at == NOW

    def fails(*args: Any) -> None:
        raise OperationalError("statement timeout")

    monkeypatch.setattr(Readings, "expected_sales", fails)
    AlertDelivery.objects.all().delete()
    Alert.objects.all().delete()
    code, output = run()

    assert code == 2
    assert len(mail.outbox) == 2
    assert "default no_sales could not be judged: OperationalError" in output
    Payment.objects.update(review_since=None)
    code, output = run()
    assert code == 3
    assert output.startswith("FLOWLIX UNKNOWN - default no_sales could not be judged: OperationalError | ")


def test_what_is_not_judged_completely_does_not_count_as_a_run(
    monkeypatch: pytest.MonkeyPatch, shop: FakeClock
) -> None:
    run()
    monkeypatch.setattr(Readings, "waiting", property(lambda readings: 1 / 0))
    shop.advance(hours=1)
    assert run()[0] == 3
    assert MonitorRun.objects.get().completed_at == NOW


def test_runs_of_accounts_that_are_gone_are_forgotten(settings: Any) -> None:
    one = settings.FLOWLIX
    settings.FLOWLIX = one | {"second": {"SECRET_KEY": f"{TEST_KEY}2", "BASE_URL": BASE_URL}}
    run()
    assert MonitorRun.objects.count() == 2
    settings.FLOWLIX = one
    run("--account", "default")
    assert MonitorRun.objects.count() == 2
    run()
    assert MonitorRun.objects.get().account == "default"


def test_money_of_the_mode_that_is_not_configured_is_watched_all_the_same() -> None:
    payments(1, "succeeded", NOW, livemode=True, review_reason="mismatch", review_since=NOW - timedelta(hours=1))
    calls(50, NOW - timedelta(seconds=1), livemode=True, http_status=500, outcome="unknown")
    code, output = run("-v", "2")
    assert code == 2
    assert "payments that need review (default, live): payments that need a person's review: 1" in output
    assert "default live needs_review: bad [open]" in output
    assert "default live server_errors" not in output


def test_a_fault_of_the_settings_is_unknown_and_quotes_no_key(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": "shop.example"}}
    code, output = run()
    assert code == 3
    assert output.startswith("FLOWLIX UNKNOWN - FLOWLIX['default']['BASE_URL'] is not an absolute http(s) address.")
    assert TEST_KEY not in output


def test_a_database_that_is_down_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("password of somebody")

    monkeypatch.setattr(flowlix_monitor, "monitor", down)
    assert run() == (3, "FLOWLIX UNKNOWN - database: OperationalError. Is it reachable, and has migrate been run?\n")


def test_a_name_does_not_break_the_supervisors_line(settings: Any) -> None:
    settings.FLOWLIX = {"it's|a=b": {"SECRET_KEY": TEST_KEY, "BASE_URL": BASE_URL}}
    calls(30, NOW - timedelta(seconds=1), account="it's|a=b")
    line = run()[1]
    assert "'it_s_a_b.test.server_errors'=0;;0.05" in line
    assert line.count("|") == 1


def test_it_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    five_failing_calls_in_a_hundred()
    run()
    with django_assert_max_num_queries(45, connection=connection):
        run()
