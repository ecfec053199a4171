"""The app's own customer pages: waiting, result and problem, as they come and in the shop's clothes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

import django_flowlix
from django_flowlix.models import Payment

pytestmark = pytest.mark.django_db
BLAME = ("failed", "declined", "wrong", "error", "sorry", "problem")


@pytest.fixture
def plain(settings: Any) -> None:
    """The pages as they come: the shop and its override are not among the template directories."""
    templates = Path(django_flowlix.__file__).parent / "templates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False, "DIRS": [templates]}]


def render(name: str, **context: Any) -> str:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]
    return render_to_string(f"django_flowlix/{name}.html", context, request)


def pending(payment: Payment) -> str:
    return render("pending", payment=payment, status_url="/s/?from=x", continue_url="/c/", refresh_seconds=7)


@pytest.mark.parametrize("status", ["pending", "requires_action", "processing"])
def test_p5_waiting_is_confirmation_without_blame(add_payment: Callable[..., Payment], status: str) -> None:
    payment = add_payment(status, hosted_page_url="https://pay.example/x")
    text = pending(payment)

    assert "We are confirming your payment" in text
    assert "You may close this page" in text
    assert payment.order_reference in text
    assert not [word for word in BLAME if word in text.lower()]


def test_only_a_payment_that_waits_for_the_customer_leads_back_to_the_hosted_page(
    add_payment: Callable[..., Payment],
) -> None:
    link = 'href="https://pay.example/x"'
    open_statuses = ["created", "pending", "processing"]
    shown = [
        status
        for status in open_statuses
        if link in pending(add_payment(status, hosted_page_url="https://pay.example/x"))
    ]

    assert shown == ["pending"]


def test_c5_a_payment_in_preparation_offers_to_go_on(add_payment: Callable[..., Payment]) -> None:
    text = pending(add_payment("created"))

    assert "We are preparing your payment" in text
    assert '<form method="post" action="/c/"' in text
    assert "csrfmiddlewaretoken" in text


@pytest.mark.parametrize("status", ["created", "pending"])
def test_waiting_works_with_and_without_javascript(add_payment: Callable[..., Payment], status: str) -> None:
    text = pending(add_payment(status))

    assert '<noscript><meta http-equiv="refresh" content="7"></noscript>' in text
    assert 'data-flowlix-status-url="/s/?from=x"' in text
    assert 'src="/static/django_flowlix/poll.js"' in text
    assert 'aria-live="polite"' in text


@pytest.mark.parametrize("status", ["created", "pending"])
@pytest.mark.usefixtures("plain")
def test_the_waiting_page_stands_on_its_own(add_payment: Callable[..., Payment], status: str) -> None:
    text = pending(add_payment(status))

    assert text.startswith("<!doctype html>")
    assert 'href="/static/django_flowlix/pages.css"' in text
    assert "Marginalia" not in text


def test_the_shop_puts_its_clothes_on(add_payment: Callable[..., Payment]) -> None:
    text = pending(add_payment("pending"))

    assert "Marginalia" in text
    assert 'href="/static/django_flowlix/pages.css"' in text


def test_the_result_names_the_card_of_a_success(add_payment: Callable[..., Payment]) -> None:
    payment = add_payment("succeeded", card_brand="visa", card_last4="4242")
    text = render("result", payment=payment, paid=True, decline=None)

    assert "Thank you" in text
    assert "Visa •••• 4242" in text
    assert "82.80 EUR" in text


def test_f10_the_result_shows_our_words_and_never_the_gateways(add_payment: Callable[..., Payment]) -> None:
    payment = add_payment("failed", decline_code="stolen_card", decline_message="<b>stolen</b>")
    text = render("result", payment=payment, paid=False, decline=payment.decline)

    assert "was not completed" in text
    assert "stolen" not in text


def test_a_payment_that_was_canceled_is_not_called_declined(add_payment: Callable[..., Payment]) -> None:
    payment = add_payment("failed", decline_code="")
    text = render("result", payment=payment, paid=False, decline=payment.decline)

    assert "was not completed" in text
    assert "card" not in text.lower().replace("flowlix-card", "").replace("cards only", "")


def test_a_problem_names_every_fault_escaped() -> None:
    text = render("problem", title="Details", message="", faults=("a <b>", "c"), retry_after_seconds=None)

    assert "<li>a &lt;b&gt;</li><li>c</li>" in text
    assert "again in" not in text
    assert "<form" not in text


@pytest.mark.parametrize(("seconds", "words"), [(1, "in 1 second."), (30, "in 30 seconds.")])
def test_a_problem_says_when_to_try_again(seconds: int, words: str) -> None:
    text = render("problem", title="Busy", message="m", faults=(), retry_after_seconds=seconds, continue_url="/c/")

    assert words in text
    assert '<form method="post" action="/c/"' in text
