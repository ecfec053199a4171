"""`--live-payment`: nothing happens unless a person says yes; what is paid is verified, and refunded if wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError

from django_flowlix.api import Money
from django_flowlix.checklist import Context, Outcome
from django_flowlix.checklist.report import Line
from django_flowlix.checklist.running import run
from django_flowlix.checklist.trials import emulated_customer
from django_flowlix.conf import account
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund
from tests.checklist.looking import item, told

pytestmark = pytest.mark.django_db

LIVE_KEY = "_".join(["fl", "live", "sk", "p" * 24])
ONE_EURO = Money.from_major("1.00", "EUR")
CARD = "4242424242424242"
WRONG = ["ada@example.com", "Ada", "Lovelace", "Germany", "123", "", "Berlin", "10117"]
DETAILS = ["ada@example.com", "Ada", "Lovelace", "DE", "+49 30 901820", "Unter den Linden 1", "Berlin", "10117"]


class Person:
    """Answers as told: to the questions, to yes or no, and by paying or not."""

    def __init__(self, *answers: bool, pays: bool = True, details: list[str] = DETAILS) -> None:
        self.answers, self.pays, self.details = list(answers), pays, list(details)
        self.told, self.asked = "", []  # type: tuple[str, list[str]]

    def say(self, text: str) -> None:
        self.told += text

    def confirms(self, question: str) -> bool:
        self.asked.append(question)
        return self.answers.pop(0)

    def asks(self, question: str) -> str:
        return self.details.pop(0)

    def waits(self, what: str, seconds: int, is_over: Any) -> bool:
        if self.pays:
            payment = Payment.objects.get()
            emulated_customer.come_back(emulated_customer.pay(payment.hosted_page_url, CARD, 2031))
        return bool(is_over())


@pytest.fixture
def live(emulator: EmulatorServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> EmulatorServer:
    """The emulator as a live gateway: what forbids plain http with a live key is taken away for the test."""
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    settings.ALLOWED_HOSTS = ["shop.example"]
    configured = account()
    object.__setattr__(configured, "api_url", emulator.url)
    monkeypatch.setattr("django_flowlix.api.client._checked_mode", lambda contract, key, url: True)
    monkeypatch.setattr("django_flowlix.services.booking.is_trusted_page", lambda account, url: True)
    return emulator


def pay(person: Person, amount: Money | None = ONE_EURO) -> Line:
    context = Context(
        account=account(),
        now=datetime.now(UTC),
        stages=frozenset({"live-payment"}),
        operator=person,
        live_amount=amount,
    )
    (line,) = run(context, [item("real-payment")]).lines
    return line


def test_a_real_payment_is_made_verified_and_refunded(live: EmulatorServer) -> None:
    person = Person(True, True)
    line = pay(person)
    assert line.outcome is Outcome.PASS, line
    payment = Payment.objects.get()
    assert (payment.livemode, payment.from_checklist, str(payment.amount)) == (True, True, "1.00 EUR")
    assert (payment.status, payment.amount_refunded_minor) == ("succeeded", 100)
    assert payment.hosted_page_url in person.told
    assert "real money" in person.told
    for words in ("Session: ", "Return and verification: ", "Refund: 1.00 EUR"):
        assert words in told(line, Outcome.NOTE)
    assert "goes back to the card" in told(line, Outcome.PASS)
    (sent,) = live.payments()
    assert sent.customer_name == "Ada Lovelace"


def test_without_a_yes_nothing_is_sent(live: EmulatorServer) -> None:
    line = pay(Person(False))
    assert line.outcome is Outcome.SKIP
    assert "nothing was sent" in told(line, Outcome.NOTE)
    assert live.log() == []
    assert Payment.objects.count() == ApiCall.objects.count() == 0


def test_a_payment_that_is_not_refunded_is_said(live: EmulatorServer) -> None:
    person = Person(True, False)
    line = pay(person)
    assert line.outcome is Outcome.SKIP
    assert "was not refunded" in told(line, Outcome.NOTE)
    assert "1.00 EUR" in person.asked[1]
    assert Refund.objects.count() == 0


def test_a_person_who_does_not_pay_is_no_evidence_and_asked_no_more(live: EmulatorServer) -> None:
    line = pay(Person(True, pays=False))
    assert line.outcome is Outcome.SKIP
    assert "nobody paid" in told(line, Outcome.NOTE)
    assert Payment.objects.get().next_sync_at is not None, "it is watched: it can still be paid"


def test_details_that_the_gateway_would_refuse_are_named_and_nothing_is_sent(live: EmulatorServer) -> None:
    line = pay(Person(True, details=WRONG * 3))
    assert line.outcome is Outcome.FAIL
    assert "Nothing was sent" in told(line, Outcome.FAIL)
    assert "country" in told(line, Outcome.FAIL)
    assert live.log() == []


def test_details_that_cannot_be_used_may_be_written_again(live: EmulatorServer) -> None:
    person = Person(True, True, details=[*WRONG, *DETAILS])
    assert pay(person).outcome is Outcome.PASS
    assert "country" in person.told
    assert "write them again" in person.told


def test_with_a_test_key_nothing_is_sent(emulator: EmulatorServer) -> None:
    line = pay(Person())
    assert line.outcome is Outcome.FAIL
    assert "needs a live key" in told(line, Outcome.FAIL)
    assert emulator.log() == []


def test_without_an_amount_nothing_is_sent(live: EmulatorServer) -> None:
    assert pay(Person(), amount=None).outcome is Outcome.FAIL
    assert live.log() == []


def test_an_open_payment_of_an_earlier_run_can_be_gone_on_with(live: EmulatorServer) -> None:
    pay(Person(True, pays=False))
    earlier = Payment.objects.get()
    person = Person(True, True)
    line = pay(person)
    assert line.outcome is Outcome.PASS, line
    assert "is still open. Go on with it?" in person.asked[0]
    assert str(earlier.gateway_id) in person.asked[0]
    assert Payment.objects.get().amount_refunded_minor == 100


def test_an_open_payment_of_an_earlier_run_that_was_paid_meanwhile_is_not_paid_again(live: EmulatorServer) -> None:
    pay(Person(True, pays=False))
    live.pay(str(Payment.objects.get().gateway_id))
    person = Person(False)
    pay(person)
    assert Payment.objects.get().status == "succeeded"
    assert "Make a real payment" in person.asked[0], "it is booked, and a new one is asked for"
    assert len(live.log("create_hosted")) == 1


def test_an_unrefunded_payment_of_an_earlier_run_is_offered_to_be_refunded(live: EmulatorServer) -> None:
    pay(Person(True, False))
    person = Person(True, False)
    pay(person)
    assert "was paid and not refunded. Refund it now?" in person.asked[0]
    assert Payment.objects.get().amount_refunded_minor == 100


def test_what_is_refunded_or_an_order_of_the_shop_is_not_asked_about(live: EmulatorServer) -> None:
    pay(Person(True, True))
    Payment.objects.update(amount_refunded_minor=0, from_checklist=False)
    person = Person(False)
    pay(person)
    assert len(person.asked) == 1
    assert "Make a real payment" in person.asked[0]


def test_a_database_that_fails_while_a_person_pays_does_not_lose_the_payment(
    live: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr("django_flowlix.checklist.trials.hosted_cycle._verify", broken)
    line = pay(Person(True))
    payment = Payment.objects.get()
    assert line.outcome is Outcome.FAIL
    assert f"{payment.gateway_id} over 1.00 EUR was started, and may be paid" in told(line, Outcome.FAIL)
    assert "Do not pay again" in told(line, Outcome.FAIL)
    assert "Session: " in told(line, Outcome.NOTE)


def test_a_refund_that_is_under_way_is_not_asked_about_again(live: EmulatorServer, fake_clock: Any) -> None:
    live.fault("refund", "status_before", status=503, times=9)
    pay(Person(True, True))
    assert Refund.objects.get().is_open
    person = Person(False)
    pay(person)
    assert len(person.asked) == 1
    assert "Make a real payment" in person.asked[0]
