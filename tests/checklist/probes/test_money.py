"""minor-units: what would be sent, and whether the currencies in use are counted as ISO 4217 counts them."""

from __future__ import annotations

from typing import Any

import pytest

from django_flowlix.api import Money
from django_flowlix.api.contracts.fl import FlContract
from django_flowlix.checklist import Outcome
from tests.checklist.looking import told
from tests.checklist.recorded import a_payment, configured, live

pytestmark = pytest.mark.django_db


def test_without_payments_the_mechanism_alone_is_proven(look: Any) -> None:
    found = look("minor-units")
    assert found.outcome is Outcome.SKIP
    assert "10.99 EUR as 1099, 1099 JPY as 1099, 1.099 BHD as 1099" in told(found, Outcome.PASS)
    assert "No currency is in use yet" in told(found, Outcome.SKIP)


def test_currencies_that_only_the_checklist_paid_in_are_not_in_use(look: Any) -> None:
    a_payment(from_checklist=True)
    assert look("minor-units").outcome is Outcome.SKIP


@pytest.mark.parametrize("contract", ["eu", "dev"])
def test_currencies_in_use_pass_by_what_iso_4217_says(look: Any, settings: Any, contract: str) -> None:
    configured(settings, CONTRACT=contract)
    a_payment()
    a_payment(currency="JPY", exponent=0)
    a_payment(currency="KWD", exponent=3)
    found = look("minor-units")
    assert found.outcome is Outcome.PASS
    said = told(found, Outcome.PASS)
    assert "1 payments in EUR among all payments of the shop in test mode are counted with 2 decimals" in said
    assert "1 payments in JPY" in said
    assert "1 payments in KWD" in said


def test_payments_that_are_counted_otherwise_are_noticed(look: Any, settings: Any) -> None:
    a_payment(currency="JPY", exponent=2)
    found = look("minor-units")
    assert found.outcome is Outcome.FAIL
    assert (
        "1 payments in JPY among all payments of the shop in test mode are counted with 2 decimals, JPY has 0"
        in told(found, Outcome.FAIL)
    )
    live(settings)
    assert look("minor-units").outcome is Outcome.SKIP, "it is a payment of the other mode"


def test_of_each_currency_the_newest_payment_decides_and_older_ones_are_said(look: Any, settings: Any) -> None:
    a_payment(currency="HUF")
    a_payment()
    configured(settings, CURRENCY_EXPONENTS={"HUF": 0})
    said = told(look("minor-units"), Outcome.FAIL)
    assert "counted with 2 decimals, HUF has 0" in said
    assert "then make another payment in HUF" in said
    a_payment(currency="HUF", exponent=0)
    found = look("minor-units")
    assert found.outcome is Outcome.PERSON, "for the override"
    assert (
        "Earlier, 1 payments in HUF among all payments of the shop in test mode were counted with 2 decimals"
        in told(found, Outcome.NOTE)
    )


def test_a_newest_payment_that_is_counted_otherwise_is_noticed_whatever_was_before(look: Any) -> None:
    for exponent in (0, 0, 2):
        a_payment(currency="JPY", exponent=exponent)
    found = look("minor-units")
    assert "1 payments in JPY" in told(found, Outcome.FAIL)
    assert "2 payments in JPY" in told(found, Outcome.NOTE)


@pytest.mark.parametrize("currency", ["XAU", "QQQ"])
def test_payments_in_what_is_no_currency_are_noticed(look: Any, currency: str) -> None:
    a_payment(currency=currency)
    assert f"1 payments in {currency}" in told(look("minor-units"), Outcome.FAIL)


def test_an_override_needs_somebody_who_knows(look: Any, settings: Any) -> None:
    a_payment()
    configured(settings, CURRENCY_EXPONENTS={"HUF": 0})
    found = look("minor-units")
    assert found.outcome is Outcome.PERSON
    assert told(found, Outcome.PERSON) == (
        "CURRENCY_EXPONENTS counts HUF with 0 decimals, ISO 4217 with 2. → "
        "The gateway counts HUF with 0 decimals, as it confirmed or a payment showed."
    )


def test_an_override_that_changes_nothing_is_said(look: Any, settings: Any) -> None:
    a_payment()
    configured(settings, CURRENCY_EXPONENTS={"HUF": 2})
    found = look("minor-units")
    assert found.outcome is Outcome.PASS
    assert "CURRENCY_EXPONENTS says of HUF what ISO 4217 says" in told(found, Outcome.NOTE)


def test_an_override_of_a_currency_that_the_contract_does_not_take_is_said(look: Any, settings: Any) -> None:
    a_payment()
    configured(settings, CONTRACT="dev", CURRENCY_EXPONENTS={"HUF": 0})
    found = look("minor-units")
    assert found.outcome is Outcome.PASS
    assert "names HUF, which contract dev does not take" in told(found, Outcome.NOTE)


def test_amounts_that_become_something_else_are_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Money, "from_major", classmethod(lambda cls, value, currency: Money(10, currency)))
    assert "10.99 EUR becomes 10" in told(look("minor-units"), Outcome.FAIL)


@pytest.mark.parametrize(("sent", "shown"), [(10.99, "10.99"), ("1099", "'1099'"), (1099.0, "1099.0"), (None, "None")])
def test_amounts_that_are_not_sent_as_integers_are_noticed(
    look: Any, monkeypatch: pytest.MonkeyPatch, sent: Any, shown: str
) -> None:
    monkeypatch.setattr(FlContract, "_common_body", staticmethod(lambda request: {"amount": sent}))
    said = told(look("minor-units"), Outcome.FAIL)
    assert f"10.99 EUR is sent as {shown}, not as the integer 1099" in said
