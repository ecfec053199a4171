"""What is erased stays erased, whatever the gateway answers afterwards, and the money is booked all the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType

from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund, StatusChange
from django_flowlix.services import erase_personal_data, refund_payment, start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from django_flowlix.signals import payment_failed
from tests.conftest import FakeClock, a_request
from tests.services.countess import clerk, ended, found, gateway, paid

__all__ = ["clerk", "gateway", "paid"]

pytestmark = pytest.mark.django_db


def test_looks_at_the_gateway_do_not_bring_it_back(
    paid: Payment, gateway: EmulatorServer, fake_clock: FakeClock
) -> None:
    erase_personal_data([paid])
    fake_clock.advance(days=1)
    gateway.refund(str(paid.gateway_id), 1000)
    gateway.fault("retrieve", "override", fields={"hosted_page_url": f"{gateway.url}/pay/again"})
    sync_payment(paid)

    assert found() == []
    stored = Payment.objects.get()
    assert (stored.card_last4, stored.hosted_page_url, stored.decline_message) == ("", "", "")
    assert stored.card_brand == "visa"
    assert stored.refunds.get(status="failed").decline_message == "", "the gateway tells it at each look"
    assert stored.refunds.latest("pk").amount_minor == 1000, "the look was booked"
    assert stored.last_synced_at == fake_clock.now()


def test_a_look_under_way_while_it_is_erased_does_not_bring_it_back(
    paid: Payment, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look has read the row before, and books its answer after."""
    fake_clock.advance(days=1)
    real = Transport.send

    def send(self: Transport, *args: Any, **kwargs: Any) -> Any:
        answer = real(self, *args, **kwargs)
        assert erase_personal_data(Payment.objects.all()).erased == [paid]
        return answer

    stale = Payment.objects.get()
    monkeypatch.setattr(Transport, "send", send)
    sync_payment(stale)

    assert found() == []
    assert Payment.objects.get().card_last4 == stale.card_last4 == ""


def test_p2_a_late_success_is_booked_without_the_card(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    payment = start_payment(a_request())
    emulator.fault("retrieve", "override", fields={"status": "failed", "decline_code": "generic_decline"})
    sync_payment(payment)
    assert payment.status == "failed"
    erase_personal_data([payment])
    fake_clock.advance(days=3)
    emulator.pay(str(payment.gateway_id))

    sync_payment(payment)

    stored = Payment.objects.get()
    assert (stored.status, stored.paid_order_reference, stored.review_reason) == ("succeeded", "1001", "")
    assert (stored.card_brand, stored.card_last4, stored.card_exp_year) == ("visa", "", None)
    assert stored.description == ""
    assert list(StatusChange.objects.exclude(signal="").order_by("pk").values_list("signal", flat=True)) == [
        "payment_failed",
        "payment_succeeded",
    ]


def test_a_payment_that_is_erased_can_be_refunded(
    paid: Payment, gateway: EmulatorServer, fake_clock: FakeClock
) -> None:
    erase_personal_data([paid])
    fake_clock.advance(minutes=1)
    refund = refund_payment(paid, reason="bought by mistake")
    gateway.finish_refund(str(refund.gateway_id), "succeed")
    sync_payment(paid)

    stored = Payment.objects.get()
    assert stored.amount_refunded_minor == stored.amount_minor == 4999
    assert Refund.objects.latest("pk").reason == "bought by mistake"


def test_receivers_that_have_not_run_find_the_metadata(emulator: EmulatorServer, fake_clock: FakeClock) -> None:
    """An order that is fulfilled by what stands in the metadata must not lose it."""
    payment = start_payment(a_request(metadata={"shelf": "7"}))
    told: list[Any] = []

    def fails_first(payment: Payment, **kwargs: object) -> None:
        told.append(payment.metadata)
        if len(told) == 1:
            raise RuntimeError

    payment_failed.connect(fails_first)
    try:
        emulator.decline(str(payment.gateway_id))
        sync_payment(payment)
        assert [str(why.value) for _, why in erase_personal_data([payment]).kept] == ["untold"]
        fake_clock.advance(hours=7)
        Run().execute()
    finally:
        payment_failed.disconnect(fails_first)
    assert told == [{"shelf": "7"}] * 2
    assert erase_personal_data([payment]).erased == [payment]


def test_many_payments_take_one_query_of_the_log_and_few_each(
    emulator: EmulatorServer, fake_clock: FakeClock, django_assert_max_num_queries: Any
) -> None:
    payments = [ended(start_payment(a_request(order_reference=str(number)))) for number in range(5)]
    ContentType.objects.get_for_model(Payment)
    with django_assert_max_num_queries(1 + 5 * 10):
        erase_personal_data(payments)
