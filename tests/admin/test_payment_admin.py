"""The staff's screens: everything can be explained, nothing can be changed, nothing personal is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.admin.timeline import timeline
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.signals import payment_succeeded
from tests.admin.reading import LIST, own_queries, text_of
from tests.conftest import CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


def page(payment: Payment) -> str:
    return f"{LIST}{payment.pk}/change/"


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
    assert 'name="action"' not in text_of(client, LIST)


@pytest.mark.parametrize("who", ["superuser", "viewer"])
def test_the_page_offers_nothing_to_change(payment: Payment, who: str, request: pytest.FixtureRequest) -> None:
    text = text_of(request.getfixturevalue(who), page(payment))

    assert 'name="_save"' not in text
    assert "deletelink" not in text
    assert not re.findall(r'<(?:input|select|textarea)[^>]*name="(?!csrfmiddlewaretoken|nav)[a-z_]+"', text)
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


@pytest.fixture
def eventful(emulator: EmulatorServer, fake_clock: FakeClock) -> Iterator[Payment]:
    """Answered at the third try, looked at once in vain, paid; the receiver raised."""

    def warehouse(**kwargs: object) -> None:
        raise RuntimeError(f"the warehouse is closed {NASTY}")

    emulator.fault("create_hosted", "status_after", status=503)
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=2)
    payment = start_payment(a_request())
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(payment)
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    payment_succeeded.connect(warehouse)
    try:
        sync_payment(payment)
        yield payment
    finally:
        payment_succeeded.disconnect(warehouse)


def test_p9_the_timeline_tells_everything_in_order(eventful: Payment, emulator: EmulatorServer) -> None:
    story = timeline(eventful)

    assert [(entry.kind, entry.title.split("/v1")[0].strip(), entry.tone) for entry in story] == [
        ("row", "payment recorded", "plain"),
        ("call", "POST", "bad"),
        ("call", "POST", "bad"),
        ("call", "POST", "plain"),
        ("change", "being prepared → waiting for the customer", "plain"),
        ("call", "GET", "plain"),
        ("change", "flagged for review", "bad"),
        ("call", "GET", "plain"),
        ("change", "waiting for the customer → paid", "bad"),
    ]
    assert [entry.request_id for entry in story if entry.kind == "call"] == [e.request_id for e in emulator.log()]
    assert [entry.when for entry in story] == sorted(entry.when for entry in story)


def test_p9_the_timeline_names_status_tries_and_what_the_receivers_said(eventful: Payment) -> None:
    details = [entry.detail for entry in timeline(eventful)]

    assert "attempt 1 over 49.99 EUR" in details[0]
    assert "HTTP 503, api_error" in details[1]
    assert "HTTP 429, rate_limit_error/rate_limit_exceeded" in details[2]
    assert details[2].endswith("try 2")
    assert "amount 1 instead of 4999" in details[6]
    assert "payment_succeeded raised" in details[8]
    assert "the warehouse is closed" in details[8]


def test_p9_all_of_it_stands_on_the_page_escaped(eventful: Payment, viewer: Client, emulator: EmulatorServer) -> None:
    text = text_of(viewer, page(eventful))

    assert [entry.request_id for entry in emulator.log() if f"<code>{entry.request_id}</code>" not in text] == []
    assert "flagged for review" in text
    assert "Visa •••• 4242" in text
    assert "the warehouse is closed &lt;script&gt;" in text
    assert NASTY not in text


def test_s9_a_payment_that_a_person_must_look_at_says_so(
    payment: Payment, emulator: EmulatorServer, fake_clock: FakeClock, viewer: Client
) -> None:
    badge = '<span class="flowlix-badge flowlix-review">needs review</span>'
    assert badge not in text_of(viewer, LIST) + text_of(viewer, page(payment))

    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(payment)
    assert badge in text_of(viewer, LIST)
    assert badge in text_of(viewer, page(payment))


def test_entries_of_the_same_moment_keep_their_order(payment: Payment, fake_clock: FakeClock) -> None:
    """A call and the change it brought about are of one second: the call comes first, calls as they were made."""
    call = ApiCall.objects.get()
    for number in (2, 3):
        call.pk, call.try_number = None, number
        call.save(force_insert=True)

    story = timeline(payment)

    assert [entry.kind for entry in story] == ["row", "call", "call", "call", "change"]
    assert [entry.detail.partition("try ")[2] for entry in story[1:4]] == ["", "2", "3"]


def test_a_replaced_attempt_says_so(payment: Payment, fake_clock: FakeClock, viewer: Client) -> None:
    fake_clock.advance(minutes=2)
    start_payment(a_request(amount=a_request().amount.__class__.from_major("50.00", "EUR")))

    assert "replaced by another attempt" in text_of(viewer, page(payment))


def test_a_very_long_story_is_cut_at_its_beginning(payment: Payment, viewer: Client, fake_clock: FakeClock) -> None:
    call = ApiCall.objects.get()
    later = [fake_clock.now() + timedelta(seconds=second) for second in range(1, 701)]
    values = {f.attname: getattr(call, f.attname) for f in ApiCall._meta.concrete_fields if not f.primary_key}
    ApiCall.objects.bulk_create(ApiCall(**values | {"created_at": when}) for when in later)

    story = timeline(payment)

    assert (len(story), story[-1].when) == (500, later[-1])
    assert "Only the latest entries are shown" in text_of(viewer, page(payment))


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
    with CaptureQueriesContext(
        connection,
    ) as queries:
        texts = text_of(viewer, LIST) + text_of(viewer, address)

    assert personal(texts) == []
    assert "request_body" not in texts
    assert [query for query in queries.captured_queries if "request_body" in query["sql"]] == []


def test_a_page_costs_three_queries_of_ours(eventful: Payment, viewer: Client) -> None:
    ContentType.objects.get_for_model(Payment)  # Django asks once per process: another test may have done so or not
    with CaptureQueriesContext(connection) as queries:
        text_of(viewer, page(eventful))

    assert len(own_queries(queries)) == 3, "the payment, its calls, its changes"
    assert len(queries) <= 3 + 4, "session, user and two kinds of permissions"


def test_the_template_has_no_inline_script_or_style(eventful: Payment, viewer: Client) -> None:
    source = get_template("admin/django_flowlix/payment/change_form.html").template.source  # type: ignore[attr-defined]
    text = text_of(viewer, page(eventful))

    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", source)
    # Django's own part of the page passes a strict policy too, so the whole page does.
    assert not re.search(r"<style|\sstyle=|\son(?:click|load|change|submit)=", text)
    assert not [tag for tag in re.findall(r"<script[^>]*>", text) if "src=" not in tag]
    assert "django_flowlix/admin.css" in text
