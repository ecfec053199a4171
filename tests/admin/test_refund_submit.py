"""The last button of a refund: one token, one refund, whoever clicks how often, and nothing without a token."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import connection
from django.test import Client

from django_flowlix.admin.refund_result import new_token
from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import Payment, Refund
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.refund_request import quote
from tests.admin.refunding import ask, confirm, refund, refund_page, result_of, token_in
from tests.conftest import FakeClock, a_request

pytestmark = pytest.mark.django_db


def test_u2_a_second_click_shows_the_firsts_result_and_does_nothing(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer
) -> None:
    token = token_in(ask(refunder, paid_dev, "10.00"))
    answers = [confirm(refunder, paid_dev, token, "10.00") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Refund.objects.count() == LogEntry.objects.count() == len(dev_emulator.log("refund")) == 1
    text = refunder.get(answers[1].headers["Location"]).content.decode()
    assert text.count("Refund 1 over 10.00 EUR is accepted by the gateway and under way.") == 2


def test_u2_not_even_with_another_amount(paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer) -> None:
    token = token_in(ask(refunder, paid_dev, "10.00"))
    confirm(refunder, paid_dev, token, "10.00")
    confirm(refunder, paid_dev, token, "20.00", "another reason")

    assert [row.amount_minor for row in Refund.objects.all()] == [1000]
    assert len(dev_emulator.log("refund")) == 1


def test_u2_the_second_click_of_a_full_refund_is_no_error(
    paid: Payment, refunder: Client, emulator: EmulatorServer
) -> None:
    """Nothing is left by then: the first's result is looked for before anything is checked."""
    token = token_in(ask(refunder, paid))
    first, second = confirm(refunder, paid, token), confirm(refunder, paid, token)

    assert (first.status_code, second.status_code) == (302, 302)
    assert Refund.objects.count() == len(emulator.log("refund")) == 1


