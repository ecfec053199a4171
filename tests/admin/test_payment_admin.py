"""The staff's screens: everything can be explained, nothing can be changed, nothing personal is read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import start_payment, sync_payment
from tests.admin.reading import LIST, page, text_of
from tests.conftest import CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


def frozen(payment: Payment) -> dict[str, Any]:
    row = Payment.objects.get(pk=payment.pk)
    return {f.attname: getattr(row, f.attname) for f in Payment._meta.concrete_fields}


# --- Who may do what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["superuser", "almighty", "viewer"])
def test_a2_nobody_can_change_a_payment(payment: Payment, who: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    before = frozen(payment)

    answers = [
        client.post(page(payment), {"status": "succeeded", "amount_minor": 1, "_save": "Save"}),
        client.post(f"{page(payment)}?_popup=1", {"review_reason": "", "_continue": "1"}),
        client.post(f"{LIST}{payment.pk}/delete/", {"post": "yes"}),
        client.get(f"{LIST}{payment.pk}/delete/"),
        client.post(f"{LIST}add/", {"order_reference": "2", "status": "succeeded"}),
        client.get(f"{LIST}add/"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert frozen(payment) == before
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("who", ["superuser", "almighty", "viewer"])
@pytest.mark.parametrize("action", ["delete_selected", "make_paid"])
def test_a5_no_bulk_action_touches_a_payment(
    payment: Payment, who: str, action: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(who)
    before = frozen(payment)
    chosen = {"action": action, "_selected_action": [payment.pk], "select_across": "1", "index": "0", "post": "yes"}

    client.post(LIST, chosen)
    client.post(LIST, {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": payment.pk, "_save": "Save"})

    assert frozen(payment) == before
    assert "delete_selected" not in text_of(client, LIST)


@pytest.mark.parametrize("who", ["superuser", "viewer"])
def test_the_page_offers_nothing_to_change(payment: Payment, who: str, request: pytest.FixtureRequest) -> None:
    text = text_of(request.getfixturevalue(who), page(payment))

    assert 'name="_save"' not in text
    assert "deletelink" not in text
    fields = re.findall(r'<(?:input|select|textarea)[^>]*name="(?!csrfmiddlewaretoken|nav)([a-z_]+)"', text)
    assert fields == ["id", "next"], "the hidden fields of the button that asks the gateway"
    assert payment.return_token not in text, "the customer's permission is not the staff's"


@pytest.mark.parametrize("path", ["", "1/change/", "1/history/", "1/delete/", "add/"])
def test_a1_strangers_are_sent_to_the_login(payment: Payment, client: Client, path: str) -> None:
    response = client.get(LIST + path)

    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/admin/login/")


def test_a1_staff_without_the_permission_sees_nothing(payment: Payment, client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("clerk", is_staff=True))

    answers = [client.get(LIST), client.get(page(payment)), client.get(f"{LIST}{payment.pk}/history/")]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "Payments" not in text_of(client, "/admin/")


@pytest.mark.parametrize("who", ["superuser", "viewer"])
def test_who_may_look_sees_list_page_and_history(payment: Payment, who: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)

    assert "1001" in text_of(client, LIST)
    assert "49.99 EUR" in text_of(client, page(payment))
    assert client.get(f"{LIST}{payment.pk}/history/").status_code == 200


@pytest.mark.parametrize("unknown", ["999999", "rubbish", "%00", "1' OR '1'='1"])
def test_an_unknown_payment_leads_back_to_the_index(payment: Payment, viewer: Client, unknown: str) -> None:
    assert viewer.get(f"{LIST}{unknown}/change/").status_code == 302


def test_an_unknown_start_can_be_explained(emulator: EmulatorServer, fake_clock: FakeClock, viewer: Client) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())

    text = text_of(viewer, page(Payment.objects.get()))

    assert text.count("outcome unknown") >= 4
    assert "being prepared" in text


def test_a_decline_shows_the_staffs_text(payment: Payment, emulator: EmulatorServer, viewer: Client) -> None:
    emulator.decline(str(payment.gateway_id), "stolen_card")
    sync_payment(payment)

    assert "stolen_card:" in text_of(viewer, page(payment))


def test_f10_texts_of_the_gateway_are_escaped(payment: Payment, viewer: Client, emulator: EmulatorServer) -> None:
    Payment.objects.update(
        status="failed",
        gateway_status=NASTY,
        request_id=NASTY,
        gateway_id=NASTY,
        decline_code=NASTY[:64],
        decline_message=NASTY,
        card_brand=NASTY[:32],
        card_last4="4242",
    )
    ApiCall.objects.update(request_id=NASTY, error_type=NASTY, error_code=NASTY, path=f"/{NASTY}")
    StatusChange.objects.update(note=NASTY, last_error=NASTY, signal="payment_failed", delivery_attempts=1)

    Refund.objects.create(
        payment=payment,
        account="default",
        sequence=1,
        amount_minor=1,
        currency="EUR",
        exponent=2,
        **dict.fromkeys(("reason", "note", "decline_message", "requested_by_name", "gateway_id"), NASTY),
        decline_code=NASTY[:64],
    )

    for text in (text_of(viewer, LIST), text_of(viewer, page(payment))):
        assert "<script>alert" not in text.lower()
        assert "&lt;script&gt;alert" in text


def personal(text: str) -> list[str]:
    return [v for name, v in CUSTOMER.as_dict().items() if name in ("email", "last_name", "address") and v in text]


def test_p7_what_was_sent_is_neither_shown_nor_read(
    emulator: EmulatorServer, fake_clock: FakeClock, viewer: Client
) -> None:
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request())
    assert personal(Payment.objects.get().request_body), "the outcome is unknown: the body is still needed"

    address = page(Payment.objects.get())
    with CaptureQueriesContext(connection) as queries:
        texts = text_of(viewer, LIST) + text_of(viewer, address)

    assert personal(texts) == []
    assert "request_body" not in texts
    assert [query for query in queries.captured_queries if "request_body" in query["sql"]] == []


def test_the_page_has_no_inline_script_or_style(payment: Payment, viewer: Client) -> None:
    text = text_of(viewer, page(payment))

    # Django's own part of the page passes a strict policy too, so the whole page does.
    assert not re.search(r"<style|\sstyle=|\son(?:click|load|change|submit)=", text)
    assert not [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
    assert "django_flowlix/admin.css" in text
