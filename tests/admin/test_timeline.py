"""The timeline: a payment's story in order, with everybody and everything that had a part in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from django_flowlix.admin.records import read_records
from django_flowlix.admin.timeline import Timeline, timeline
from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import notifications, refund_payment, start_payment, sync_payment
from django_flowlix.services.reviews import mark_reviewed
from django_flowlix.signals import payment_succeeded
from django_flowlix.statuses import RefundSource
from tests.admin.reading import page, text_of
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db
NASTY = "<script>alert('x')</script>"


def story_of(payment: Payment) -> Timeline:
    return timeline(read_records(Payment.objects.get(pk=payment.pk)))


def told(payment: Payment) -> list[tuple[str, str, str]]:
    return [(entry.kind, entry.title, entry.tone) for entry in story_of(payment).entries]


@pytest.fixture
def closed_warehouse() -> Iterator[None]:
    """The shop's code raises."""

    def warehouse(**kwargs: object) -> None:
        raise RuntimeError(f"the warehouse is closed {NASTY}")

    payment_succeeded.connect(warehouse)
    yield
    payment_succeeded.disconnect(warehouse)


@pytest.fixture
def eventful(emulator: EmulatorServer, fake_clock: FakeClock, closed_warehouse: None) -> Payment:
    """Answered at the third try, looked at once in vain, paid; the receiver raised."""
    emulator.fault("create_hosted", "status_after", status=503)
    emulator.fault("create_hosted", "rate_limited", retry_after_seconds=2)
    payment = start_payment(a_request())
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(payment)
    emulator.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    return sync_payment(payment)


def test_p9_the_timeline_tells_everything_in_order(eventful: Payment, emulator: EmulatorServer) -> None:
    entries = story_of(eventful).entries

    assert told(eventful) == [
        ("row", "payment recorded", "plain"),
        ("call", "start of the payment", "bad"),
        ("call", "start of the payment", "bad"),
        ("call", "start of the payment", "plain"),
        ("change", "being prepared → waiting for the customer", "plain"),
        ("call", "look at the payment", "plain"),
        ("change", "flagged for review", "bad"),
        ("notice", "payment_needs_review delivered", "plain"),
        ("call", "look at the payment", "plain"),
        ("change", "waiting for the customer → paid", "good"),
        ("notice", "payment_succeeded raised, will be repeated", "bad"),
    ]
    assert [entry.request_id for entry in entries if entry.kind == "call"] == [e.request_id for e in emulator.log()]
    assert [entry.when for entry in entries] == sorted(entry.when for entry in entries)


def test_p9_it_names_addresses_statuses_tries_and_what_the_receivers_said(eventful: Payment) -> None:
    entries = story_of(eventful).entries
    details = [entry.detail for entry in entries]

    assert [entry.code for entry in entries[1:4]] == ["POST /v1/payments/hpp"] * 3
    assert entries[5].code == f"GET /v1/payments/{eventful.gateway_id}"
    assert details[0] == "attempt 1 over 49.99 EUR"
    assert details[1].startswith("HTTP 503 · outcome unknown · api_error · ")
    assert details[2].startswith("HTTP 429 · ")
    assert "rate_limit_error / rate_limit_exceeded" in details[2]
    assert details[2].endswith(" ms · try 2")
    assert "amount 1 instead of 4999" in details[6]
    assert "the warehouse is closed" in details[10]
    assert "tries that failed: 1" in details[10]
    assert "next time " in details[10]


def test_p9_all_of_it_stands_on_the_page_escaped(eventful: Payment, viewer: Client, emulator: EmulatorServer) -> None:
    text = text_of(viewer, page(eventful))

    assert [entry.request_id for entry in emulator.log() if f"<code>{entry.request_id}</code>" not in text] == []
    assert "the warehouse is closed &lt;script&gt;" in text
    assert NASTY not in text


def test_a_notification_stands_at_its_own_time_with_its_receivers(
    eventful: Payment, fake_clock: FakeClock, closed_warehouse: None
) -> None:
    change = StatusChange.objects.get(signal="payment_succeeded")
    fake_clock.advance(hours=1)
    notices = [entry for entry in story_of(eventful).entries if entry.kind == "notice"]
    assert notices[-1].when == change.created_at

    for receiver in [r for r in payment_succeeded._live_receivers(Payment)[0] if "warehouse" in r.__qualname__]:
        payment_succeeded.disconnect(receiver)
    assert notifications.deliver(change)

    last = story_of(eventful).entries[-1]
    assert (last.kind, last.title, last.when) == ("notice", "payment_succeeded delivered", fake_clock.now())
    assert "example_project.shop.receivers.book_payment" in last.detail
    assert "tries that failed: 1" in last.detail


