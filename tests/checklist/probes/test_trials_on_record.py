"""What trials on record prove afterwards, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.checklist import Outcome
from django_flowlix.checklist.keeping import keep
from django_flowlix.checklist.probes import trials
from tests.checklist.looking import told
from tests.checklist.probes.trying import LINES, LIVE_KEY, came, try_all
from tests.conftest import TEST_KEY

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("line", LINES)
def test_without_a_trial_there_is_no_evidence(line: str, look: Any) -> None:
    found = look(line)
    assert found.outcome is Outcome.SKIP
    assert "--scenarios" in told(found, Outcome.SKIP)


@pytest.mark.parametrize("line", LINES)
def test_a_trial_on_record_is_evidence_until_the_version_changes(
    line: str, look: Any, emulator: Any, fake_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(try_all())
    assert look(line).outcome is Outcome.PASS
    monkeypatch.setattr("django_flowlix.checklist.probes.tested.__version__", "99.0")
    found = look(line)
    assert found.outcome is Outcome.WARN
    assert "this is 99.0" in told(found, Outcome.WARN)


def test_a_failed_trial_on_record_still_fails(
    look: Any, emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any
) -> None:
    monkeypatch.setattr(trials, "send_invalid", lambda context: came())
    keep(try_all())
    found = look("errors-exercised")
    assert found.outcome is Outcome.FAIL
    assert "The last trial" in told(found, Outcome.FAIL)


@pytest.mark.parametrize(
    "changes",
    [
        {"CONTRACT": "dev"},
        {"SECRET_KEY": f"{TEST_KEY}Other"},
        {"BASE_URL": "https://shop.example"},
        {"API_URL": "https://api.flowlix.eu"},
    ],
)
def test_a_trial_of_another_configuration_proves_nothing(
    changes: dict[str, str], look: Any, emulator: Any, settings: Any, fake_clock: Any
) -> None:
    """An emulator is another gateway: what was tried out there proves nothing of the real one."""
    keep(try_all())
    assert look("idempotency-exercised").outcome is Outcome.PASS
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | changes}
    assert look("idempotency-exercised").outcome is Outcome.SKIP


def test_a_trial_that_came_to_nothing_does_not_hide_the_one_before(look: Any, emulator: Any, fake_clock: Any) -> None:
    keep(try_all())
    emulator.fault("list", "status_before", status=503, times=9)
    keep(try_all())
    assert look("idempotency-exercised").outcome is Outcome.PASS


@pytest.mark.parametrize("line", LINES)
def test_trials_in_the_same_database_prove_nothing_of_the_live_key(
    line: str, look: Any, emulator: Any, settings: Any, fake_clock: Any
) -> None:
    keep(try_all())
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    assert look(line).outcome is Outcome.PERSON


@pytest.mark.parametrize("line", LINES)
def test_a_live_installation_needs_a_person_s_word(line: str, look: Any, settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    found = look(line)
    assert found.outcome is Outcome.PERSON
    assert "exercised on the test installation" in told(found, Outcome.PERSON)
