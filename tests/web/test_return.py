"""Coming back from the hosted page: the gateway is asked, and nothing the browser says is believed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment
from django_flowlix.signals import payment_failed, payment_succeeded
from tests.conftest import a_request
from tests.web.conftest import Customer, addresses, gateway_calls, personal_details_in

pytestmark = pytest.mark.django_db


def gateway_id(payment: Payment) -> str:
    return str(payment.gateway_id)


def test_a_paid_order_leads_to_the_success_page(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.pay(gateway_id(started))

    response = customer.come_back(started, payment_id=started.gateway_id, status="succeeded")

    assert (response.status_code, response["Location"]) == (302, "/thanks/")
    assert Payment.objects.get().status == "succeeded"
    assert gateway_calls(emulator) == {"create_hosted": 1, "retrieve": 1}
    assert StatusChange.objects.latest("pk").source == "return"


def test_a_declined_order_leads_to_the_failure_page(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.decline(gateway_id(started))

    assert customer.come_back(started)["Location"] == "/sorry/"
    assert Payment.objects.get().status == "failed"


def test_a_canceled_order_leads_to_the_failure_page(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.cancel(gateway_id(started))

    assert customer.come_back(started)["Location"] == "/sorry/"


def test_s2_an_undecided_payment_leads_to_the_waiting_page(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    response = customer.come_back(started)

    assert response["Location"] == addresses(started).pending
    assert gateway_calls(emulator)["retrieve"] == 1


@pytest.mark.parametrize(("outcome", "page"), [("pay", "result"), ("decline", "result")])
def test_a_shop_without_pages_of_its_own_gets_the_result_page(
    customer: Customer, emulator: EmulatorServer, outcome: str, page: str
) -> None:
    customer.post("/pay-by-query/?reference=1001")
    payment = Payment.objects.get()
    getattr(emulator, outcome)(gateway_id(payment))

    assert customer.come_back(payment)["Location"] == getattr(addresses(payment), page)


@pytest.mark.parametrize("claimed", ["succeeded", "refunded", "failed", "canceled", "SUCCEEDED", "", "x" * 5000])
def test_f1_a_forged_status_changes_nothing(
    customer: Customer, started: Payment, emulator: EmulatorServer, claimed: str
) -> None:
    response = customer.come_back(started, payment_id=started.gateway_id, status=claimed)

    assert response["Location"] == addresses(started).pending
    assert Payment.objects.get().status == "pending"
    assert StatusChange.objects.count() == 1


def test_f2_f3_another_orders_payment_is_refused(customer: Customer, emulator: EmulatorServer) -> None:
    cheap, dear = customer.start("1", price="cheap"), customer.start("2", price="dear")
    emulator.pay(gateway_id(cheap))

    response = customer.come_back(dear, payment_id=cheap.gateway_id, status="succeeded")

    assert response.status_code == 400
    assert "does not belong to your payment" in response.content.decode()
    assert set(Payment.objects.values_list("status", flat=True)) == {"pending"}
    assert gateway_calls(emulator) == {"create_hosted": 2}


@pytest.mark.parametrize("how", ["get", "post"])
@pytest.mark.parametrize("others", [["pay_other"], ["own", "pay_other"], ["pay_other", "own"], ["own", ""], [""]])
def test_f7_several_ids_or_a_foreign_one_change_nothing(
    customer: Customer, started: Payment, emulator: EmulatorServer, others: list[str], how: str
) -> None:
    emulator.pay(gateway_id(started))
    ids = [gateway_id(started) if claimed == "own" else claimed for claimed in others]
    customer.clock.advance(seconds=30)

    response = getattr(customer.client, how)(addresses(started).returned, {"payment_id": ids})

    assert response.status_code == 400
    assert Payment.objects.get().status == "pending"
    assert gateway_calls(emulator) == {"create_hosted": 1}


def test_f7_an_id_in_the_query_and_another_in_the_form_change_nothing(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    customer.clock.advance(seconds=30)
    path = f"{addresses(started).returned}?payment_id={started.gateway_id}"

    assert customer.client.post(path, {"payment_id": "pay_other"}).status_code == 400
    assert gateway_calls(emulator) == {"create_hosted": 1}


def test_f4_a_payment_the_gateway_does_not_know_stays_as_it_is(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.fault("retrieve", "status_before", status=404)

    response = customer.come_back(started)

    assert response["Location"] == addresses(started).pending
    assert Payment.objects.get().status == "pending"


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "pay_another"},
        {"amount": 1},
        {"currency": "usd"},
        {"livemode": True},
        {"metadata": {"idempotency_key": "payment-order-7"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_s9_k3_an_answer_about_something_else_is_reviewed_and_never_paid(
    customer: Customer, started: Payment, emulator: EmulatorServer, fields: dict[str, Any]
) -> None:
    emulator.pay(gateway_id(started))
    emulator.fault("retrieve", "override", fields=fields)

    response = customer.come_back(started)

    assert response["Location"] == addresses(started).pending
    payment = Payment.objects.get()
    assert (payment.status, payment.review_reason) == ("pending", "mismatch")


TOKENS = ["x" * 43, "x", "%00", "%ED%A0%80", "a%0ab", "..", "%2e%2e", "x" * 3000, "ü", "<script>"]


@pytest.mark.parametrize("name", ["returned", "pending", "status", "result"])
@pytest.mark.parametrize("token", TOKENS)
def test_f6_an_unknown_token_is_not_found(
    customer: Customer, started: Payment, emulator: EmulatorServer, token: str, name: str
) -> None:
    response = customer.get(getattr(addresses(token), name))

    assert response.status_code == 404
    assert gateway_calls(emulator) == {"create_hosted": 1}


@pytest.mark.parametrize("change", [str.swapcase, lambda token: token[:-1], lambda token: token + "A"])
def test_f6_a_token_that_is_nearly_right_is_not_found(customer: Customer, started: Payment, change: Any) -> None:
    assert customer.get(addresses(change(started.return_token)).returned).status_code == 404


def test_s4_no_session_is_needed(stranger: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.pay(gateway_id(started))

    assert stranger.come_back(started)["Location"] == "/thanks/"
    assert Payment.objects.get().status == "succeeded"
    assert stranger.client.cookies == {}


def test_s4_the_gateway_may_send_the_customer_back_by_post_from_its_own_origin(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.pay(gateway_id(started))
    customer.clock.advance(seconds=30)

    response = customer.client.post(
        addresses(started).returned,
        {"payment_id": started.gateway_id, "status": "succeeded"},
        headers={"origin": "https://pay.flowlix.eu", "referer": "https://pay.flowlix.eu/hpp/1"},
    )

    assert (response.status_code, response["Location"]) == (302, "/thanks/")


def test_f8_a_next_parameter_leads_nowhere(customer: Customer, started: Payment, emulator: EmulatorServer) -> None:
    emulator.pay(gateway_id(started))

    response = customer.come_back(started, next="//evil.example", success_url="https://evil.example", url="//evil")

    assert response["Location"] == "/thanks/"


@pytest.mark.parametrize("method", ["head", "options"])
def test_f9_a_link_scanner_changes_nothing(
    customer: Customer, started: Payment, emulator: EmulatorServer, method: str
) -> None:
    customer.clock.advance(seconds=30)

    for path in (addresses(started).returned, addresses(started).pending, addresses(started).status):
        assert getattr(customer.client, method)(path).status_code in (200, 302)

    assert Payment.objects.get().status == "pending"
    assert [entry for entry in emulator.log()[1:] if entry.method != "GET"] == []


def test_s3_coming_back_twice_changes_nothing_more(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    told: list[object] = []

    def fulfil(payment: Payment, **kwargs: object) -> None:
        told.append(payment.pk)

    payment_succeeded.connect(fulfil)
    try:
        emulator.pay(gateway_id(started))
        locations = {customer.come_back(started)["Location"] for _ in range(3)}
    finally:
        payment_succeeded.disconnect(fulfil)

    assert (locations, told) == ({"/thanks/"}, [started.pk])
    assert StatusChange.objects.count() == 2
    assert gateway_calls(emulator)["retrieve"] == 1, "a success is final: nobody needs to ask again"


def test_f5_a_thousand_hits_within_two_seconds_are_one_question(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    customer.clock.advance(seconds=30)
    paths = [addresses(started).returned, addresses(started).pending, addresses(started).status]

    answers = {customer.get(paths[hit % 3]).status_code for hit in range(1000)}

    assert answers == {200, 302}
    assert gateway_calls(emulator)["retrieve"] == 1
    assert StatusChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_f5_hits_at_the_same_time_are_one_question(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.pay(gateway_id(started))
    emulator.fault("retrieve", "delay_before", delay_seconds=0.3)
    customer.clock.advance(seconds=30)

    def come_back(_: int) -> int:
        try:
            return Client().get(addresses(started).returned).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(come_back, range(24)))

    assert answers == {302}
    assert gateway_calls(emulator)["retrieve"] == 1
    assert Payment.objects.get().status == "succeeded"
    assert StatusChange.objects.count() == 2


def test_after_two_seconds_the_gateway_is_asked_again(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    customer.come_back(started)
    customer.clock.advance(seconds=1.9)
    customer.get(addresses(started).returned)
    before = gateway_calls(emulator)["retrieve"]
    customer.clock.advance(seconds=0.1)
    customer.get(addresses(started).returned)

    assert (before, gateway_calls(emulator)["retrieve"]) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status_before", {"times": 10, "status": 500}),
        ("drop_before", {"times": 10}),
        ("html_before", {"times": 10}),
        ("rate_limited", {"retry_after_seconds": 600}),
        ("status_before", {"status": 401}),
        ("nested_body", {"times": 10}),
        ("override", {"fields": {"status": "half_way"}}),
    ],
)
def test_n11_without_an_answer_nothing_changes_and_the_customer_waits(
    customer: Customer, started: Payment, emulator: EmulatorServer, kind: str, options: dict[str, Any]
) -> None:
    emulator.pay(gateway_id(started))
    emulator.fault("retrieve", kind, **options)

    response = customer.come_back(started)

    assert response["Location"] == addresses(started).pending
    assert Payment.objects.get().status == "pending"
    page = customer.get(addresses(started).pending)
    assert (page.status_code, "We are confirming your payment" in page.content.decode()) == (200, True)


def test_s1_p2_a_payment_found_after_an_outage_is_booked_by_the_next_look(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    emulator.pay(gateway_id(started))
    emulator.fault("retrieve", "drop_before", times=4)
    customer.come_back(started)

    assert customer.come_back(started)["Location"] == "/thanks/"


def test_s14_a_receiver_that_raises_does_not_keep_the_customer_from_the_success_page(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    def fails(**kwargs: object) -> None:
        raise RuntimeError("the warehouse is closed")

    payment_succeeded.connect(fails)
    try:
        emulator.pay(gateway_id(started))
        response = customer.come_back(started)
    finally:
        payment_succeeded.disconnect(fails)

    assert response["Location"] == "/thanks/"
    assert Payment.objects.get().status == "succeeded"


def test_p4_a_success_does_not_turn_into_a_failure(
    customer: Customer, started: Payment, emulator: EmulatorServer
) -> None:
    told: list[object] = []

    def lament(payment: Payment, **kwargs: object) -> None:
        told.append(payment.pk)

    emulator.pay(gateway_id(started))
    customer.come_back(started)
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    payment_failed.connect(lament)
    try:
        response = customer.come_back(started)
    finally:
        payment_failed.disconnect(lament)

    assert (response["Location"], told) == ("/thanks/", [])
    assert Payment.objects.get().status == "succeeded"


def test_s5_the_targets_are_those_of_the_latest_click(customer: Customer, emulator: EmulatorServer) -> None:
    customer.post("/pay-careless/1001/", {"next": "/old/"})
    customer.post("/pay-careless/1001/", {"next": "/new/"})
    payment = Payment.objects.get()
    emulator.pay(gateway_id(payment))

    assert customer.come_back(payment)["Location"] == "/new/"


def test_s8_an_attempt_that_was_replaced_does_not_lead_back_to_its_page(
    customer: Customer, emulator: EmulatorServer
) -> None:
    old = customer.start(price="cheap")
    customer.clock.advance(seconds=30)
    customer.start(price="dear")

    assert customer.come_back(old)["Location"] == addresses(old).pending
    page = customer.get(addresses(old).pending).content.decode()
    state = json.loads(customer.get(f"{addresses(old).status}?from=created").content)

    assert old.hosted_page_url not in page
    assert state == {"state": "pending", "next": ""}


def test_s3_no_page_of_a_return_shows_who_paid(stranger: Customer, emulator: EmulatorServer) -> None:
    answers = []
    for outcome in ("pay", "decline", "cancel", "nothing"):
        payment = start_payment(a_request(order_reference=outcome))
        getattr(emulator, outcome, str)(gateway_id(payment))
        answers.append(stranger.come_back(payment, payment_id="pay_other"))
        answers.append(stranger.come_back(payment))
        answers += [stranger.get(path) for path in vars(addresses(payment)).values()]

    assert [details for answer in answers if (details := personal_details_in(answer))] == []
    assert sum(b"Amount" in answer.content for answer in answers) >= 4, "pages about the payments were among them"
