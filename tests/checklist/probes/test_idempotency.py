"""idempotency-keys: how keys are made, that every try carries its own, and that the recorded POSTs had theirs."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from django_flowlix.api.calls import Call
from django_flowlix.checklist import Outcome
from django_flowlix.checklist.probes import idempotency
from django_flowlix.models import Payment
from tests.checklist.looking import told
from tests.checklist.recorded import a_call, a_create, a_payment, a_refund, configured, live

pytestmark = pytest.mark.django_db

_numbers = count()


@pytest.mark.parametrize("changes", [{}, {"CONTRACT": "dev"}, {"IDEMPOTENCY_NAMESPACE": "n" * 32}, {"RETRY_BUDGET": 1}])
def test_keys_are_rehearsed(look: Any, settings: Any, changes: dict[str, Any]) -> None:
    configured(settings, **changes)
    found = look("idempotency-keys")
    assert found.outcome is Outcome.PASS
    assert "the same on each of three tries" in told(found, Outcome.PASS)
    assert "no POST for a payment of the shop has been sent in this mode" in told(found, Outcome.NOTE)


def test_keys_are_rehearsed_with_a_live_key(look: Any, settings: Any) -> None:
    live(settings)
    assert look("idempotency-keys").outcome is Outcome.PASS


def test_a_post_without_a_key_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Call._send

    def without_key(self: Call) -> Any:
        self.headers = {name: value for name, value in self.headers.items() if name != "Idempotency-Key"}
        return send(self)

    monkeypatch.setattr(Call, "_send", without_key)
    said = told(look("idempotency-keys"), Outcome.FAIL)
    assert "a create is sent without an Idempotency-Key" in said
    assert "a refund is sent without an Idempotency-Key" in said


def test_a_key_of_its_own_for_each_try_is_noticed(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, send = count(), Call._send

    def with_another_key(self: Call) -> Any:
        self.headers = {**self.headers, "Idempotency-Key": f"key-{next(numbers)}"}
        return send(self)

    monkeypatch.setattr(Call, "_send", with_another_key)
    assert "a create of 3 tries has 3 keys" in told(look("idempotency-keys"), Outcome.FAIL)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda order, number, namespace: f"key-{next(_numbers)}", "has another key each time"),
        (lambda order, number, namespace: "the-one-key", "have the same key"),
        (lambda order, number, namespace: f"{order}-{number}", "longer than 255 characters or not ASCII"),
    ],
)
def test_keys_that_are_not_derived_as_they_must_be_are_noticed(
    look: Any, monkeypatch: pytest.MonkeyPatch, make: Any, fault: str
) -> None:
    monkeypatch.setattr(idempotency, "payment_key", make)
    assert fault in told(look("idempotency-keys"), Outcome.FAIL)


def test_recorded_posts_under_their_own_keys_are_said(look: Any) -> None:
    payment = a_payment()
    refund = a_refund(payment)
    a_create(payment)
    a_call(payment=payment, refund=refund, operation="refund", method="POST", idempotency_key=refund.idempotency_key)
    a_call(payment=payment)
    found = look("idempotency-keys")
    assert found.outcome is Outcome.PASS
    assert (
        "each of 2 POSTs for payments of the shop, among all gateway calls in test mode, had the key of its payment"
        in told(found, Outcome.PASS)
    )
    assert "POSTs" not in told(found, Outcome.NOTE)


def test_posts_of_the_checklist_itself_are_not_taken_for_the_shop_s(look: Any) -> None:
    a_create(a_payment(from_checklist=True))
    a_call(operation="create_direct", method="POST", idempotency_key="of-the-self-check")
    found = look("idempotency-keys")
    assert "On record" not in told(found, Outcome.PASS)
    said = told(found, Outcome.NOTE)
    assert "nothing yet, no POST for a payment of the shop" in said
    assert "1 POSTs for payments of flowlix_check and 1 for no payment on record" in said
    a_create(a_payment())
    found = look("idempotency-keys")
    assert "each of 1 POSTs for payments of the shop" in told(found, Outcome.PASS)
    assert "1 POSTs for payments of flowlix_check and 1 for no payment on record" in told(found, Outcome.NOTE)


def test_a_recorded_post_without_a_key_is_noticed(look: Any, settings: Any) -> None:
    a_call(operation="create_direct", method="POST")
    found = look("idempotency-keys")
    assert found.outcome is Outcome.FAIL
    assert "1 of 1 POSTs among all gateway calls in test mode had no Idempotency-Key" in told(found, Outcome.FAIL)
    live(settings)
    assert look("idempotency-keys").outcome is Outcome.PASS, "it was a POST of the other mode"


def test_a_recorded_post_of_another_account_is_none_of_this_one(look: Any) -> None:
    a_call(operation="create_direct", method="POST", account="another")
    assert look("idempotency-keys").outcome is Outcome.PASS


def test_a_create_under_another_key_than_the_payments_is_noticed(look: Any) -> None:
    a_create(a_payment(order_reference="other-key"), idempotency_key="another")
    found = look("idempotency-keys")
    assert found.outcome is Outcome.FAIL
    assert "of order other-key" in told(found, Outcome.FAIL)


def test_a_refund_under_another_key_than_its_own_is_noticed(look: Any) -> None:
    payment = a_payment(order_reference="refund-key")
    a_call(payment=payment, refund=a_refund(payment), operation="refund", method="POST", idempotency_key="another")
    assert "of order refund-key" in told(look("idempotency-keys"), Outcome.FAIL)


def test_a_payment_that_is_stored_without_a_key_is_noticed(look: Any) -> None:
    Payment.objects.filter(pk=a_payment().pk).update(idempotency_key="")
    found = look("idempotency-keys")
    assert found.outcome is Outcome.FAIL
    assert "1 payments among all payments of the shop in test mode are stored without" in told(found, Outcome.FAIL)
