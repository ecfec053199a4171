"""Erasing personal data: nothing about the customer is left, and nothing of the books is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Sum
from django.test import Client

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import erase_personal_data, erasure, refund_payment, start_payment, sync_payment
from django_flowlix.services.holds import put_on_hold, release_hold
from django_flowlix.services.personal_data import OF_A_PAYMENT, OF_A_REFUND
from tests.conftest import FakeClock, a_request
from tests.services.countess import (
    BOOKS_OF_A_PAYMENT,
    BOOKS_OF_A_REFUND,
    SECRETS,
    books,
    clerk,
    ended,
    everything,
    found,
    gateway,
    paid,
)

__all__ = ["clerk", "gateway", "paid"]

pytestmark = pytest.mark.django_db


def test_everything_about_the_customer_is_gone_and_the_books_are_the_same(paid: Payment, fake_clock: FakeClock) -> None:
    assert found() == [secret for secret in SECRETS if secret != "unter den linden"], "what was sent is gone already"
    assert (paid.card_last4, paid.card_exp_month is None) == ("1111", False)
    before, token = books(), paid.return_token
    money = Payment.objects.aggregate(Sum("amount_minor"), Sum("amount_refunded_minor"))

    result = erase_personal_data([paid])

    assert (result.erased, result.nothing_left, result.kept) == ([paid], [], [])
    assert found() == []
    assert books() == before
    assert Payment.objects.aggregate(Sum("amount_minor"), Sum("amount_refunded_minor")) == money
    assert money == {"amount_minor__sum": 4999, "amount_refunded_minor__sum": 1200}
    stored = Payment.objects.get()
    assert stored.personal_data_erased_at == paid.personal_data_erased_at == fake_clock.now()
    assert (stored.card_last4, stored.card_exp_month, stored.card_exp_year, stored.metadata) == ("", None, None, {})
    assert stored.card_brand == "visa"
    assert stored.return_token == paid.return_token
    assert stored.return_token != token
    assert len(stored.return_token) == len(token)


def test_every_column_is_kept_or_erased_on_purpose() -> None:
    """A new column has to be put on one of the two lists."""
    technical = {"id", "lease_until", "sync_failures", "updated_at", "next_sync_at", "return_token"}
    technical |= {"review_since", "reviewed_reason", "legal_hold_since", "personal_data_erased_at"}
    columns = {field.attname for field in Payment._meta.concrete_fields}
    assert columns == set(BOOKS_OF_A_PAYMENT) | set(OF_A_PAYMENT) | technical
    columns = {field.attname for field in Refund._meta.concrete_fields}
    technical = {"id", "lease_until", "sync_failures", "updated_at", "next_sync_at", "submission_token", "last_sent_at"}
    assert columns == set(BOOKS_OF_A_REFUND) | set(OF_A_REFUND) | technical


def test_the_order_the_key_and_the_ids_still_find_it(paid: Payment, clerk: Any) -> None:
    erase_personal_data([paid])

    stored = Payment.objects.get()
    assert stored.order == clerk
    assert (stored.order_reference, stored.idempotency_key) == ("1001", "payment-order-1001")
    assert Payment.objects.for_order("1001").get() == stored


def test_an_old_link_shows_nothing_any_more(paid: Payment, client: Client) -> None:
    old = paid.get_absolute_url()
    erase_personal_data([paid])

    for page in ("", "status/", "result/", "return/"):
        address = old if not page else old.replace("/pending/", f"/{page}")
        assert client.get(address).status_code == 404
    assert client.get(paid.get_absolute_url(), follow=True).status_code == 200


def test_what_was_written_in_the_admins_log_is_erased_too(paid: Payment, clerk: Any) -> None:
    models = [Payment, type(clerk)]
    for model in models:
        about = ContentType.objects.get_for_model(model)
        words = "Reviewed: Countess"
        LogEntry.objects.create(
            user=clerk, content_type=about, object_id=str(paid.pk), action_flag=CHANGE, change_message=words
        )
    erase_personal_data([paid])

    assert [LogEntry.objects.get(content_type__model=model._meta.model_name).change_message for model in models] == [
        "The text was erased with the customer's personal data.",
        "Reviewed: Countess",
    ]


def test_words_of_ours_stay_on_the_timeline(paid: Payment, clerk: Any) -> None:
    put_on_hold(paid, reason="the Countess's lawyer wrote", actor=clerk)
    release_hold(paid, reason="the Countess withdrew", actor=clerk)
    StatusChange.objects.filter(signal="payment_needs_review").update(note="unknown_status")
    erase_personal_data([paid])

    notes = StatusChange.objects.exclude(note="").order_by("pk").values_list("actor", "note")
    assert list(notes) == [
        ("", "unknown_status"),
        ("clerk", "put on legal hold\n"),
        ("clerk", "legal hold released\n"),
    ]


def test_doing_it_again_changes_nothing(paid: Payment, fake_clock: FakeClock) -> None:
    erase_personal_data([paid])
    fake_clock.advance(days=1)
    before, token = everything(), paid.return_token

    result = erase_personal_data(Payment.objects.all())

    assert (result.erased, result.nothing_left, result.kept) == ([], [paid], [])
    Payment.objects.update(updated_at=paid.updated_at)
    assert everything() == before
    assert Payment.objects.get().return_token == token


def test_what_was_written_since_is_erased_the_next_time(
    paid: Payment, gateway: EmulatorServer, fake_clock: FakeClock, clerk: Any
) -> None:
    erase_personal_data([paid])
    fake_clock.advance(days=1)
    refund = refund_payment(paid, Money(100, "EUR"), reason="the Countess wrote again", actor=clerk)
    gateway.finish_refund(str(refund.gateway_id), "fail")
    sync_payment(paid)
    refund.refresh_from_db()
    assert (refund.reason, refund.decline_message) == ("the Countess wrote again", "The refund was declined.")
    fake_clock.advance(days=1)

    result = erase_personal_data([paid])

    assert result.erased == [paid]
    assert found() == []
    assert paid.personal_data_erased_at == fake_clock.now()


# --- What is kept for now ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_payment", "of_refund", "of_change", "why"),
    [
        ({"status": "created"}, {}, {}, "open"),
        ({"status": "created", "gateway_id": None}, {}, {}, "open"),
        ({"status": "pending"}, {}, {}, "open"),
        ({"status": "requires_action"}, {}, {}, "open"),
        ({"status": "processing"}, {}, {}, "open"),
        ({"review_since": "2026-01-01T00:00Z", "review_reason": "mismatch"}, {}, {}, "review"),
        ({"legal_hold_since": "2026-01-01T00:00Z"}, {}, {}, "legal_hold"),
        ({"legal_hold_since": "2026-01-01T00:00Z", "status": "pending"}, {}, {}, "legal_hold"),
        ({}, {"status": "created"}, {}, "refund_open"),
        ({}, {"status": "pending"}, {}, "refund_open"),
        ({}, {}, {"deliver_at": "2027-01-01T00:00Z"}, "untold"),
    ],
)
def test_what_is_not_over_is_left_alone_and_named(
    paid: Payment, of_payment: dict[str, Any], of_refund: dict[str, Any], of_change: dict[str, Any], why: str
) -> None:
    other = ended(start_payment(a_request(order_reference="other")))
    Payment.objects.filter(pk=paid.pk).update(**of_payment)
    Refund.objects.filter(pk=paid.refunds.latest("pk").pk).update(**({"status": "failed"} | of_refund))
    StatusChange.objects.filter(pk=paid.status_changes.latest("pk").pk).update(**of_change)
    before = Payment.objects.values().get(pk=paid.pk)
    words = found()

    result = erase_personal_data([paid, other])

    assert [(payment, str(reason.value)) for payment, reason in result.kept] == [(paid, why)]
    assert result.erased == [other]
    assert Payment.objects.values().get(pk=paid.pk) == before
    assert found() == words


def test_an_abandoned_payment_is_erased_after_thirty_days_and_can_be_paid_all_the_same(
    gateway: EmulatorServer, fake_clock: FakeClock
) -> None:
    """Under a contract whose unpaid payments never end it would be kept for ever."""
    payment = start_payment(a_request(description="engraving"), success_url="/thanks/")
    fake_clock.advance(days=29, hours=23)
    assert [why.value for _, why in erase_personal_data([payment]).kept] == ["open"]
    fake_clock.advance(hours=1)
    page, token = payment.hosted_page_url, payment.return_token

    assert erase_personal_data([payment]).erased == [payment]

    assert (payment.description, payment.metadata) == ("", {})
    again = start_payment(a_request(description="engraving"), success_url="/thanks/")
    assert (again.pk, again.hosted_page_url, again.return_token) == (payment.pk, page, token)
    gateway.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    assert sync_payment(payment).status == "succeeded"
    assert (payment.card_last4, payment.success_url) == ("", "/thanks/")


def test_an_unconfirmed_payment_is_kept_however_old(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payment = start_payment(a_request())
    Payment.objects.update(status="created")
    fake_clock.advance(days=400)
    assert [why.value for _, why in erase_personal_data([payment]).kept] == ["open"]


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled", "expired", "rejected"])
def test_what_is_over_is_erased(emulator: EmulatorServer, fake_clock: FakeClock, status: str) -> None:
    payment = ended(start_payment(a_request()), status)

    assert erase_personal_data([payment]).erased == [payment]
    assert Payment.objects.get().description == ""


def test_a_payment_put_on_hold_before_the_lock_is_taken_is_kept(paid: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    real = erasure.under_lock

    def late(payment: Payment, work: Callable[[], Any]) -> Any:
        Payment.objects.update(legal_hold_since="2026-01-01T00:00Z")
        return real(payment, work)

    monkeypatch.setattr(erasure, "under_lock", late)

    assert [str(why.value) for _, why in erase_personal_data([paid]).kept] == ["legal_hold"]
    assert Payment.objects.get().card_last4 == "1111"


@pytest.mark.parametrize("payments", [None, 7, "1001", [7], [None], ["1001"], [Payment()]])
def test_what_is_no_payment_is_refused_before_anything_is_erased(paid: Payment, payments: Any) -> None:
    mixed = [paid, *payments] if isinstance(payments, list) else payments
    with pytest.raises(TypeError):
        erase_personal_data(mixed)
    with pytest.raises(TypeError):
        erase_personal_data(paid)  # type: ignore[arg-type]
    assert Payment.objects.get().personal_data_erased_at is None


def test_no_payments_are_no_work(paid: Payment) -> None:
    for nothing in ([], Payment.objects.none()):
        result = erase_personal_data(nothing)
        assert (result.erased, result.nothing_left, result.kept) == ([], [], [])


def test_a_payment_named_twice_is_erased_once(paid: Payment) -> None:
    assert erase_personal_data([paid, Payment.objects.get()]).erased == [paid]


def test_c11_inside_a_transaction_it_refuses(paid: Payment) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        erase_personal_data([paid])
    assert Payment.objects.get().personal_data_erased_at is None
