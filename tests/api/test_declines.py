"""Decline texts: helpful where the reason may be said, word for word the same where it must not."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from django_flowlix.api.declines import DECLINES, Category, Decline, decline_for

# The published codes of all three contracts with the action the guide names for each.
PUBLISHED = {
    "generic_decline": Category.NEW_METHOD,
    "do_not_honor": Category.NEW_METHOD,
    "issuer_declined": Category.NEW_METHOD,
    "insufficient_funds": Category.NEW_METHOD,
    "expired_card": Category.NEW_METHOD,
    "invalid_number": Category.FIX_ENTRY,
    "invalid_expiry": Category.FIX_ENTRY,
    "invalid_amount": Category.CHECK_REQUEST,
    "invalid_currency": Category.CHECK_REQUEST,
    "not_permitted": Category.NEW_METHOD,
    "cardholder_limit": Category.NEW_METHOD,
    "card_velocity_exceeded": Category.NEW_METHOD,
    "lost_card": Category.NEW_METHOD,
    "stolen_card": Category.NEW_METHOD,
    "suspect_fraud": Category.NEW_METHOD,
    "fraud_filter": Category.NEW_METHOD,
    "three_d_secure_failed": Category.RETRY,
}
SILENT = ["lost_card", "stolen_card", "suspect_fraud", "fraud_filter"]
TELLTALE = re.compile(
    r"lost|stol|steal|theft|thief|fraud|suspect|suspicious|police|crim|block|black|report|risk|security|velocity",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("code", "category"), PUBLISHED.items())
def test_every_published_code_has_its_category_and_texts(code: str, category: Category) -> None:
    decline = decline_for(code)
    assert (decline.code, decline.category) == (code, category)
    assert decline.customer_text.endswith(".")
    assert decline.staff_text.endswith(".")
    assert decline.staff_text != decline.customer_text


def test_there_are_no_codes_that_no_page_documents() -> None:
    assert set(DECLINES) == set(PUBLISHED)


def test_the_reference_page_lists_every_code_with_its_category() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "declines.md"
    rows = re.findall(r"^\| `([a-z_]+)` \| `([a-z_]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {code: Category(category) for code, category in rows} == PUBLISHED


@pytest.mark.parametrize("code", [*PUBLISHED, "no_such_code", None])
def test_no_customer_text_reveals_what_it_must_not(code: str | None) -> None:
    assert not TELLTALE.search(decline_for(code).customer_text)


@pytest.mark.parametrize("code", SILENT)
def test_a_customer_cannot_tell_a_silent_code_from_a_generic_decline(code: str) -> None:
    generic, silent = decline_for("generic_decline"), decline_for(code)
    assert silent.customer_text == generic.customer_text
    # A page that branches on these would otherwise give the reason away by what it offers.
    assert (silent.category, silent.may_retry) == (generic.category, generic.may_retry)
    assert silent.staff_text != generic.staff_text


@pytest.mark.parametrize("code", ["", "no_such_code", "x" * 500, "<b>", "\ud800"])
def test_m7_an_unknown_code_keeps_its_name_and_says_what_a_generic_decline_says(code: str) -> None:
    generic = decline_for("generic_decline")
    assert decline_for(code) == Decline(
        code, generic.category, generic.customer_text, generic.staff_text, generic.may_retry
    )


def test_no_code_at_all_is_a_generic_decline() -> None:
    generic = decline_for("generic_decline")
    assert decline_for(None).code == ""
    assert decline_for(None).customer_text == generic.customer_text


def test_m7_another_case_does_not_turn_a_known_code_into_an_unknown_one() -> None:
    decline = decline_for(" Expired_CARD ")
    assert decline.code == " Expired_CARD "
    assert decline.staff_text == decline_for("expired_card").staff_text


def test_the_same_card_is_offered_again_only_where_that_can_help() -> None:
    assert {code for code in PUBLISHED if decline_for(code).may_retry} == {
        "invalid_number",
        "invalid_expiry",
        "three_d_secure_failed",
    }


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("insufficient_funds", "funds"),
        ("expired_card", "expired"),
        ("invalid_number", "number"),
        ("invalid_expiry", "expiry date"),
        ("card_velocity_exceeded", "limit"),
        ("cardholder_limit", "limit"),
    ],
)
def test_where_the_reason_may_be_said_it_is_said(code: str, word: str) -> None:
    assert word in decline_for(code).customer_text


def test_texts_are_plain_strings_so_that_they_can_be_translated_on_display() -> None:
    assert [field.name for field in fields(Decline)] == [
        "code", "category", "customer_text", "staff_text", "may_retry"
    ]  # fmt: skip
    assert {type(decline.customer_text) for decline in DECLINES.values()} == {str}
    assert str(Category.NEW_METHOD) == "new_method"
