"""system-checks: what check --deploy says, ours first, as strict as the mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry

from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import LIVE, live

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(settings: Any) -> Iterator[Any]:
    """Let the project's checks say this, and nothing else; one of them may be for the databases."""
    before = set(registry.registered_checks), set(registry.deployment_checks)
    registry.registered_checks.clear()
    registry.deployment_checks.clear()

    def say(*messages: checks.CheckMessage, tags: tuple[str, ...] = (), deploy: bool = False) -> None:
        def check(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
            return list(messages)

        checks.register(check, *tags, deploy=deploy)

    yield say
    registry.registered_checks, registry.deployment_checks = before


def test_checks_with_nothing_to_say_pass(look: Any, say: Any) -> None:
    found = look("system-checks")
    assert found.outcome is Outcome.PASS
    assert "those of check --deploy and of the databases included, say nothing" in told(found, Outcome.PASS)


@pytest.mark.parametrize("options", [{}, {"deploy": True}, {"tags": ("database",)}])
def test_an_error_is_noticed_whichever_check_it_is_of(look: Any, say: Any, options: dict[str, Any]) -> None:
    say(checks.Error("It breaks.", hint="Mend it.", id="shop.E001"), **options)
    found = look("system-checks")
    assert found.outcome is Outcome.FAIL
    assert told(found, Outcome.FAIL) == "shop.E001: It breaks. → Mend it."


def test_warnings_are_warnings_each_by_itself_and_ours_first(look: Any, say: Any) -> None:
    say(checks.Warning("Hm.", id="shop.W001"), checks.Warning("Ours."), checks.Warning("First.", id="flowlix.W039"))
    found = look("system-checks")
    assert found.outcome is Outcome.WARN
    names = [line.partition(" → ")[0] for line in told(found, Outcome.WARN).splitlines()]
    assert names == ["flowlix.W039: First.", "shop.W001: Hm.", "without an id: Ours."]
    assert "SILENCED_SYSTEM_CHECKS" in told(found, Outcome.WARN), "a warning without a hint gets one"


DEPLOY = (checks.Warning("No HSTS.", id="security.W004"), checks.Warning("No SSL.", id="security.W008"))


def test_with_a_test_key_what_is_for_deployment_is_one_warning(look: Any, say: Any) -> None:
    say(*DEPLOY, deploy=True)
    found = look("system-checks")
    assert found.outcome is Outcome.WARN
    assert told(found, Outcome.WARN).count("→") == 1
    assert "security.W004, security.W008" in told(found, Outcome.WARN)


def test_with_a_live_key_each_of_it_is_a_warning(look: Any, say: Any, settings: Any) -> None:
    live(settings)
    say(*DEPLOY, deploy=True)
    found = look("system-checks")
    assert found.outcome is Outcome.WARN
    assert told(found, Outcome.WARN).count("→") == 2
    assert "security.W008: No SSL." in told(found, Outcome.WARN)


def test_a_security_error_is_an_error_with_a_test_key_too(look: Any, say: Any) -> None:
    say(checks.Error("Both.", id="security.E101"), deploy=True)
    assert look("system-checks").outcome is Outcome.FAIL


def test_that_a_test_key_is_one_is_said_and_not_held_against_it(look: Any, say: Any) -> None:
    say(checks.Warning("A test key.", id="flowlix.W032"), deploy=True)
    found = look("system-checks")
    assert found.outcome is Outcome.PASS
    assert "flowlix.W032" in told(found, Outcome.NOTE)


def test_information_is_said(look: Any, say: Any) -> None:
    say(checks.Info("By the way.", id="shop.I001"), checks.Debug("Look."))
    found = look("system-checks")
    assert found.outcome is Outcome.PASS
    assert "shop.I001: By the way." in told(found, Outcome.NOTE)


def test_what_is_silenced_is_silent_and_named(look: Any, say: Any, settings: Any) -> None:
    settings.SILENCED_SYSTEM_CHECKS = ["shop.W001"]
    say(checks.Warning("Hm.", id="shop.W001"))
    found = look("system-checks")
    assert found.outcome is Outcome.PASS
    assert "Silenced by the project: shop.W001." in told(found, Outcome.NOTE)


def test_the_real_checks_notice_a_live_key_with_debug(look: Any, settings: Any) -> None:
    live(settings)
    settings.DEBUG = True
    assert "flowlix.E031" in told(look("system-checks"), Outcome.FAIL)


def test_the_real_checks_notice_a_host_that_is_not_served(look: Any, settings: Any) -> None:
    settings.FLOWLIX = {"default": LIVE | {"BASE_URL": "https://elsewhere.example"}}
    assert "flowlix.W035" in told(look("system-checks"), Outcome.WARN)
