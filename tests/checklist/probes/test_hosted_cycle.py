"""A whole payment at the hosted page: by a customer made of code at an emulator's, by a person elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponseRedirect
from django.urls import clear_script_prefix, set_script_prefix

from django_flowlix.api.secret import Secret
from django_flowlix.checklist import Outcome
from django_flowlix.checklist.trials import emulated_customer
from django_flowlix.conf import account
from django_flowlix.models import Payment
from tests.checklist.looking import told
from tests.checklist.probes.trying import LIVE_KEY, try_all

pytestmark = pytest.mark.django_db


class Person:
    """Pays at the page when asked to wait, and perhaps comes back; time passes while they wait."""

    def __init__(self, *, comes_back_after: int) -> None:
        self.told = ""
        self.comes_back_after = comes_back_after

    def say(self, text: str) -> None:
        self.told += text

    def confirms(self, question: str) -> bool:
        raise AssertionError(question)

    def asks(self, question: str) -> str:
        raise AssertionError(question)

    def waits(self, what: str, seconds: int, is_over: Any) -> bool:
        from django_flowlix.services import clock

        payment = Payment.objects.get()
        location = emulated_customer.pay(payment.hosted_page_url, account().contract.test_cards[""], 2031)
        for waited in range(0, seconds, 5):
            if waited == self.comes_back_after:
                emulated_customer.come_back(location)
            if is_over():
                return True
            clock.sleep(5)
        return False


def try_with(person: Person) -> Any:
    return try_all(operator=person)


def test_a_payment_that_cannot_be_started_is_noticed(emulator: Any, look: Any, fake_clock: Any) -> None:
    emulator.fault("create_hosted", "status_before", status=422, times=9)
    found = look("hosted-cycle-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "could not be started: HTTP 422" in told(found, Outcome.FAIL)


def test_a_page_that_leads_elsewhere_is_noticed(emulator: Any, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated_customer, "pay", lambda *args: "https://shop.example/somewhere/?status=succeeded")
    found = look("hosted-cycle-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "did not lead back to the return address" in told(found, Outcome.FAIL)


def test_a_shop_that_refuses_its_own_host_is_noticed(emulator: Any, look: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    found = look("hosted-cycle-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "HTTP 400 in this process" in told(found, Outcome.FAIL)


def test_a_middleware_that_leads_customers_to_a_login_is_noticed(emulator: Any, look: Any, settings: Any) -> None:
    settings.MIDDLEWARE = ["tests.checklist.probes.test_hosted_cycle.to_the_login", *settings.MIDDLEWARE]
    found = look("hosted-cycle-exercised", "scenarios")
    assert found.outcome is Outcome.FAIL
    assert "led to /login/, and nothing was verified" in told(found, Outcome.FAIL)


def to_the_login(get_response: Any) -> Any:
    return lambda request: HttpResponseRedirect("/login/")


def test_a_shop_below_a_path_is_found(emulator: Any, look: Any, settings: Any) -> None:
    settings.FORCE_SCRIPT_NAME = "/shop"
    set_script_prefix("/shop/")
    try:
        assert look("hosted-cycle-exercised", "scenarios").outcome is Outcome.PASS
        assert look("return-address").outcome is Outcome.SKIP
    finally:
        clear_script_prefix()


def test_a_gateway_that_is_no_emulator_is_not_paid_at_by_code(httpserver: Any, settings: Any, emulator: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"API_URL": httpserver.url_for("").rstrip("/")}}
    assert emulated_customer.is_emulated(account()) is False


@pytest.mark.parametrize("changes", [{"contract_name": "dev"}, {"secret_key": Secret(LIVE_KEY)}])
def test_only_an_emulator_of_this_contract_is_paid_at_and_never_with_a_live_key(
    changes: dict[str, Any], emulator: Any
) -> None:
    assert emulated_customer.is_emulated(account()) is True
    assert emulated_customer.is_emulated(replace(account(), **changes)) is False


def test_a_person_pays_where_there_is_no_emulator(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any
) -> None:
    """The page's address is said; a person pays with a browser, whose return makes the shop look."""
    monkeypatch.setattr(emulated_customer, "is_emulated", lambda account: False)
    person = Person(comes_back_after=0)
    report = try_with(person)
    assert report.lines[3].outcome is Outcome.PASS, report.lines[3]
    assert Payment.objects.get().hosted_page_url in person.told
    assert "Return and verification" in told(report.lines[3], Outcome.PASS)


@pytest.mark.parametrize("ends", ["decline", "cancel"])
def test_a_payment_that_ended_otherwise_is_not_waited_for(
    ends: str, emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any
) -> None:
    monkeypatch.setattr(emulated_customer, "is_emulated", lambda account: False)
    monkeypatch.setattr(
        emulated_customer, "pay", lambda *args: getattr(emulator, ends)(Payment.objects.get().gateway_id)
    )
    report = try_with(Person(comes_back_after=9999))
    assert report.lines[3].outcome is Outcome.FAIL
    assert "with a card that is accepted" in told(report.lines[3], Outcome.FAIL)
    assert "goes on watching" not in repr(report.lines[3])
    assert sum(fake_clock.slept) < 60


def test_a_person_may_take_a_moment_to_come_back(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any
) -> None:
    monkeypatch.setattr(emulated_customer, "is_emulated", lambda account: False)
    report = try_with(Person(comes_back_after=20))
    assert report.lines[3].outcome is Outcome.PASS, report.lines[3]


def test_a_person_who_pays_and_does_not_come_back_is_noticed(
    emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any
) -> None:
    monkeypatch.setattr(emulated_customer, "is_emulated", lambda account: False)
    report = try_with(Person(comes_back_after=9999))
    assert report.lines[3].outcome is Outcome.WARN, report.lines[3]
    assert "nobody came back through the return address" in told(report.lines[3], Outcome.WARN)
    assert Payment.objects.get().status == "succeeded"


def test_nobody_at_the_terminal_is_no_evidence(emulator: Any, monkeypatch: pytest.MonkeyPatch, fake_clock: Any) -> None:
    monkeypatch.setattr(emulated_customer, "is_emulated", lambda account: False)
    report = try_all()
    assert report.lines[3].outcome is Outcome.SKIP
    assert "nobody paid" in told(report.lines[3], Outcome.SKIP)
