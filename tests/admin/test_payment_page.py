"""The top of a payment's page: how it stands at a glance, what may be done, and what must not be overlooked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from django_flowlix.admin.explanations import ADVICE
from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment
from django_flowlix.services import refund_payment, sync_payment
from django_flowlix.statuses import RefundSource, ReviewReason
from example_project.shop.models import Order
from tests.admin.reading import glance, own_queries, page, text_of
from tests.conftest import FakeClock

pytestmark = pytest.mark.django_db


def euros(text: str) -> Money:
    return Money.from_major(text, "EUR")


# --- Facts ------------------------------------------------------------------------------------------------------


def test_a_paid_payment_at_a_glance(paid: Payment, refunder: Client) -> None:
    words = glance(text_of(refunder, page(paid)))

    assert words.startswith("TEST Test mode: no real money moves 49.99 EUR paid Order 1001 Card Visa •••• 4242")
    assert f"Payment id {paid.gateway_id}" in words
    assert "Refunded 0.00 EUR Refunds under way 0.00 EUR Left to refund 49.99 EUR" in words


def test_refunded_under_way_and_left_are_three_amounts(
    paid_dev: Payment, dev_emulator: EmulatorServer, refunder: Client
) -> None:
    first = refund_payment(paid_dev, euros("10.00"), reason="one bag")
    dev_emulator.finish_refund(str(first.gateway_id), "succeed")
    sync_payment(paid_dev)
    refund_payment(paid_dev, euros("5.50"), reason="late")

    words = glance(text_of(refunder, page(paid_dev)))

    assert "49.99 EUR paid partly refunded Order" in words
    assert "Refunded 10.00 EUR Refunds under way 5.50 EUR Left to refund 34.49 EUR" in words


def test_an_open_payment_has_no_refund_figures(payment: Payment, viewer: Client) -> None:
    words = glance(text_of(viewer, page(payment)))

    assert "49.99 EUR waiting for the customer" in words
    assert "Left to refund" not in words
    assert "No refund from here: Only a paid payment can be refunded" in words


def test_a_live_payment_cannot_be_taken_for_a_test_one(paid: Payment, viewer: Client) -> None:
    test = text_of(viewer, page(paid))
    Payment.objects.update(livemode=True)
    live = text_of(viewer, page(paid))

    assert test.count('class="flowlix-glance"') == 1
    assert glance(test).startswith("TEST Test mode: no real money moves")
    assert glance(live).startswith("LIVE Real money, a real card")
    assert ("flowlix-mode-test" in test, "flowlix-mode-live" in test) == (True, False)
    assert ("flowlix-mode-test" in live, "flowlix-mode-live" in live) == (False, True)


def test_a_payment_of_the_checklist_is_not_taken_for_an_order(paid: Payment, viewer: Client) -> None:
    title = "Made by flowlix_check, for no order of the shop"
    assert title not in glance(text_of(viewer, page(paid)))
    with CaptureQueriesContext(connection) as before:
        text_of(viewer, page(paid))
    Payment.objects.update(from_checklist=True)
    with CaptureQueriesContext(connection) as after:
        words = glance(text_of(viewer, page(paid)))

    assert f"{title} Your code is not told of it, and nothing is to be delivered." in words
    assert len(own_queries(after)) == len(own_queries(before))


def test_a_decline_is_told_on_top(payment: Payment, emulator: EmulatorServer, viewer: Client) -> None:
    emulator.decline(str(payment.gateway_id), "stolen_card")
    sync_payment(payment)

    assert "Declined: stolen_card: " in glance(text_of(viewer, page(payment)))


# --- Buttons ----------------------------------------------------------------------------------------------------


def test_the_refund_button_needs_the_permission(paid: Payment, viewer: Client, refunder: Client) -> None:
    button = f'href="/admin/django_flowlix/payment/{paid.pk}/refund/"'

    assert button in text_of(refunder, page(paid))
    without = text_of(viewer, page(paid))
    assert button not in without
    assert "Your account may look at payments, not refund them." in without


def test_a_refunded_payment_says_why_there_is_no_button(paid: Payment, refunder: Client) -> None:
    refund_payment(paid, reason="sent back")
    text = text_of(refunder, page(paid))

    assert "/refund/" not in re.sub(r"<code.*?</code>|<textarea.*?</textarea>", "", text, flags=re.DOTALL)
    assert "49.99 EUR paid refunded in full Order" in glance(text)
    assert "No refund from here: The payment has been refunded in full." in glance(text)


def test_asking_the_gateway_is_a_post(paid: Payment, viewer: Client) -> None:
    text = text_of(viewer, f"{page(paid)}?_changelist_filters=q%3D1001")
    form = re.search(r'<form method="post" action="/admin/django_flowlix/payment/ask/">.*?</form>', text, re.DOTALL)

    assert form
    assert "csrfmiddlewaretoken" in form.group()
    assert f'name="id" value="{paid.pk}"' in form.group()
    assert f'name="next" value="{page(paid)}?_changelist_filters=q%3D1001"' in form.group()
    assert text.index(form.group()) < text.index('id="payment_form"'), "a form cannot hold another"


def review_button(payment: Payment) -> str:
    return f'href="/admin/django_flowlix/payment/review/?id={payment.pk}"'


def test_marking_as_reviewed_is_offered_when_there_is_something_and_one_may(
    paid: Payment, viewer: Client, almighty: Client
) -> None:
    assert review_button(paid) not in text_of(almighty, page(paid))

    Payment.objects.update(review_reason="mismatch")
    assert review_button(paid) in text_of(almighty, page(paid))
    assert review_button(paid) not in text_of(viewer, page(paid))


def test_a_stuck_payment_may_be_reviewed(payment: Payment, almighty: Client, fake_clock: FakeClock) -> None:
    fake_clock.advance(days=2, hours=23)
    assert review_button(payment) not in text_of(almighty, page(payment))

    fake_clock.advance(hours=2)
    text = text_of(almighty, page(payment))
    assert review_button(payment) in text
    assert "The gateway has not decided this payment for days." in glance(text)

    Payment.objects.update(reviewed_at=fake_clock.now())
    assert review_button(payment) not in text_of(almighty, page(payment))


def test_numbers_in_addresses_are_not_written_as_the_language_does(
    paid: Payment, refunder: Client, settings: object
) -> None:
    values = {f.attname: getattr(paid, f.attname) for f in Payment._meta.concrete_fields}
    values |= {"id": 1234567, "attempt": 2, "idempotency_key": "k", "return_token": "t", "gateway_id": "pay_2"}
    large = Payment.objects.create(**values | {"paid_order_reference": None})
    settings.USE_THOUSAND_SEPARATOR = True  # type: ignore[attr-defined]

    assert 'name="id" value="1234567"' in text_of(refunder, page(large))


# --- Notices ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(ReviewReason))
def test_every_review_reason_is_explained(paid: Payment, viewer: Client, reason: ReviewReason) -> None:
    Payment.objects.update(review_reason=reason, review_since=paid.created_at - timedelta(days=1))
    text = text_of(viewer, page(paid))

    assert "Somebody must look at this payment: " in text
    assert str(ADVICE[reason]).partition("'")[0] in text
    assert "Since 20" in glance(text)


def test_a_refund_of_unknown_outcome_asks_not_to_refund_again(
    paid: Payment, emulator: EmulatorServer, refunder: Client
) -> None:
    emulator.fault("refund", "drop_after", times=4)
    emulator.fault("retrieve", "drop_before", times=4)
    refund = refund_payment(paid, reason="sent back")
    assert refund.is_unconfirmed
    words = glance(text_of(refunder, page(paid)))

    assert "The outcome of refund 1 over 49.99 EUR is not known yet." in words
    assert "Do not refund it again." in words
    assert "Refunds under way 49.99 EUR Left to refund 0.00 EUR" in words


# --- Refunds ----------------------------------------------------------------------------------------------------


def test_refunds_stand_in_a_table(paid_dev: Payment, dev_emulator: EmulatorServer, viewer: Client) -> None:
    anna = get_user_model().objects.create_user("anna")
    first = refund_payment(paid_dev, euros("10.00"), reason="one bag", actor=anna, source=RefundSource.ADMIN)
    dev_emulator.finish_refund(str(first.gateway_id), "fail")
    sync_payment(paid_dev)
    second = refund_payment(paid_dev, euros("5.50"), reason="late delivery")

    table = re.search(r"flowlix-refunds.*?</section>", text_of(viewer, page(paid_dev)), re.DOTALL)
    assert table
    rows = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in table.group().split("<tr role")[2:]]

    assert re.match(
        r"[^>]*>? ?1 10.00 EUR refund failed The refund was declined. · generic_decline one bag anna \(staff\) ",
        rows[0],
    )
    assert str(first.gateway_id) in rows[0]
    assert re.match(r"[^>]*>? ?2 5.50 EUR under way late delivery the shop's own code ", rows[1].replace("&#x27;", "'"))
    assert str(second.gateway_id) in rows[1]


@pytest.mark.parametrize("refunds", [0, 1, 6])
def test_a_page_costs_four_queries_of_ours_however_much_happened(
    paid_dev: Payment, dev_emulator: EmulatorServer, refunder: Client, refunds: int
) -> None:
    Payment.objects.update(order_content_type=ContentType.objects.get_for_model(Order), order_object_id="1")
    ContentType.objects.get_for_model(Payment)  # Django asks once per process: another test may have done so or not
    for _ in range(refunds):
        refund_payment(paid_dev, euros("1.00"), reason="a bag")
    with CaptureQueriesContext(connection) as queries:
        text_of(refunder, page(paid_dev))

    assert len(own_queries(queries)) == 4, "the payment, its refunds, its calls, its changes"
    assert len(queries) <= 4 + 4, "session, user and two kinds of permissions"
