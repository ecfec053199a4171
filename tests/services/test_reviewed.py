"""A person has looked: the flag goes with a note, and comes back only for something new."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.reviews import mark_reviewed
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> Any:
    return get_user_model().objects.create_user("ada")


@pytest.fixture
def flagged(emulator: EmulatorServer, fake_clock: FakeClock) -> Payment:
    """The gateway uses a word we do not know."""
    payment = start_payment(a_request())
    return look(emulator, fake_clock, payment, "disputed")


def look(emulator: EmulatorServer, fake_clock: FakeClock, payment: Payment, word: str) -> Payment:
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"status": word})
    return sync_payment(payment)


def reviews() -> list[str]:
    asked = StatusChange.objects.filter(signal="payment_needs_review").order_by("pk")
    return [change.note for change in asked]


def test_a_flag_has_a_time_and_goes_with_who_looked_and_what_was_found(
    flagged: Payment, fake_clock: FakeClock, clerk: Any
) -> None:
    assert (flagged.review_reason, flagged.review_since) == ("unknown_status", fake_clock.now())
    assert list(Payment.objects.needing_review()) == [flagged]

    fake_clock.advance(minutes=5)
    assert mark_reviewed(flagged, note="  asked their support: a chargeback ", actor=clerk)

    stored = Payment.objects.get()
    for payment in (flagged, stored):
        assert (payment.review_reason, payment.review_since, payment.status) == ("", None, "pending")
        assert (payment.reviewed_at, payment.reviewed_reason) == (fake_clock.now(), "unknown_status")
    assert not Payment.objects.needing_review().exists()
    change = StatusChange.objects.latest("pk")
    assert (change.from_status, change.to_status, change.source, change.signal) == ("pending", "pending", "admin", "")
    assert (change.actor, change.note) == ("ada", "asked their support: a chargeback")


def test_the_same_doubt_is_told_once_however_often_it_is_seen(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment
) -> None:
    for _ in range(4):
        look(emulator, fake_clock, flagged, "disputed")
        assert flagged.review_reason == "unknown_status"
    assert reviews() == ["unknown status disputed"]


def test_what_was_reviewed_is_not_raised_again(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment, clerk: Any
) -> None:
    mark_reviewed(flagged, note="known", actor=clerk)
    for _ in range(3):
        look(emulator, fake_clock, flagged, "disputed")
        assert flagged.review_reason == ""
    assert len(reviews()) == 1


def test_another_doubt_is_raised_and_so_is_the_same_one_after_a_good_answer(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment, clerk: Any
) -> None:
    mark_reviewed(flagged, note="known", actor=clerk)
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(flagged)
    assert flagged.review_reason == "mismatch"
    look(emulator, fake_clock, flagged, "disputed")
    assert flagged.review_reason == "mismatch", "what was reviewed does not take the place of what was not"

    mark_reviewed(flagged, note="known as well", actor=clerk)
    fake_clock.advance(minutes=1)
    sync_payment(flagged)
    assert (flagged.review_reason, flagged.reviewed_reason) == ("", "")
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(flagged)
    assert flagged.review_reason == "mismatch"
    assert len(reviews()) == 3


def test_a_flag_that_an_answer_settles_has_no_time_any_more(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment
) -> None:
    fake_clock.advance(minutes=1)
    sync_payment(flagged)
    assert (flagged.review_reason, flagged.review_since) == ("", None)
    assert not Payment.objects.needing_review().exists()


@pytest.mark.parametrize("lasting", ["second_success", "refund_mismatch", "refunded_early", "superseded_success"])
def test_what_a_person_must_settle_is_not_displaced_by_what_an_answer_settles(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment, lasting: str
) -> None:
    Payment.objects.update(review_reason=lasting)
    flagged.refresh_from_db()
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(flagged)
    fake_clock.advance(minutes=1)
    sync_payment(flagged)
    assert Payment.objects.get().review_reason == lasting


@pytest.mark.parametrize(
    ("note", "part"),
    [
        ("", "Write what you found"),
        (" \n ", "Write what you found"),
        ("x" * 256, "256 characters, at most 255"),
        ("one\ntwo", "line break"),
        ("card 4242 4242 4242 4242", "card number"),
    ],
)
def test_notes_that_are_not_taken(flagged: Payment, clerk: Any, note: str, part: str) -> None:
    with pytest.raises(ValueError, match=part) as raised:
        mark_reviewed(flagged, note=note, actor=clerk)
    assert "4242" not in str(raised.value)
    assert Payment.objects.get().review_reason == "unknown_status"


def test_nothing_to_review_says_so(emulator: EmulatorServer, fake_clock: FakeClock, clerk: Any) -> None:
    payment = start_payment(a_request())
    assert not mark_reviewed(payment, note="why not", actor=clerk)
    assert not StatusChange.objects.filter(actor="ada").exists()


def test_what_the_person_did_not_see_stays(
    emulator: EmulatorServer, fake_clock: FakeClock, flagged: Payment, clerk: Any
) -> None:
    seen = Payment.objects.get()
    fake_clock.advance(minutes=1)
    emulator.fault("retrieve", "override", fields={"amount": 1})
    sync_payment(flagged)

    assert not mark_reviewed(seen, note="only a strange word", actor=clerk)
    assert Payment.objects.get().review_reason == "mismatch"


def test_a_stuck_payment_leaves_the_queue_and_stays_watched(
    emulator: EmulatorServer, fake_clock: FakeClock, clerk: Any
) -> None:
    payment = start_payment(a_request())
    fake_clock.advance(days=2, hours=23)
    assert not Payment.objects.stuck(fake_clock.now()).exists()
    fake_clock.advance(hours=2)
    assert list(Payment.objects.stuck(fake_clock.now())) == [payment]

    assert mark_reviewed(payment, note="the customer has gone", actor=clerk)
    assert not Payment.objects.stuck(fake_clock.now()).exists()
    stored = Payment.objects.get()
    assert stored.status == "pending"
    assert stored.next_sync_at is not None


def test_unconfirmed_is_what_was_sent_and_not_answered(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    start_payment(a_request())
    assert not Payment.objects.unconfirmed().exists()
    Payment.objects.update(status="created")
    assert Payment.objects.unconfirmed().count() == 1
    Payment.objects.update(first_sent_at=None)
    assert not Payment.objects.unconfirmed().exists()


def test_c11_inside_a_transaction_it_refuses(flagged: Payment, clerk: Any) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        mark_reviewed(flagged, note="x", actor=clerk)
