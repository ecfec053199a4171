"""What the documentation says of the metrics is so, and the extra is needed by nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_flowlix.prometheus import FlowlixCollector
from tests.prometheus.shop import a_morning

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"

pytestmark = pytest.mark.django_db


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
    used = {name.removesuffix("_bucket") for name in re.findall(r"\bflowlix_(?!monitor\b|sync\b)\w+", text)}
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


def alert_rule(name: str) -> str:
    text = (DOCS / "how-to/prometheus-alerts.yml").read_text(encoding="utf-8")
    (rule,) = [each for each in text.split("- alert: ")[1:] if each.split()[0] == name]
    return " ".join(rule.split())


def test_a_monitor_that_never_ran_is_an_alert_as_well_as_one_that_has_stopped() -> None:
    metric = "flowlix_monitor_completed_timestamp_seconds"
    assert f"time() - {metric} > 3600 or absent({metric})" in alert_rule("FlowlixMonitorMissing")


@pytest.mark.parametrize("name", ["FlowlixSyncOverdue", "FlowlixNotificationsFailing"])
def test_alerts_about_payments_are_about_real_money(name: str) -> None:
    assert 'mode="live"' in alert_rule(name)


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
