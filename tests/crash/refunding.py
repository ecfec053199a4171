"""What a person does in the refund form of these tests, in whatever process: the same form, again and again."""

from __future__ import annotations

from django_flowlix.api import Money
from django_flowlix.conf import account
from django_flowlix.models import Payment, Refund
from django_flowlix.services import refund_payment

PART = 2000
"""Fits twice into what was paid, so that a second refund would be made if it was asked for."""


def refund_by_form(form: str = "form 1") -> Refund:
    """Submit a form: a part where the contract allows it, else the whole."""
    payment = Payment.objects.get()
    amount = Money(PART, "EUR") if account().contract.partial_refunds else None
    return refund_payment(payment, amount, reason="sent back", source="admin", submission_token=form)
