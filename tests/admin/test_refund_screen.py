"""The refund screen: what it asks, what it wants confirmed, and what became of it in plain words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund
from tests.admin.reading import text_of
from tests.admin.refunding import ask, confirm, refund, refund_page, result_of, token_in

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


# --- The form and the confirmation ------------------------------------------------------------------------------


def test_the_form_says_what_is_left_and_offers_all_of_it(paid_dev: Payment, refunder: Client) -> None:
    text = text_of(refunder, refund_page(paid_dev))

    assert '<input type="text" name="amount" value="49.99"' in text
    assert "At most 49.99 EUR. Write less to refund only a part." in text
    assert 'maxlength="50"' in text
    assert "refunded once and in full" not in text


def test_in_eu_there_is_no_amount_to_write_and_the_page_says_why(paid: Payment, refunder: Client) -> None:
    text = text_of(refunder, refund_page(paid))

    assert '<input type="hidden" name="amount" value="49.99"' in text
    assert "Payments of this account are refunded once and in full" in text
    assert 'maxlength="255"' in text


def test_the_confirmation_shows_everything_once_more(paid_dev: Payment, refunder: Client) -> None:
    text = ask(refunder, paid_dev, "12,5", "one bag was stale").content.decode()

    assert '<dd class="flowlix-amount">12.50 EUR</dd>' in text
    assert "<dd>1001</dd>" in text
    assert "Visa •••• 1111" in text
    assert "<dd>one bag was stale</dd>" in text
    assert "Refund 12.50 EUR now" in text
    assert "TEST" in text
    assert "Real money goes back" not in text


def test_a_live_confirmation_says_that_it_is_real_money(paid: Payment, refunder: Client, settings: Any) -> None:
    Payment.objects.update(livemode=True)
    key = "_".join(["fl", "live", "sk", "forTheTestSuiteOnly"])
    settings.FLOWLIX = {"default": {"SECRET_KEY": key, "BASE_URL": "https://shop.example"}}
    text = ask(refunder, paid).content.decode()

    assert "Real money goes back to the customer. A refund cannot be undone." in text
    assert "flowlix-mode-live" in text


def test_one_can_go_back_and_change(paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer) -> None:
    data = {"step": "change", "amount": "12.50", "reason": "one bag", "token": "x"}
    text = refunder.post(refund_page(paid_dev), data).content.decode()

    assert 'name="amount" value="12.50"' in text
    assert 'name="reason" value="one bag"' in text
    assert "errornote" not in text
    assert not dev_emulator.log("refund")


@pytest.mark.parametrize("language", ["de", "ar"])
def test_amounts_travel_as_they_are_whatever_the_language(
    paid_dev: Payment, refunder: Client, settings: Any, language: str
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    settings.LANGUAGE_CODE = language
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Locale" not in name]

    assert 'name="amount" value="12.50"' in ask(refunder, paid_dev, "12.5").content.decode()


# --- What became of it ------------------------------------------------------------------------------------------


def test_in_eu_it_is_refunded_at_once(paid: Payment, refunder: Client, emulator: EmulatorServer) -> None:
    said = refund(refunder, paid, reason="sent back")
    row = Refund.objects.get()

    assert said == "success: Refunded: 49.99 EUR went back to Visa •••• 4242 (refund 1)."
    assert (row.amount_minor, row.reason, row.source, row.requested_by_name) == (4999, "sent back", "admin", "anna")
    assert len(emulator.log("refund")) == 1


def test_in_dev_it_is_under_way(paid_dev: Payment, refunder: Client) -> None:
    assert refund(refunder, paid_dev, "12,50") == (
        "success: Refund 1 over 12.50 EUR is accepted by the gateway and under way. "
        "Its result will appear on this page."
    )
    assert Refund.objects.get().amount_minor == 1250


def test_u5_an_unknown_outcome_is_never_called_a_failure(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer
) -> None:
    dev_emulator.fault("refund", "drop_after", times=4)
    said = refund(refunder, paid_dev)

    assert said.startswith("warning: ")
    assert "The outcome is not known yet; it will be completed automatically." in said
    assert not re.search("fail|refused|error", said)


def test_what_could_not_be_sent_is_tried_again(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer
) -> None:
    dev_emulator.fault("refund", "rate_limited", times=4, retry_after_seconds=120)
    said = refund(refunder, paid_dev)

    assert said.startswith(
        "warning: Refund 1 over 49.99 EUR has not been sent yet; it will be tried again automatically. Why: refund: "
    )


def test_u9_a_refusal_is_told_with_the_gateways_reason(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer
) -> None:
    dev_emulator.fault("refund", "status_before", status=422)
    said = refund(refunder, paid_dev)

    assert said.startswith("error: Refund 1 over 49.99 EUR was refused: ")
    assert "422" in said
    assert Refund.objects.get().status == "failed"


def test_f10_the_gateways_reason_is_escaped(paid_dev: Payment, refunder: Client) -> None:
    token = token_in(ask(refunder, paid_dev))
    result_of(refunder, paid_dev, confirm(refunder, paid_dev, token))
    Refund.objects.update(note=NASTY, status="failed", reason=NASTY)
    said = result_of(refunder, paid_dev, confirm(refunder, paid_dev, token))

    assert "was refused: &lt;script&gt;alert(" in said
    assert NASTY not in said


@pytest.mark.parametrize("amount", ["12.50", "49.99"])
def test_p9_the_history_says_who_did_what_and_how_it_ended(paid_dev: Payment, refunder: Client, amount: str) -> None:
    refund(refunder, paid_dev, amount, "one bag was stale")
    entry = LogEntry.objects.get()

    assert entry.user.get_username() == "anna"
    assert entry.object_id == str(paid_dev.pk)
    assert entry.change_message == (
        f"Asked for refund 1 over {amount} EUR: “one bag was stale”. "
        f"Refund 1 over {amount} EUR is accepted by the gateway and under way. Its result will appear on this page."
    )
