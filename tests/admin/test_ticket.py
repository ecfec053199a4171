"""The text for a ticket to the gateway: everything its support needs, nothing about the customer."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from django_flowlix.admin.records import read_records
from django_flowlix.admin.ticket import ticket_text
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import Payment
from django_flowlix.services import refund_payment, start_payment
from tests.admin.reading import page, text_of
from tests.conftest import CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db


def ticket_of(payment: Payment) -> list[str]:
    return ticket_text(read_records(Payment.objects.get(pk=payment.pk))).splitlines()


def test_it_says_which_payment_in_the_gateways_words(paid: Payment, fake_clock: FakeClock) -> None:
    assert ticket_of(paid)[:9] == [
        "Mode: test",
        "Account: default",
        "Contract: eu",
        f"Payment: {paid.gateway_id}",
        "Status: succeeded (gateway: succeeded)",
        "Amount: 49.99 EUR",
        "Refunded: 0.00 EUR",
        f"Created: {fake_clock.now():%Y-%m-%d %H:%M:%S}",
        "Idempotency key: payment-order-1001",
    ]


def test_it_lists_every_exchange_with_utc_time_and_request_id(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: object
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"  # type: ignore[attr-defined]
    emulator.fault("create_hosted", "status_after", status=503)
    began = fake_clock.now()
    payment = start_payment(a_request())
    first, second = (entry.request_id for entry in emulator.log())
    lines = ticket_of(payment)
    requests = lines[lines.index("Requests (UTC):") + 1 :]

    assert requests == [
        f"{began:%Y-%m-%d %H:%M:%S}  create_hosted  HTTP 503  api_error  request id {first}  try 1",
        f"{fake_clock.now():%Y-%m-%d %H:%M:%S}  create_hosted  HTTP 201  request id {second}  try 2",
    ]


def test_it_lists_refunds_with_ids_and_keys(paid_dev: Payment, dev_emulator: EmulatorServer) -> None:
    refund = refund_payment(paid_dev, reason="sent back by Ada Lovelace")
    lines = ticket_of(paid_dev)
    row = lines[lines.index("Refunds:") + 1]

    assert row.startswith(f"1: {refund.gateway_id}  49.99 EUR  pending  ")
    assert row.endswith("  idempotency key refund-order-1001-1")
    assert any(re.search(r"  refund 1  HTTP 201  request id \S+  try 1$", line) for line in lines)


def test_p7_it_holds_nothing_personal_and_no_token(
    emulator: EmulatorServer, fake_clock: FakeClock, paid: Payment
) -> None:
    refund_payment(paid, reason="for Ada Lovelace")
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request(order_reference="2"))

    for payment in Payment.objects.all():
        text = "\n".join(ticket_of(payment))
        secrets = [payment.return_token, payment.description, "test_sk", "for Ada"]
        assert [value for value in (*CUSTOMER.as_dict().values(), *secrets) if value in text and len(value) > 2] == []


def test_a_payment_that_was_never_answered_has_a_ticket(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    lines = ticket_of(Payment.objects.get())

    assert "Payment: unknown" in lines
    assert "Status: created (gateway: unknown)" in lines
    assert len([line for line in lines if "  unknown  " in line and "request id none" in line]) == 4


def test_it_can_be_selected_by_hand_and_the_button_waits_for_the_script(paid: Payment, viewer: Client) -> None:
    text = text_of(viewer, page(paid))
    area = re.search(r'<textarea id="flowlix-ticket" readonly[^>]*>(.*?)</textarea>', text, re.DOTALL)
    button = re.search(r"<button[^>]*data-flowlix-copy[^>]*>", text)

    assert area
    assert unescape(area.group(1)).splitlines() == ticket_of(paid)
    assert button
    assert " hidden" in button.group()
    assert 'id="flowlix-copied" class="flowlix-quiet" role="status"' in text
    assert re.search(r'<script src="/static/django_flowlix/copy(\.\w+)?\.js" defer>', text)


def test_it_is_english_whatever_the_staff_speaks(paid: Payment, viewer: Client) -> None:
    viewer.cookies["django_language"] = "de"

    assert "Requests (UTC):" in text_of(viewer, page(paid))
