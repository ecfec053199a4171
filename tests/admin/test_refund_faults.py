"""What cannot be refunded as asked for: each fault is said at its field, and no row and no request come of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund
from tests.admin.refunding import ask, confirm, refund_page
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


def faults(response: Any, field: str = "") -> list[str]:
    """Return the faults said at a field, or above the form."""
    text = response.content.decode()
    part = re.search(rf'form-row field-{field}.*?<div class="flex', text, re.DOTALL) if field else None
    lists = re.findall(r'<ul class="errorlist.*?</ul>', part.group() if part else text, re.DOTALL)
    found = re.findall(r"<li>(.*?)</li>", "".join(lists))
    return [fault.replace("&#x27;", "'") for fault in found]


def nothing_happened(gateway: EmulatorServer) -> bool:
    return not gateway.log("refund") and not Refund.objects.exists() and not LogEntry.objects.exists()


# --- Faults at their fields -------------------------------------------------------------------------------------

PARTS = "EUR has 2 decimals: write 49.99, without separators of thousands."
DIGITS = "The amount must be digits with at most one dot, such as '49.99': no spaces, signs or exponents"


@pytest.mark.parametrize(
    ("amount", "fault"),
    [
        ("50.00", "At most 49.99 EUR can be refunded."),
        ("9" * 500, "The amount is too large: at most 9223372036854775807 minor units (64 bits)"),
        ("0", "Write an amount above zero."),
        ("0.00", "Write an amount above zero."),
        ("-1", "The amount is negative: collect or return a positive amount"),
        ("1.005", PARTS),
        ("1,000", PARTS),
        ("1.000", PARTS),
        ("1.000,00", DIGITS),
        ("1,00,0", DIGITS),
        ("", "Write the amount to refund."),
        ("ten", DIGITS),
        ("1e1", DIGITS),
        ("€ 10", DIGITS),
        ("\uff11\uff10", DIGITS),
        (NASTY, DIGITS),
    ],
)
def test_every_wrong_amount_is_said_at_the_amount(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, amount: str, fault: str
) -> None:
    answer = ask(refunder, paid_dev, amount)

    assert faults(answer, "amount") == [fault]
    assert faults(answer, "reason") == []
    assert NASTY not in answer.content.decode()
    assert nothing_happened(dev_emulator)


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("", "Write the reason for the refund."),
        (" \n ", "Write the reason for the refund."),
        ("x" * 51, "The reason has 51 characters, at most 50 are allowed."),
        ("one\ntwo", "The reason contains a line break or control character: write it on one line."),
        ("one\u2028two", "The reason contains a line break or control character: write it on one line."),
        ("4242 4242 4242 4242", "The reason looks like it holds a card number: write the last four digits at most."),
        ("a\x00b", "Null characters are not allowed."),
    ],
)
def test_u13_every_wrong_reason_is_said_at_the_reason(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, reason: str, fault: str
) -> None:
    answer = ask(refunder, paid_dev, "1.00", reason)

    assert faults(answer, "reason") == [fault]
    assert faults(answer, "amount") == []
    assert nothing_happened(dev_emulator)


def test_both_fields_are_told_at_once(paid_dev: Payment, refunder: Client) -> None:
    answer = ask(refunder, paid_dev, "0.001", "")

    assert (faults(answer, "amount"), faults(answer, "reason")) == ([PARTS], ["Write the reason for the refund."])
    assert "<title>Error: Refund a payment" in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()


def test_in_eu_a_part_is_refused_even_if_somebody_posts_it(
    paid: Payment, refunder: Client, emulator: EmulatorServer
) -> None:
    answer = ask(refunder, paid, "10.00")

    assert faults(answer) == ["Payments of this account are refunded once and in full: 49.99 EUR."]
    assert nothing_happened(emulator)


def test_a_reason_may_have_every_script_and_is_escaped(paid: Payment, refunder: Client) -> None:
    text = ask(refunder, paid, reason=f"Größe 👗 {NASTY}").content.decode()

    assert "Größe 👗 &lt;script&gt;alert(" in text
    assert NASTY not in text


# --- Payments that cannot be refunded ---------------------------------------------------------------------------


def refused(client: Client, payment: Payment) -> list[str]:
    """Return what the screen says on GET, having checked that a POST says the same."""
    answers = [client.get(refund_page(payment)), ask(client, payment), confirm(client, payment, "x")]
    assert {answer.status_code for answer in answers} == {200}
    texts = [answer.content.decode() for answer in answers]
    sentences = [re.findall(r"cannot be refunded</h2>\s*<p>(.*?)</p>", text, re.DOTALL) for text in texts]
    assert sentences[0] == sentences[1] == sentences[2]
    assert not any('name="reason"' in text for text in texts)
    return sentences[0]


def test_u8_an_open_payment_cannot_be_refunded(payment: Payment, refunder: Client, emulator: EmulatorServer) -> None:
    assert refused(refunder, payment) == [
        "Only a paid payment can be refunded; this one is “waiting for the customer”."
    ]
    assert nothing_happened(emulator)


def test_u8_nor_one_of_the_other_mode(paid: Payment, refunder: Client, emulator: EmulatorServer) -> None:
    Payment.objects.update(livemode=True)

    assert refused(refunder, paid) == ["The payment was made with a live key, and a test key is configured now."]
    assert nothing_happened(emulator)


def test_u9_nor_one_that_is_too_old(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    fake_clock.advance(days=180)

    assert refused(refunder, paid_dev)[0].startswith("Refunds are possible for 180 days, and this payment was made on ")
    assert nothing_happened(dev_emulator)


def test_nor_one_whose_account_is_gone(paid: Payment, refunder: Client, emulator: EmulatorServer) -> None:
    Payment.objects.update(account="closed")

    assert refused(refunder, paid) == ["The account “closed” of this payment is not configured any more."]