def test_a_notification_that_waits_says_so(payment: Payment, fake_clock: FakeClock) -> None:
    StatusChange.objects.update(signal="payment_failed", deliver_at=fake_clock.now() + timedelta(minutes=5))

    last = story_of(payment).entries[-1]

    assert (last.title, last.tone) == ("payment_failed not delivered yet", "plain")
    assert last.detail.startswith("next time ")


def test_p9_a_refund_is_told_from_the_request_to_the_card(
    paid_dev: Payment, dev_emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    anna = get_user_model().objects.create_user("anna")
    fake_clock.advance(minutes=1)
    ten = Money.from_major("10.00", "EUR")
    refund = refund_payment(paid_dev, ten, reason="one bag was stale", actor=anna, source=RefundSource.ADMIN)
    fake_clock.advance(minutes=1)
    dev_emulator.finish_refund(str(refund.gateway_id), "succeed")
    sync_payment(paid_dev)

    entries = story_of(paid_dev).entries[-6:]

    assert [(entry.kind, entry.title, entry.tone) for entry in entries] == [
        ("person", "refund 1 requested", "plain"),
        ("call", "refund 1: request of the refund", "plain"),
        ("change", "refund 1: being confirmed → under way", "plain"),
        ("call", "look at the payment", "plain"),
        ("change", "refund 1: under way → refunded", "good"),
        ("notice", "refund_succeeded delivered", "plain"),
    ]
    assert entries[0].detail == "10.00 EUR · anna (staff) · “one bag was stale”"
    assert entries[1].code == f"POST /v1/payments/{paid_dev.gateway_id}/refund"
    assert entries[2].request_id == dev_emulator.log("refund")[0].request_id


def test_u7_a_refund_of_the_dashboard_is_told_as_found(paid: Payment, emulator: EmulatorServer) -> None:
    emulator.refund(str(paid.gateway_id))
    sync_payment(paid)

    found = [entry for entry in story_of(paid).entries if entry.kind == "refund"]

    assert [entry.title for entry in found] == ["refund 1 over 49.99 EUR found at the gateway"]
    assert "the gateway's dashboard" in found[0].detail


def test_u4_a_refund_that_failed_says_so_in_red(paid_dev: Payment, dev_emulator: EmulatorServer) -> None:
    refund = refund_payment(paid_dev, reason="damaged")
    dev_emulator.finish_refund(str(refund.gateway_id), "fail")
    sync_payment(paid_dev)

    assert ("change", "refund 1: under way → refund failed", "bad") in told(paid_dev)


def test_a_person_who_has_looked_stands_there_by_name(eventful: Payment, fake_clock: FakeClock) -> None:
    boris = get_user_model().objects.create_user("boris")
    Payment.objects.update(review_reason="mismatch", review_since=fake_clock.now())
    fake_clock.advance(minutes=1)
    mark_reviewed(Payment.objects.get(), note="a test of ours", actor=boris)

    last = story_of(eventful).entries[-1]

    assert (last.kind, last.title, last.tone) == ("person", "marked as reviewed", "plain")
    assert last.detail == "by boris · staff · “a test of ours”"


def test_entries_of_the_same_moment_keep_their_order(payment: Payment) -> None:
    """A call and the change it brought about are of one second: the call comes first, calls as they were made."""
    call = ApiCall.objects.get()
    for number in (2, 3):
        call.pk, call.try_number = None, number
        call.save(force_insert=True)

    entries = story_of(payment).entries

    assert [entry.kind for entry in entries] == ["row", "call", "call", "call", "change"]
    assert [entry.detail.partition("try ")[2] for entry in entries[1:4]] == ["", "2", "3"]


def test_a_replaced_attempt_says_so(payment: Payment, fake_clock: FakeClock, viewer: Client) -> None:
    fake_clock.advance(minutes=2)
    start_payment(a_request(amount=Money.from_major("50.00", "EUR")))

    assert "replaced by another attempt" in text_of(viewer, page(payment))


def test_a_very_long_story_is_cut_at_its_beginning(payment: Payment, viewer: Client, fake_clock: FakeClock) -> None:
    call = ApiCall.objects.get()
    later = [fake_clock.now() + timedelta(seconds=second) for second in range(1, 701)]
    values = {f.attname: getattr(call, f.attname) for f in ApiCall._meta.concrete_fields if not f.primary_key}
    ApiCall.objects.bulk_create(ApiCall(**values | {"created_at": when}) for when in later)

    story = story_of(payment)

    assert (len(story.entries), story.entries[-1].when, story.is_cut) == (500, later[-1], True)
    assert "Only the latest entries are shown" in text_of(viewer, page(payment))


def test_a_short_story_is_whole(payment: Payment, viewer: Client) -> None:
    assert not story_of(payment).is_cut
    assert "Only the latest entries are shown" not in text_of(viewer, page(payment))
