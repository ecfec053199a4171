"""MariaDB's own default, REPEATABLE READ, and Django's, READ COMMITTED: the same promises under both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.exceptions import PaymentUnconfirmed
from django_flowlix.models import Payment, StatusChange
from django_flowlix.services import start_payment, sync_payment
from django_flowlix.services.reconciliation import Run
from tests.conftest import a_request

from .conftest import Workers

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "mysql", reason="the isolation level is a choice on MariaDB and MySQL"),
]


class IsolatedWorkers(Workers):
    level = ""

    def prepare(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {self.level}")


@pytest.fixture(params=["REPEATABLE READ", "READ COMMITTED"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    pool = IsolatedWorkers()
    pool.level = request.param
    yield pool
    pool.close()


def test_i3_many_starts_share_the_attempt(emulator: EmulatorServer, workers: Workers) -> None:
    started = workers.together(*[lambda: start_payment(a_request())] * 10)
    assert {payment.hosted_page_url for payment in started} == {emulator.payments()[0].hosted_page_url}
    assert len(emulator.log("create_hosted")) == Payment.objects.count() == 1


def test_s5_two_amounts_leave_one_open_attempt(emulator: EmulatorServer, workers: Workers) -> None:
    amounts = [Money(4999, "EUR"), Money(5999, "EUR")] * 4
    started = workers.together(*[lambda amount=amount: start_payment(a_request(amount=amount)) for amount in amounts])
    for amount, result in zip(amounts, started, strict=True):
        assert isinstance(result, PaymentUnconfirmed) or result.amount == amount
    assert Payment.objects.filter(open_order_reference="1001").count() == 1


def test_s8_two_successes_one_is_booked(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]]
) -> None:
    first = start_payment(a_request())
    emulator.fault("retrieve", "override", fields={"status": "failed"})
    sync_payment(first)
    second = start_payment(a_request())
    for payment in (first, second):
        emulator.pay(payment.gateway_id)
    deliveries.clear()
    payments = [Payment.objects.get(pk=pk) for pk in (first.pk, second.pk) * 4]
    results = workers.together(*[lambda payment=payment: sync_payment(payment) for payment in payments])

    assert [payment.status for payment in results] == ["succeeded"] * 8
    assert sorted(Payment.objects.values_list("review_reason", flat=True)) == ["", "second_success"]
    assert sorted(signal for signal, _ in deliveries) == ["payment_needs_review", "payment_succeeded"]


def test_d10_many_runs_book_and_tell_once(
    emulator: EmulatorServer, workers: Workers, deliveries: list[tuple[str, int]]
) -> None:
    payments = [start_payment(a_request(order_reference=f"order {number}")) for number in range(3)]
    for payment in payments:
        emulator.pay(payment.gateway_id)
    reports = workers.together(*[lambda: Run().execute()] * 4)
    assert [report.errors for report in reports] == [[]] * 4
    assert StatusChange.objects.filter(to_status="succeeded").count() == 3
    assert sorted(deliveries) == [("payment_succeeded", payment.pk) for payment in payments]
