"""decline-texts: every code has its texts, and the page for customers shows those and nothing of the gateway's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from django_flowlix.api.declines import DECLINES
from django_flowlix.checklist import Outcome
from django_flowlix.checklist.probes import declines
from tests.checklist.looking import told
from tests.checklist.recorded import a_payment, configured, live

pytestmark = pytest.mark.django_db


def test_texts_and_page_are_as_they_should_be(look: Any) -> None:
    found = look("decline-texts")
    assert found.outcome is Outcome.PASS
    assert "All 17 documented decline codes have texts" in told(found, Outcome.PASS)
    assert "django_flowlix/result.html, rendered for declined payments" in told(found, Outcome.PASS)


@pytest.mark.parametrize("lack", ["customer_text", "staff_text"])
def test_a_code_without_a_text_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch, lack: str) -> None:
    emptied = dict(DECLINES) | {"expired_card": replace(DECLINES["expired_card"], **{lack: " "})}
    del emptied["cardholder_limit"]
    monkeypatch.setattr(declines, "DECLINES", MappingProxyType(emptied))
    said = told(look("decline-texts"), Outcome.FAIL)
    assert "expired_card has no text" in said
    assert "cardholder_limit has no text" in said


@pytest.mark.parametrize("text", ["Your card was reported stolen.", "Your card has expired."])
def test_a_text_that_tells_what_it_must_not_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    tell = declines.decline_for

    def telling(code: str) -> Any:
        return replace(tell(code), customer_text=text) if code == "lost_card" else tell(code)

    monkeypatch.setattr(declines, "decline_for", telling)
    assert "the text for lost_card tells the customer why" in told(look("decline-texts"), Outcome.FAIL)


def test_known_codes_that_were_seen_are_said(look: Any) -> None:
    a_payment("failed", decline_code="Insufficient_Funds")
    a_payment("failed", decline_code="")
    found = look("decline-texts")
    assert found.outcome is Outcome.PASS
    assert "known: Insufficient_Funds" in told(found, Outcome.NOTE)


def test_an_unknown_code_that_was_seen_is_a_warning(look: Any, settings: Any) -> None:
    a_payment("failed", decline_code="moon_phase")
    a_payment("failed", decline_code="expired_card")
    found = look("decline-texts")
    assert found.outcome is Outcome.WARN
    assert "unknown codes: moon_phase. Their customers read the generic text" in told(found, Outcome.WARN)
    live(settings)
    assert look("decline-texts").outcome is Outcome.PASS, "it was seen in the other mode"


@pytest.fixture
def page(settings: Any, tmp_path: Path) -> Any:
    """Put a result page of the project's own in place."""

    def write(text: str) -> None:
        (tmp_path / "django_flowlix").mkdir(exist_ok=True)
        (tmp_path / "django_flowlix" / "result.html").write_text(text, encoding="utf-8")
        settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]

    return write


def test_a_page_of_the_project_s_own_passes_as_ours_does(look: Any, page: Any) -> None:
    page("{% load i18n %}<p>{% translate decline.customer_text %}</p>")
    assert look("decline-texts").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("leak", "fault"),
    [
        ("{{ payment.decline_message }}", "shows the gateway's own message"),
        ("{{ payment.decline.staff_text }}", "shows the staff's text"),
        ("<!-- {{ payment.decline_code }} -->", "shows the code stolen_card"),
        ("{{ decline.code }}", "shows the code insufficient_funds"),
    ],
)
def test_a_page_that_says_more_is_noticed(look: Any, page: Any, leak: str, fault: str) -> None:
    page("{% load i18n %}{% translate decline.customer_text %}" + leak)
    found = look("decline-texts")
    assert found.outcome is Outcome.FAIL
    assert fault in told(found, Outcome.FAIL)


RESULT_STATEMENT = (
    "Our template django_flowlix/result.html tells customers whose payment was declined what to do; it shows neither "
    "the gateway's code and message nor the staff's text, and nobody learns from it that a card is taken for lost or "
    "stolen."
)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry.",
        "{% if decline.code == 'insufficient_funds' %}Too little.{% else %}Take another card.{% endif %}",
    ],
)
def test_a_page_with_words_of_its_own_needs_somebody_who_reads_them(look: Any, page: Any, text: str) -> None:
    page(text)
    found = look("decline-texts")
    assert found.outcome is Outcome.PERSON
    assert "uses other words than ours for insufficient_funds, stolen_card" in told(found, Outcome.PERSON)
    assert told(found, Outcome.PERSON).endswith(f"→ {RESULT_STATEMENT}")


def test_a_page_with_words_of_its_own_that_shows_the_code_is_no_matter_of_opinion(look: Any, page: Any) -> None:
    page("Sorry: {{ decline.code }}")
    found = look("decline-texts")
    assert found.outcome is Outcome.FAIL
    assert told(found, Outcome.PERSON).endswith(f"→ {RESULT_STATEMENT}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{% url 'django_flowlix:pending' %}", "NoReverseMatch"),
        ("{% extends payment.order_reference %}", "TemplateDoesNotExist"),
        (
            "{% load i18n %}{% blocktranslate with a=payment.status_changes.all %}{{ a }}{% endblocktranslate %}",
            "ValueError",
        ),
    ],
)
def test_a_page_that_wants_a_real_order_needs_somebody_who_sees_it(look: Any, page: Any, text: str, name: str) -> None:
    page(text)
    found = look("decline-texts")
    assert found.outcome is Outcome.PERSON
    assert f"result.html cannot be rendered without an order of the shop: {name}." in told(found, Outcome.PERSON)
    assert told(found, Outcome.PERSON).endswith(f"→ {RESULT_STATEMENT}")


def test_a_page_that_is_no_template_is_noticed(look: Any, page: Any) -> None:
    page("{% no_such_tag %}")
    found = look("decline-texts")
    assert found.outcome is Outcome.FAIL
    assert "result.html cannot be loaded: TemplateSyntaxError: " in told(found, Outcome.FAIL)


SHOWS = "shows the decline text (payment.decline.customer_text) and nothing of the gateway's message."


def test_a_failure_page_of_the_shop_s_own_needs_somebody_who_looks(look: Any, settings: Any) -> None:
    configured(settings, FAILURE_URL="/sorry/")
    found = look("decline-texts")
    assert found.outcome is Outcome.PERSON
    assert told(found, Outcome.PERSON).startswith("FAILURE_URL is set")
    assert told(found, Outcome.PERSON).endswith(f"→ Our failure page /sorry/ {SHOWS}")


def test_another_failure_page_is_another_statement(look: Any, settings: Any) -> None:
    configured(settings, FAILURE_URL="/orders/{order_reference}/sorry/")
    said = told(look("decline-texts"), Outcome.PERSON)
    assert said.endswith(f"→ Our failure page /orders/{{order_reference}}/sorry/ {SHOWS}")


def test_so_does_one_that_payments_are_started_with(look: Any) -> None:
    a_payment(failure_url="/sorry/")
    found = look("decline-texts")
    assert found.outcome is Outcome.PERSON
    assert told(found, Outcome.PERSON).endswith(f"→ Our failure page {SHOWS}")
