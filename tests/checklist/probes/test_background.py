"""sync-running: flowlix_sync has run lately, and nothing waits for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from django_flowlix.checklist import Outcome
from django_flowlix.models import CommandRun, Payment, Refund
from tests.checklist.looking import told
from tests.checklist.recorded import a_payment, a_refund, ago, live

pytestmark = pytest.mark.django_db

MODES = pytest.mark.parametrize(("livemode", "outcome"), [(False, Outcome.WARN), (True, Outcome.FAIL)])


def ran(**age: float) -> None:
    CommandRun.objects.create(command="flowlix_sync", completed_at=ago(**age))


def test_a_run_of_late_passes(look: Any) -> None:
    ran(minutes=4)
    found = look("sync-running")
    assert found.outcome is Outcome.PASS
    assert "flowlix_sync ended last at" in told(found, Outcome.PASS)


def test_the_command_s_run_is_what_counts(look: Any) -> None:
    call_command("flowlix_sync", verbosity=0)
    assert look("sync-running").outcome is Outcome.PASS


@MODES
def test_a_command_that_has_never_run_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    CommandRun.objects.create(command="flowlix_prune", completed_at=ago(minutes=1))
    if livemode:
        live(settings)
    found = look("sync-running")
    assert found.outcome is outcome
    assert "has never run to its end" in told(found, outcome)
    assert "Run manage.py flowlix_sync every minute" in told(found, outcome)


@pytest.mark.parametrize("livemode", [False, True])
def test_a_command_that_is_late_is_a_warning(look: Any, settings: Any, livemode: bool) -> None:
    ran(minutes=20)
    if livemode:
        live(settings)
    found = look("sync-running")
    assert found.outcome is Outcome.WARN
    assert "20 minutes ago" in told(found, Outcome.WARN)


@MODES
def test_a_command_that_has_stopped_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    ran(minutes=31)
    if livemode:
        live(settings)
    found = look("sync-running")
    assert found.outcome is outcome
    assert "more than half an hour ago" in told(found, outcome)


@MODES
def test_work_that_waits_for_too_long_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    ran(minutes=1)
    late = {"next_sync_at": ago(minutes=31), "livemode": livemode}
    a_payment("pending", **late)
    paid = a_payment(livemode=livemode)
    Refund.objects.filter(pk=a_refund(paid, "pending").pk).update(next_sync_at=ago(minutes=31))
    if livemode:
        live(settings)
    found = look("sync-running")
    assert found.outcome is outcome
    assert "1 payments are overdue" in told(found, outcome)
    assert "1 refunds are overdue" in told(found, outcome)


def test_work_that_is_none_of_this_account_and_mode_or_not_late_is_not_counted(look: Any) -> None:
    ran(minutes=1)
    a_payment("pending", next_sync_at=ago(minutes=29))
    a_payment("pending", next_sync_at=ago(minutes=31), livemode=True)
    a_payment("pending", next_sync_at=ago(minutes=31), account="another")
    assert look("sync-running").outcome is Outcome.PASS


def test_more_than_can_be_counted_is_said_so(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(minutes=1)
    for module in ("django_flowlix.services.monitoring.queues", "django_flowlix.checklist.probes.background"):
        monkeypatch.setattr(f"{module}.MOST_COUNTED", 1)
    for _ in range(3):
        a_payment("pending", next_sync_at=ago(minutes=31))
    assert "More than 1 payments are overdue" in told(look("sync-running"), Outcome.WARN)
    assert Payment.objects.count() == 3
