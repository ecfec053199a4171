"""Erasing and pruning beside those who book, refund and hold: nothing is lost, and what is erased stays erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_flowlix.conf import account
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund, TalliedHour
from django_flowlix.services import erase_personal_data, refund_payment, start_payment, sync_payment
from django_flowlix.services.holds import put_on_hold
from django_flowlix.services.retention import Prune
from tests.conftest import a_request

from .conftest import Gate, Workers, outcome

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paid(dev_emulator: EmulatorServer) -> Payment:
    dev_emulator.set_refund_delay(None)
    payment = start_payment(a_request())
    dev_emulator.pay(str(payment.gateway_id))
    return sync_payment(payment)


def test_a_look_whose_answer_comes_after_the_erasure_books_no_card(
    paid: Payment, dev_emulator: EmulatorServer, workers: Workers, hold: Callable[..., Gate]
) -> None:
    dev_emulator.refund(str(paid.gateway_id), 1000)
    gate = hold("GET", answered=True)
    look = workers.start(lambda: sync_payment(Payment.objects.get()))
    with gate.held():
        assert erase_personal_data([paid]).erased == [paid]
    looked = outcome(look)

    stored = Payment.objects.get()
    assert looked.card_last4 == stored.card_last4 == stored.hosted_page_url == ""
    assert stored.personal_data_erased_at is not None
    assert stored.amount_refunded_minor + sum(Refund.objects.values_list("amount_minor", flat=True)) >= 1000


def test_a_refund_under_way_is_not_erased_under_its_feet(
    paid: Payment, workers: Workers, hold: Callable[..., Gate]
) -> None:
    gate = hold("POST")
    refund = workers.start(lambda: refund_payment(Payment.objects.get(), reason="sent back"))
    with gate.held():
        ((_, why),) = erase_personal_data([paid]).kept
        body = Refund.objects.get().request_body
    outcome(refund)

    assert why == "refund_open"
    assert "sent back" in body
    assert Refund.objects.get().status == "pending"


@pytest.mark.parametrize("other", ["refund", "hold", "look", "erase"])
def test_at_the_same_moment_both_are_right(paid: Payment, workers: Workers, other: str) -> None:
    clerk = get_user_model().objects.create_user("clerk")
    others: dict[str, Callable[[], Any]] = {
        "refund": lambda: refund_payment(Payment.objects.get(), reason="sent back"),
        "hold": lambda: put_on_hold(Payment.objects.get(), reason="File 7/26", actor=clerk),
        "look": lambda: sync_payment(Payment.objects.get()),
        "erase": lambda: erase_personal_data(Payment.objects.all()),
    }
    erasure, beside = workers.together(lambda: erase_personal_data(Payment.objects.all()), others[other])
    assert not isinstance(beside, BaseException), beside
    assert not isinstance(erasure, BaseException), erasure

    stored = Payment.objects.get()
    is_erased = stored.personal_data_erased_at is not None
    assert is_erased is (stored.card_last4 == "") is (stored.description == "")
    assert stored.status == "succeeded"
    if other == "erase":
        assert len(erasure.erased) + len(beside.erased) == 1
    else:
        assert is_erased is bool(erasure.erased)
    if other == "refund":
        assert (Refund.objects.get().reason, Refund.objects.get().status) == ("sent back", "pending")


def test_two_runs_delete_each_row_once(paid: Payment, workers: Workers, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"RETENTION": {"calls_days": 1}}}
    old = timezone.now() - timedelta(days=2)
    TalliedHour.objects.create(hour=timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2))
    template = ApiCall.objects.filter(payment=paid).first()
    assert template is not None
    ApiCall.objects.all().delete()
    facts = {field.attname: getattr(template, field.attname) for field in ApiCall._meta.concrete_fields}
    del facts["id"]
    ApiCall.objects.bulk_create(
        ApiCall(**facts | {"created_at": old + timedelta(seconds=number)}) for number in range(1200)
    )

    reports = workers.together(*[lambda: Prune(accounts=[account()]).execute()] * 3)

    assert sum(report.calls.gone for report in reports) == 1200
    assert not ApiCall.objects.exists()
