"""https, by the settings, and webhooks-verified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_flowlix.api.contracts import CONTRACTS
from django_flowlix.checklist import Finding, Outcome
from tests.checklist.project.keys import HOOK, LIVE_KEY, TEST_KEY

Findings = Callable[[str], list[Finding]]
HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


def told(findings: list[Finding], word: str) -> tuple[Outcome, str]:
    """The outcome and the words of the one finding that speaks of something."""
    ((outcome, words),) = [(found.outcome, found.looked_at) for found in findings if word in found.looked_at]
    return outcome, words


def statements(findings: list[Finding]) -> list[str]:
    return [found.to_do for found in findings if found.outcome is Outcome.PERSON]


@pytest.fixture
def tight(settings: Any, emulator: Any) -> Any:
    """A shop over https whose settings are as they should be, with a test key."""
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}}
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 3600
    settings.SECURE_REDIRECT_EXEMPT = []
    settings.SECURE_PROXY_SSL_HEADER = None
    settings.USE_X_FORWARDED_HOST = False
    return settings


@pytest.fixture
def live(tight: Any) -> Any:
    tight.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    return tight


def test_a_tight_shop_passes(findings: Findings, live: Any) -> None:
    found = findings("https")
    assert {finding.outcome for finding in found} == {Outcome.PASS, Outcome.NOTE}
    assert [finding.looked_at for finding in found if finding.outcome is Outcome.PASS] == [
        "API_URL is https://api.flowlix.eu.",
        "BASE_URL is https://shop.example.",
        "SESSION_COOKIE_SECURE is on.",
        "CSRF_COOKIE_SECURE is on.",
        "SECURE_SSL_REDIRECT is on.",
        "SECURE_HSTS_SECONDS is 3600.",
    ]


def test_plain_http_on_this_machine_is_for_development(findings: Findings, test_key: str, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = False
    found = findings("https")
    assert told(found, "API_URL")[0] is Outcome.WARN
    assert told(found, "BASE_URL is plain http")[0] is Outcome.WARN
    assert told(found, "were not judged")[0] is Outcome.NOTE
    assert len(found) == 3


@pytest.mark.parametrize("name", ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
def test_a_cookie_over_http(findings: Findings, live: Any, name: str) -> None:
    setattr(live, name, False)
    assert told(findings("https"), name)[0] is Outcome.FAIL
    live.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}}
    assert told(findings("https"), name)[0] is Outcome.WARN


def test_cookies_that_are_not_used_do_not_count(findings: Findings, live: Any) -> None:
    live.CSRF_USE_SESSIONS, live.CSRF_COOKIE_SECURE, live.SESSION_COOKIE_SECURE = True, False, False
    live.MIDDLEWARE = [name for name in live.MIDDLEWARE if "sessions" not in name]
    assert not [found for found in findings("https") if "COOKIE" in found.looked_at]


def test_a_redirect_may_be_the_proxys_business(findings: Findings, live: Any) -> None:
    live.SECURE_SSL_REDIRECT = False
    live.SECURE_PROXY_SSL_HEADER = HEADER
    found = findings("https")
    assert told(found, "SECURE_SSL_REDIRECT is off")[0] is Outcome.PERSON
    assert statements(found) == [
        "The proxy in front of Django redirects every http address of the shop to https.",
        "The proxy removes X-Forwarded-Proto from what customers send before it sets its own.",
    ]


def test_so_may_strict_transport_security(findings: Findings, live: Any) -> None:
    live.SECURE_HSTS_SECONDS = 0
    found = findings("https")
    assert told(found, "SECURE_HSTS_SECONDS is 0")[0] is Outcome.PERSON
    assert statements(found) == ["The proxy in front of Django sends Strict-Transport-Security with the shop's pages."]


@pytest.mark.parametrize("seconds", [1, 3599])
def test_browsers_that_are_told_for_moments_only(findings: Findings, live: Any, seconds: int) -> None:
    live.SECURE_HSTS_SECONDS = seconds
    outcome, words = told(findings("https"), "SECURE_HSTS_SECONDS")
    assert outcome is Outcome.WARN
    assert words == f"SECURE_HSTS_SECONDS is {seconds}: browsers forget within the hour to stay on https."


@pytest.mark.parametrize("pattern", [r".*", r"", r"^flowlix/", r"^(?!admin)"])
@pytest.mark.parametrize("mode", ["live", "tight"])
def test_a_redirect_that_leaves_the_shops_pages_out(
    findings: Findings, tight: Any, request: pytest.FixtureRequest, pattern: str, mode: str
) -> None:
    request.getfixturevalue(mode)
    tight.SECURE_REDIRECT_EXEMPT = [r"^healthz$", pattern]
    outcome, words = told(findings("https"), "SECURE_REDIRECT_EXEMPT")
    assert outcome is (Outcome.FAIL if mode == "live" else Outcome.WARN)
    assert f"leaves pages of the shop on http: {pattern!r}." in words


def test_a_redirect_that_leaves_other_pages_out_is_noted(findings: Findings, live: Any) -> None:
    live.SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    found = findings("https")
    assert told(found, "SECURE_REDIRECT_EXEMPT")[0] is Outcome.NOTE
    assert told(found, "SECURE_SSL_REDIRECT is on")[0] is Outcome.PASS


def test_without_its_middleware_neither_setting_does_anything(findings: Findings, live: Any) -> None:
    live.MIDDLEWARE = [name for name in live.MIDDLEWARE if not name.endswith(".SecurityMiddleware")]
    words = [found.looked_at for found in findings("https") if found.outcome is Outcome.PERSON]
    assert [text for text in words if text.endswith("SecurityMiddleware is not in MIDDLEWARE.")] == words[:2]
    assert len(words) == 3  # and Django's own answers are no proof that it knows of https


def test_a_proxy_header_is_believed(findings: Findings, tight: Any) -> None:
    tight.SECURE_PROXY_SSL_HEADER = HEADER
    outcome, words = told(findings("https"), "Django believes X-Forwarded-Proto")
    assert outcome is Outcome.NOTE
    assert words.endswith("The proxy must remove it from what customers send.")


def test_with_a_live_key_a_person_knows_what_the_proxy_does(findings: Findings, live: Any) -> None:
    live.SECURE_PROXY_SSL_HEADER = HEADER
    assert told(findings("https"), "Django believes X-Forwarded-Proto")[0] is Outcome.PERSON


def test_no_proxy_header_with_a_redirect_would_be_seen_at_once(findings: Findings, live: Any) -> None:
    assert told(findings("https"), "SECURE_PROXY_SSL_HEADER is not set")[0] is Outcome.NOTE


def test_no_proxy_header_and_no_redirect_needs_a_person(findings: Findings, live: Any) -> None:
    live.SECURE_SSL_REDIRECT = False
    found = findings("https")
    assert told(found, "SECURE_PROXY_SSL_HEADER is not set")[0] is Outcome.PERSON
    assert "TLS ends in the server that runs Django, not at a proxy in front of it." in statements(found)
    live.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}}
    assert told(findings("https"), "SECURE_PROXY_SSL_HEADER is not set")[0] is Outcome.NOTE


def test_a_host_that_is_taken_from_the_proxy_is_noted(findings: Findings, live: Any) -> None:
    live.USE_X_FORWARDED_HOST = True
    assert told(findings("https"), "USE_X_FORWARDED_HOST")[0] is Outcome.NOTE


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_a_contract_without_webhooks(findings: Findings, settings: Any, emulator: Any, contract: str) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example", "CONTRACT": contract}}
    (finding,) = findings("webhooks-verified")
    assert (finding.outcome, finding.looked_at) == (
        Outcome.SKIP,
        f"Contract {contract} has no webhooks: the gateway is asked instead.",
    )


def test_secrets_that_nothing_uses_are_noted(findings: Findings, tight: Any) -> None:
    tight.FLOWLIX = {"default": tight.FLOWLIX["default"] | {"WEBHOOK_SECRETS": [HOOK]}}
    assert [found.outcome for found in findings("webhooks-verified")] == [Outcome.SKIP, Outcome.NOTE]


def test_a_contract_with_webhooks_needs_their_secret(
    findings: Findings, tight: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(CONTRACTS["eu"]), "has_webhooks", True)
    assert [found.outcome for found in findings("webhooks-verified")] == [Outcome.FAIL]
    tight.FLOWLIX = {"default": tight.FLOWLIX["default"] | {"WEBHOOK_SECRETS": [HOOK]}}
    assert [found.outcome for found in findings("webhooks-verified")] == [Outcome.PERSON]
