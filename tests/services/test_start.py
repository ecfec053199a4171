"""Starting a payment while the gateway behaves: rows, requests, reuse, new attempts, refusals before the network."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from django_flowlix.api import Customer, Money
from django_flowlix.api.transport import Transport
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import AlreadyPaid, InvalidPaymentRequest, PaymentUnconfirmed
from django_flowlix.models import ApiCall, Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from tests.conftest import BASE_URL, CUSTOMER, FakeClock, a_request

pytestmark = pytest.mark.django_db


def keys(emulator: EmulatorServer) -> list[str | None]:
    return [entry.idempotency_key for entry in emulator.log("create_hosted")]


def test_start_stores_what_is_needed_to_find_the_payment_again(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request(), success_url="/thanks/", failure_url="/sorry/")

    (at_gateway,) = emulator.payments()
    (entry,) = emulator.log()
    stored = Payment.objects.get()
    assert stored.pk == payment.pk
    assert (stored.status, stored.gateway_id) == ("pending", at_gateway.id)
    assert stored.request_id == entry.request_id
    assert stored.hosted_page_url.startswith(emulator.url)
    assert (stored.amount_minor, stored.currency, stored.exponent) == (4999, "EUR", 2)
    assert (stored.attempt, stored.livemode, stored.contract) == (1, False, "eu")
    assert stored.idempotency_key == "payment-order-1001" == entry.idempotency_key
    assert (stored.success_url, stored.failure_url) == ("/thanks/", "/sorry/")
    assert stored.request_body == "", "the customer's details are erased once the outcome is known"


def test_start_sends_what_the_contract_asks_for(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request(metadata={"basket": "b-7"}))

    (entry,) = emulator.log()
    body = json.loads(entry.body)
    assert (body["amount"], body["currency"]) == (4999, "eur")
    assert body["customer"]["zip"] == "10117"
    assert body["metadata"] == {
        "basket": "b-7",
        "order_reference": "1001",
        "idempotency_key": "payment-order-1001",
    }
    assert body["redirect_url"] == f"{BASE_URL}/flowlix/return/{payment.return_token}/"
    assert len(payment.return_token) >= 43, "at least 256 bits"


def test_start_records_the_exchange_and_the_change(emulator: EmulatorServer) -> None:
    payment = start_payment(a_request())

    call = ApiCall.objects.get()
    assert (call.payment, call.operation, call.http_status, call.outcome) == (payment, "create_hosted", 201, "ok")
    assert call.request_id == payment.request_id
    change = StatusChange.objects.get()
    assert (change.from_status, change.to_status, change.source, change.signal) == ("created", "pending", "create", "")


@pytest.mark.django_db(transaction=True)
def test_start_commits_first_and_keeps_the_database_out_of_the_exchange(
    emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real_send = Transport.send

    def watched(self: Transport, *args: Any, **kwargs: Any) -> Any:
        assert not connection.in_atomic_block
        assert Payment.objects.get().request_body != ""
        before = len(statements)
        answer = real_send(self, *args, **kwargs)
        assert len(statements) == before, "no statement while the socket is open"
        seen.append("sent")
        return answer

    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    monkeypatch.setattr(Transport, "send", watched)
    with connection.execute_wrapper(note):
        start_payment(a_request())
    assert seen == ["sent"]


@pytest.mark.django_db(transaction=True)
def test_start_costs_at_most_eight_statements_and_two_commits(emulator: EmulatorServer) -> None:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        start_payment(a_request())

    verbs = [query["sql"].split()[0] for query in queries]
    assert verbs.count("COMMIT") == 2
    assert len([verb for verb in verbs if verb not in ("BEGIN", "COMMIT")]) == 6
    assert [entry.operation for entry in emulator.log()] == ["create_hosted"]


def test_i1_second_click_gets_the_same_page(emulator: EmulatorServer) -> None:
    first, second = start_payment(a_request()), start_payment(a_request())

    assert (second.pk, second.hosted_page_url) == (first.pk, first.hosted_page_url)
    assert len(emulator.log()) == 1


def test_old_open_attempt_is_looked_at_before_it_is_offered_again(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    first = start_payment(a_request())
    fake_clock.advance(minutes=2)

    assert start_payment(a_request()).pk == first.pk
    assert [entry.operation for entry in emulator.log()] == ["create_hosted", "retrieve"]


def test_customer_who_paid_and_clicks_again_is_not_sent_to_pay_again(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    first = start_payment(a_request())
    emulator.pay(first.gateway_id)
    fake_clock.advance(minutes=2)

    with pytest.raises(AlreadyPaid) as raised:
        start_payment(a_request())
    assert raised.value.payment == first
    assert len(emulator.log("create_hosted")) == 1


def test_reused_attempt_takes_the_latest_targets(emulator: EmulatorServer) -> None:
    start_payment(a_request(), success_url="/old/")
    start_payment(a_request(), success_url="/new/")
    assert Payment.objects.get().success_url == "/new/"


def test_i4_after_a_decline_a_new_attempt_has_a_new_key(emulator: EmulatorServer) -> None:
    first = start_payment(a_request())
    emulator.decline(first.gateway_id)
    sync_payment(first)
    assert first.status == "failed"

    second = start_payment(a_request())
    assert (second.attempt, second.status) == (2, "pending")
    assert keys(emulator) == ["payment-order-1001", "payment-order-1001-attempt-2"]
    assert second.hosted_page_url != first.hosted_page_url


def test_s5_changed_amount_makes_a_new_attempt_and_the_old_one_stays_watched(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    old = start_payment(a_request())
    new = start_payment(a_request(amount=Money.from_major("59.99", "EUR")))

    old.refresh_from_db()
    assert (old.status, new.status, new.attempt) == ("pending", "pending", 2)
    assert old.superseded_at is not None
    assert old.next_sync_at is not None


def test_s5_changed_amount_after_paying_the_old_one_is_found_before_a_second_page_exists(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    old = start_payment(a_request())
    emulator.pay(old.gateway_id)
    fake_clock.advance(seconds=5)

    with pytest.raises(AlreadyPaid):
        start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    assert len(emulator.payments()) == 1


def test_s8_paying_the_old_page_after_the_new_one_is_booked_and_flagged(
    emulator: EmulatorServer, fake_clock: FakeClock
) -> None:
    old = start_payment(a_request())
    new = start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    emulator.pay(new.gateway_id)
    emulator.pay(old.gateway_id)
    sync_payment(new)
    sync_payment(old)

    assert (new.status, new.review_reason) == ("succeeded", "")
    assert (old.status, old.review_reason) == ("succeeded", "second_success")
    signals = set(StatusChange.objects.exclude(signal="").values_list("payment", "signal"))
    assert signals == {(new.pk, "payment_succeeded"), (old.pk, "payment_needs_review")}


def test_success_on_a_superseded_attempt_is_left_to_a_person(emulator: EmulatorServer) -> None:
    old = start_payment(a_request())
    start_payment(a_request(amount=Money.from_major("59.99", "EUR")))
    emulator.pay(old.gateway_id)
    sync_payment(old)

    assert (old.status, old.review_reason) == ("succeeded", "superseded_success")
    with pytest.raises(AlreadyPaid):
        start_payment(a_request(amount=Money.from_major("59.99", "EUR")))


def test_attempt_of_the_other_mode_is_not_offered(emulator: EmulatorServer) -> None:
    old = start_payment(a_request())
    Payment.objects.filter(pk=old.pk).update(livemode=True)

    new = start_payment(a_request())
    assert (new.attempt, new.livemode) == (2, False)


def test_open_attempt_without_a_page_makes_room_for_one_with(emulator: EmulatorServer) -> None:
    old = start_payment(a_request())
    Payment.objects.update(hosted_page_url="")  # as when it was found in the gateway's list

    new = start_payment(a_request())
    assert (new.attempt, bool(new.hosted_page_url)) == (2, True)
    old.refresh_from_db()
    assert old.superseded_at is not None


@pytest.mark.parametrize("amount", ["49.99", "59.99"])
def test_payment_that_is_being_processed_is_neither_paid_again_nor_replaced(
    emulator: EmulatorServer, amount: str
) -> None:
    payment = start_payment(a_request())
    Payment.objects.update(status="processing")
    with pytest.raises(PaymentUnconfirmed) as raised:
        start_payment(a_request(amount=Money.from_major(amount, "EUR")))
    assert raised.value.payment == payment
    assert len(emulator.payments()) == 1


@pytest.mark.django_db(transaction=True)
def test_c11_inside_atomic_it_is_refused_before_anything_happens(emulator: EmulatorServer) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        start_payment(a_request())
    assert Payment.objects.count() == 0
    assert emulator.log() == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"amount": Money(0, "EUR")}, "at least 1 minor unit"),
        ({"amount": Decimal("49.99")}, "must be Money"),
        ({"amount": 49.99}, "must be Money"),
        ({"order_reference": ""}, "order_reference"),
        ({"order_reference": 1001}, "order_reference"),
        ({"order_reference": "x" * 256}, "256 characters, at most 255"),
        ({"order_reference": "1001 "}, "white space"),
        ({"order_reference": "10\n01"}, "control characters"),
        ({"customer": None}, "customer is missing"),
        ({"description": "x" * 501}, "501 characters, at most 500"),
        ({"description": "paid with 4242 4242 4242 4242"}, "card number"),
        ({"metadata": {"note": "4242-4242-4242-4242"}}, "card number"),
        ({"metadata": {"count": 3}}, "must be text"),
        ({"metadata": {f"k{n}": "v" for n in range(49)}}, "at most 50"),
        ({"metadata": {"order_reference": "7"}}, "filled in for you"),
        ({"metadata": ["a"]}, "dict"),
    ],
)
def test_s10_bad_requests_are_refused_before_a_row_or_a_request(
    emulator: EmulatorServer, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InvalidPaymentRequest) as raised:
        start_payment(a_request(**changes))
    assert fault in str(raised.value)
    assert Payment.objects.count() == 0
    assert emulator.log() == []


def test_all_faults_are_named_at_once_and_no_value_is_quoted(emulator: EmulatorServer) -> None:
    values = CUSTOMER.as_dict() | {"email": "nobody", "country": "Germany", "phone": "030 1234", "city": ""}
    with pytest.raises(InvalidPaymentRequest) as raised:
        start_payment(a_request(customer=Customer(**values), description="x" * 501))
    assert len(raised.value.faults) == 5
    assert "nobody" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "//evil.example", "\\\\evil.example", "https:evil.example", "javascript:alert(1)"]
)
def test_f8_foreign_targets_are_refused(emulator: EmulatorServer, url: str) -> None:
    with pytest.raises(InvalidPaymentRequest, match="foreign host"):
        start_payment(a_request(), success_url=url)
    assert Payment.objects.count() == 0


def test_order_numbers_that_look_like_cards_are_orders(emulator: EmulatorServer) -> None:
    assert start_payment(a_request(order_reference="4242424242424242")).status == "pending"


def test_currency_exponent_override_changes_the_wire_amount_exactly(emulator: EmulatorServer, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"CURRENCY_EXPONENTS": {"HUF": 0}}}
    payment = start_payment(a_request(amount=Money.from_major("500", "HUF")))
    assert json.loads(emulator.log()[0].body)["amount"] == 500
    assert str(payment.amount) == "500 HUF"

    with pytest.raises(InvalidPaymentRequest, match="HUF"):
        start_payment(a_request(order_reference="1002", amount=Money.from_major("500.50", "HUF")))


def test_namespace_stands_in_front_of_the_key(emulator: EmulatorServer, settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"IDEMPOTENCY_NAMESPACE": "staging"}}
    start_payment(a_request())
    assert keys(emulator) == ["staging-payment-order-1001"]


def test_payment_may_belong_to_an_order_object(emulator: EmulatorServer, django_user_model: Any) -> None:
    order = django_user_model.objects.create(username="stands for an order")
    start_payment(a_request(order=order))
    assert Payment.objects.get().order == order


def test_a9_payments_are_not_deleted(emulator: EmulatorServer) -> None:
    from django.db.models import ProtectedError

    payment = start_payment(a_request())
    with pytest.raises(ProtectedError):
        payment.delete()
