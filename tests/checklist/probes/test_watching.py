"""decline-rate-watched: the rule is on, and flowlix_monitor judges it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from django_flowlix.checklist import Outcome
from django_flowlix.models import MonitorRun
from tests.checklist.looking import told
from tests.checklist.recorded import ago, configured, live

pytestmark = pytest.mark.django_db


def judged(livemode: bool = False, account: str = "default", **age: float) -> None:
    MonitorRun.objects.create(account=account, livemode=livemode, completed_at=ago(**age))


def test_a_rule_that_is_on_and_judged_passes(look: Any) -> None:
    judged(minutes=14)
    found = look("decline-rate-watched")
    assert found.outcome is Outcome.PASS
    assert "decline_rate is on, from 50% declined payments" in told(found, Outcome.PASS)
    assert "judged this account last at" in told(found, Outcome.PASS)


def test_the_command_s_run_is_what_counts(look: Any) -> None:
    call_command("flowlix_monitor", verbosity=0)
    assert look("decline-rate-watched").outcome is Outcome.PASS


@pytest.mark.parametrize(("livemode", "outcome"), [(False, Outcome.WARN), (True, Outcome.FAIL)])
def test_a_rule_that_is_off_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    judged(livemode, minutes=1)
    (live if livemode else configured)(settings, ALERTS={"decline_rate": None})
    found = look("decline-rate-watched")
    assert found.outcome is outcome
    assert "decline_rate is off" in told(found, outcome)


@pytest.mark.parametrize(("livemode", "outcome"), [(False, Outcome.WARN), (True, Outcome.FAIL)])
def test_a_monitor_that_has_never_run_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    judged(not livemode, minutes=1)
    judged(livemode, account="another", minutes=1)
    if livemode:
        live(settings)
    found = look("decline-rate-watched")
    assert found.outcome is outcome
    assert "has never judged this account in this mode" in told(found, outcome)
    assert "Run manage.py flowlix_monitor" in told(found, outcome)


@pytest.mark.parametrize("livemode", [False, True])
def test_a_monitor_that_is_late_is_a_warning(look: Any, settings: Any, livemode: bool) -> None:
    judged(livemode, minutes=40)
    if livemode:
        live(settings)
    found = look("decline-rate-watched")
    assert found.outcome is Outcome.WARN
    assert "40 minutes ago" in told(found, Outcome.WARN)


@pytest.mark.parametrize(("livemode", "outcome"), [(False, Outcome.WARN), (True, Outcome.FAIL)])
def test_a_monitor_that_has_stopped_is_noticed(look: Any, settings: Any, livemode: bool, outcome: Outcome) -> None:
    judged(livemode, minutes=61)
    if livemode:
        live(settings)
    found = look("decline-rate-watched")
    assert found.outcome is outcome
    assert "more than an hour ago" in told(found, outcome)