def test_u2_a_click_that_is_overtaken_while_the_page_is_made_shows_the_firsts_result(
    paid: Payment, refunder: Client, emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The books are read for the form when the first click has just taken all that was left."""
    token, answers = token_in(ask(refunder, paid)), []

    def overtaken(payment: Payment) -> Any:
        monkeypatch.undo()
        answers.append(confirm(refunder, paid, token).status_code)
        return quote(payment)

    monkeypatch.setattr("django_flowlix.admin.refund.quote", overtaken)
    answers.append(confirm(refunder, paid, token).status_code)

    assert answers == [302, 302]
    assert Refund.objects.count() == len(emulator.log("refund")) == 1


def test_u2_a_refused_refund_stays_refused_under_its_token(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer
) -> None:
    dev_emulator.fault("refund", "status_before", status=422)
    token = token_in(ask(refunder, paid_dev))
    said = [result_of(refunder, paid_dev, confirm(refunder, paid_dev, token)) for _ in range(2)]

    assert said[0] == said[1]
    assert said[0].startswith("error: Refund 1 over 49.99 EUR was refused: ")
    assert [row.status for row in Refund.objects.all()] == ["failed"]


def test_two_confirmations_are_two_refunds(paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer) -> None:
    assert refund(refunder, paid_dev, "10.00").startswith("success: Refund 1 over 10.00 EUR ")
    assert refund(refunder, paid_dev, "5.00").startswith("success: Refund 2 over 5.00 EUR ")
    assert len(dev_emulator.log("refund")) == 2


def test_u1_the_slower_of_two_people_is_told_at_the_amount(
    paid_dev: Payment, refunder: Client, superuser: Client, dev_emulator: EmulatorServer
) -> None:
    token = token_in(ask(refunder, paid_dev, "49.99"))
    refund(superuser, paid_dev, "10.00")
    answer = confirm(refunder, paid_dev, token, "49.99")

    assert answer.status_code == 200
    assert "At most 39.99 EUR can be refunded." in answer.content.decode()
    assert len(dev_emulator.log("refund")) == 1


def test_u1_even_if_it_happens_behind_the_check(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_in(ask(refunder, paid_dev, "49.99"))

    def slower(payment: Payment, *args: Any, **kwargs: Any) -> Refund:
        other = Payment.objects.get(pk=payment.pk)
        refund_payment(other, Money.from_major("10.00", "EUR"), reason="a colleague")
        return refund_payment(payment, *args, **kwargs)

    monkeypatch.setattr("django_flowlix.admin.refund.refund_payment", slower)
    answer = confirm(refunder, paid_dev, token, "49.99")

    assert answer.status_code == 200
    assert "At most 39.99 EUR can be refunded." in answer.content.decode()
    assert LogEntry.objects.count() == 0


# --- Tokens -----------------------------------------------------------------------------------------------------


def someone_elses(payment: Payment) -> str:
    return new_token(payment, get_user_model().objects.create_user("somebody"))


def of_another_payment(payment: Payment) -> str:
    other = Payment(pk=payment.pk + 1)
    return new_token(other, get_user_model().objects.get(username="anna"))


def of_another_kind(payment: Payment) -> str:
    return signing.dumps({"payment": payment.pk, "user": "1", "id": "0" * 32}, salt="another")


def tampered_with(payment: Payment) -> str:
    return "x" + new_token(payment, get_user_model().objects.get(username="anna"))


@pytest.mark.parametrize(
    "token_for", [someone_elses, of_another_payment, of_another_kind, tampered_with, lambda payment: ""]
)
def test_without_a_valid_token_one_is_asked_again_with_a_fresh_one(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, token_for: Any
) -> None:
    answer = confirm(refunder, paid_dev, token_for(paid_dev), "10.00")

    assert answer.status_code == 200
    assert "Nothing has been refunded yet" in answer.content.decode()
    assert not dev_emulator.log("refund")
    said = result_of(refunder, paid_dev, confirm(refunder, paid_dev, token_in(answer), "10.00"))
    assert said.startswith("success: ")


def test_a_token_lives_for_a_day(
    paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_in(ask(refunder, paid_dev, "10.00"))
    now = signing.time.time()  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: now + 24 * 60 * 60 + 1)  # type: ignore[attr-defined]

    assert "Nothing has been refunded yet" in confirm(refunder, paid_dev, token, "10.00").content.decode()
    assert not dev_emulator.log("refund")


def test_tokens_are_random(paid_dev: Payment, refunder: Client) -> None:
    confirm(refunder, paid_dev, token_in(ask(refunder, paid_dev, "1.00")), "1.00")
    confirm(refunder, paid_dev, token_in(ask(refunder, paid_dev, "1.00")), "1.00")
    tokens = [row.submission_token or "" for row in Refund.objects.all()]

    assert len(set(tokens)) == 2
    assert {len(token) for token in tokens} == {32}, "128 bits as hexadecimal digits"


def test_the_first_step_never_refunds(paid_dev: Payment, refunder: Client, dev_emulator: EmulatorServer) -> None:
    token = token_in(ask(refunder, paid_dev, "10.00"))
    for step in ("check", "change", "", "REFUND"):
        data = {"step": step, "amount": "10.00", "reason": "x", "token": token}
        assert refunder.post(refund_page(paid_dev), data).status_code == 200

    assert not dev_emulator.log("refund")


# --- Transactions and threads -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_c11_it_works_where_every_request_is_a_transaction(
    paid_dev: Payment, refunder: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service refuses to run inside a transaction, so that a refund proves it."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert refund(refunder, paid_dev, "10.00").startswith("success: ")


@pytest.mark.django_db(transaction=True)
def test_u2_clicks_at_the_same_time_make_one_refund(
    dev_emulator: EmulatorServer, django_user_model: Any, fake_clock: FakeClock
) -> None:
    root = django_user_model.objects.create_superuser("root")
    payment = start_payment(a_request())
    dev_emulator.pay(str(payment.gateway_id))
    sync_payment(payment)
    token = new_token(payment, root)
    barrier, answers = threading.Barrier(4), []

    def click() -> None:
        client = Client()
        client.force_login(root)
        barrier.wait()
        try:
            answers.append(confirm(client, payment, token).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [302] * 4
    assert Refund.objects.count() == len(dev_emulator.log("refund")) == 1
    assert LogEntry.objects.count() == 1
