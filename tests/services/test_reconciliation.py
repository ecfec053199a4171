"""The background: everything due is taken up, within the request budget, and only once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.payments import resume_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import TEST_KEY, FakeClock, a_request

pytestmark = pytest.mark.django_db


def start_many(count: int) -> list[Payment]:
    return [start_payment(a_request(order_reference=f"order {number}")) for number in range(count)]


def operations(emulator: EmulatorServer) -> list[str | None]:
    return [entry.operation for entry in emulator.log() if entry.operation != "create_hosted"]


def test_s1_customer_who_never_returns_is_booked(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    fake_clock.advance(minutes=2)
    report = Run().execute()

    assert (report.changed, report.unchanged, report.failed) == (1, 0, 0)
    assert Payment.objects.get().status == "succeeded"
    assert operations(emulator) == ["retrieve"]


def test_customer_who_pays_at_once_is_found_at_once(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.pay(start_payment(a_request()).gateway_id)
    assert Run().execute().changed == 1


def test_second_run_within_two_seconds_asks_nobody(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    start_payment(a_request())
    assert Run().execute().unchanged == 1
    assert Run().execute().unchanged == 0
    assert operations(emulator) == ["retrieve"]
    fake_clock.advance(seconds=2)
    assert Run().execute().unchanged == 1


def test_many_open_payments_are_checked_with_one_list_call(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payments = start_many(20)
    for payment in payments[:7]:
        emulator.pay(payment.gateway_id)
    fake_clock.advance(minutes=2)
    report = Run().execute()

    assert (report.changed, report.unchanged) == (7, 13)
    assert Payment.objects.filter(status="succeeded").count() == 7
    assert operations(emulator) == ["list"]


def test_what_the_list_does_not_show_is_asked_singly(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    for payment in start_many(6):
        emulator.pay(payment.gateway_id)
    fake_clock.advance(minutes=2)
    emulator.fault("list", "status_before", status=400, times=2)
    report = Run().execute()

    assert report.changed == 6
    assert operations(emulator) == ["list", "list", *["retrieve"] * 6]


def test_list_is_verified_like_a_single_answer(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payments = start_many(6)
    emulator.pay(payments[0].gateway_id)
    Payment.objects.filter(pk=payments[0].pk).update(amount_minor=5999)
    fake_clock.advance(minutes=2)
    Run().execute()
    changed = Payment.objects.get(pk=payments[0].pk)
    assert (changed.status, changed.review_reason) == ("pending", "mismatch")


def test_newest_customers_come_first_and_limit_counts_payments(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    for number in range(3):
        emulator.pay(start_payment(a_request(order_reference=str(number))).gateway_id)
        fake_clock.advance(seconds=10)
    fake_clock.advance(minutes=2)
    assert Run(limit=2).execute().changed == 2
    paid = Payment.objects.filter(status="succeeded").values_list("order_reference", flat=True)
    assert set(paid) == {"1", "2"}


def test_since_leaves_older_payments_alone(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    start_payment(a_request(order_reference="old"))
    fake_clock.advance(hours=2)
    start_payment(a_request(order_reference="new"))
    fake_clock.advance(minutes=2)
    Run(since=fake_clock.now() - timedelta(hours=1)).execute()
    asked = Payment.objects.filter(last_synced_at=fake_clock.now()).values_list("order_reference", flat=True)
    assert list(asked) == ["new"]


def test_d9_payment_held_by_another_worker_is_left_to_it_until_the_lease_ends(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    payment = start_payment(a_request())
    fake_clock.advance(minutes=2)
    Payment.objects.update(lease_until=fake_clock.now() + timedelta(seconds=30))
    Run().execute()
    assert operations(emulator) == []

    fake_clock.advance(seconds=31)
    Run().execute()
    assert operations(emulator) == ["retrieve"]
    payment.refresh_from_db()
    assert payment.lease_until is None


def test_k5_refused_key_stops_the_account_after_one_request(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    start_many(4)
    fake_clock.advance(minutes=2)
    emulator.revoke_key(TEST_KEY)
    report = Run().execute()
    assert report.failed == 4
    assert len(report.errors) == 1
    assert len(operations(emulator)) + len(emulator.log("unknown")) <= 1
    assert Payment.objects.exclude(status="pending").count() == 0


@pytest.mark.parametrize("status", ["created", "pending"])
def test_k3_payment_of_the_other_mode_is_neither_asked_about_nor_proven_absent(
    emulator: EmulatorServer, fake_clock: FakeClock, status: str
) -> None:
    start_payment(a_request())
    Payment.objects.update(livemode=True, status=status, gateway_id=None if status == "created" else "pay_live")
    for both in (emulator, fake_clock):
        both.advance(hours=25)  # the key's life is over: the list would be asked, by the wrong key
    report = Run().execute()

    stored = Payment.objects.get()
    assert (stored.status, stored.lease_until, report.errors) == (status, None, [])
    assert operations(emulator) == []
    assert Run().count() == 0, "not taken up again at once"


def test_k3_unknown_create_of_the_other_mode_is_not_sent_by_a_click(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    payment = start_payment(a_request())
    Payment.objects.update(livemode=True, status="created", gateway_id=None, request_body="{}")
    payment.refresh_from_db()
    with pytest.raises(PaymentUnconfirmed, match="other mode"):
        resume_payment(payment)
    assert len(emulator.log()) == 1


def test_account_that_is_no_longer_configured_is_reported(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    start_payment(a_request())
    Payment.objects.update(account="closed")
    fake_clock.advance(minutes=2)
    report = Run().execute()
    assert report.failed == 1
    assert "no account 'closed'" in report.errors[0]


def test_r6_background_leaves_a_part_of_the_limit_to_the_checkout(
    emulator: EmulatorServer, fake_clock: FakeClock, settings: Any
) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"REQUESTS_PER_MINUTE": 10}}
    start_many(4)
    fake_clock.advance(minutes=2)
    began = fake_clock.now()
    for _ in range(8):
        ApiCall.objects.create(
            account="default",
            livemode=False,
            api_key_fingerprint=Payment.objects.all()[0].api_key_fingerprint,
            operation="retrieve",
            method="GET",
            path="/",
            try_number=1,
            outcome="ok",
            duration_ms=1,
            created_at=began,
        )
    Run().execute()
    assert (fake_clock.now() - began).total_seconds() >= 60
    assert len(operations(emulator)) == 4


def test_r9_background_slows_down_when_the_gateway_says_that_few_requests_are_left(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    emulator.set_rate_limit(10)
    start_payment(a_request())
    began = fake_clock.now()
    Run().execute()
    assert (fake_clock.now() - began).total_seconds() >= 60
    assert len(operations(emulator)) == 1


def test_stop_is_obeyed_while_the_background_keeps_its_pace(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    emulator.set_rate_limit(10)
    start_payment(a_request())
    began = fake_clock.now()
    stops = iter([False, False, False])
    Run(should_stop=lambda: next(stops, True)).execute()
    assert (fake_clock.now() - began).total_seconds() < 5


def test_r6_pages_that_ask_again_leave_the_checkout_its_requests(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    payment = start_payment(a_request())
    emulator.pay(payment.gateway_id)
    ApiCall.objects.update(rate_limit_remaining=9)
    assert sync_payment(payment, can_wait=True).status == "pending"
    assert operations(emulator) == []
    assert sync_payment(payment).status == "succeeded"


def test_plan_says_what_would_be_done_and_does_nothing(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    open_payment = start_payment(a_request())
    emulator.fault("create_hosted", "drop_after", times=4)
    with pytest.raises(PaymentUnconfirmed):
        start_payment(a_request(order_reference="1002"))
    fake_clock.advance(minutes=2)
    requests_before = len(emulator.log())

    assert sorted(Run().plan()) == [
        f"1001 (attempt 1): ask the gateway about {open_payment.gateway_id}",
        "1002 (attempt 1): send the create again under its key",
    ]
    assert Run().count() == 2
    assert len(emulator.log()) == requests_before


def test_broken_row_does_not_keep_the_others_from_being_looked_at(
    emulator: EmulatorServer, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_flowlix.services import booking

    payments = start_many(3)
    for payment in payments:
        emulator.pay(payment.gateway_id)
    real_book = booking.book

    def book(payment: Payment, *args: Any, **kwargs: Any) -> Payment:
        if payment.pk == payments[1].pk:
            raise KeyError("a fault of ours")
        return real_book(payment, *args, **kwargs)

    monkeypatch.setattr(booking, "book", book)
    fake_clock.advance(minutes=2)
    report = Run().execute()
    assert (report.changed, report.failed) == (2, 1)


def test_stop_is_obeyed_between_payments(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    start_many(3)
    fake_clock.advance(minutes=2)
    done: list[int] = []
    Run(on_progress=lambda: done.append(1), should_stop=lambda: len(done) >= 1).execute()
    assert len(operations(emulator)) == 1
