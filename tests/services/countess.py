"""A payment of the Countess, who is named wherever there is room, and what must be left when she is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.serializers import serialize

from django_flowlix.api import Money
from django_flowlix.emulator.server import EmulatorServer
from django_flowlix.models import ApiCall, Payment, Refund, StatusChange
from django_flowlix.services import refund_payment, start_payment, sync_payment
from django_flowlix.services.reviews import mark_reviewed
from tests.conftest import FakeClock, a_request

BOOKS_OF_A_PAYMENT = [
    "account", "contract", "livemode",
    "from_checklist", "api_key_fingerprint", "order_reference", "order_content_type_id",
    "order_object_id", "attempt", "open_order_reference", "paid_order_reference", "amount_minor", "currency",
    "exponent", "amount_refunded_minor", "idempotency_key", "first_sent_at", "gateway_id", "request_id", "status",
    "gateway_status", "decline_code", "card_brand", "card_country", "superseded_at", "review_reason", "reviewed_at",
    "last_synced_at", "next_sync_at", "created_at",
]  # fmt: skip
BOOKS_OF_A_REFUND = [
    "payment_id", "account", "sequence", "amount_minor", "currency", "exponent", "source", "requested_by_id",
    "requested_by_name", "status", "gateway_status", "decline_code", "idempotency_key", "gateway_id", "request_id",
    "api_key_fingerprint", "first_sent_at", "created_at",
]  # fmt: skip
STORY = ["payment_id", "refund_id", "from_status", "to_status", "source", "actor", "request_id", "created_at"]
# What the Countess told the shop, and what was written about her; none of it may be found in any row afterwards.
SECRETS = ["countess", "unter den linden", "engraving", "gift for grace", "/thanks", "/sorry"]


@pytest.fixture
def clerk() -> Any:
    return get_user_model().objects.create_user("clerk")


@pytest.fixture
def gateway(gateway_of: Callable[[str], EmulatorServer]) -> EmulatorServer:
    return gateway_of("dev")


@pytest.fixture
def paid(gateway: EmulatorServer, fake_clock: FakeClock, clerk: Any) -> Payment:
    """Order 1001, paid after a review, partly refunded: the Countess is named wherever there is room."""
    request = a_request(description="engraving", metadata={"greeting": "gift for Grace"}, order=clerk)
    payment = start_payment(request, success_url="/thanks?for=countess", failure_url="/sorry?for=countess")
    gateway.fault("retrieve", "override", fields={"status": "disputed"})
    sync_payment(payment)
    mark_reviewed(payment, note="called the Countess", actor=clerk)
    gateway.pay(str(payment.gateway_id))
    fake_clock.advance(minutes=1)
    sync_payment(payment)
    for outcome, reason in (("succeed", "sent back by the Countess"), ("fail", "the Countess hesitates")):
        refund = refund_payment(payment, Money(1200, "EUR"), reason=reason, actor=clerk, source="admin")
        gateway.finish_refund(str(refund.gateway_id), outcome)
        sync_payment(payment)
    Refund.objects.update(decline_message="the Countess has no account")
    Payment.objects.update(decline_message="not enough, Countess")
    StatusChange.objects.filter(to_status="failed").update(note="declined: countess@example.com")
    StatusChange.objects.filter(to_status="succeeded").update(last_error="shop.tell: SMTPError: countess@example.com")
    fake_clock.advance(hours=1)
    payment.refresh_from_db()
    return payment


def ended(payment: Payment, status: str = "failed") -> Payment:
    """Make a payment one that is over."""
    Payment.objects.filter(pk=payment.pk).update(status=status, open_order_reference=None, next_sync_at=None)
    StatusChange.objects.update(deliver_at=None)
    payment.refresh_from_db()
    return payment


def books() -> list[Any]:
    return [
        list(Payment.objects.order_by("pk").values_list("pk", *BOOKS_OF_A_PAYMENT)),
        list(Refund.objects.order_by("pk").values_list("pk", *BOOKS_OF_A_REFUND)),
        list(StatusChange.objects.order_by("pk").values_list("pk", *STORY)),
        serialize("json", ApiCall.objects.order_by("pk")),
    ]


def everything() -> str:
    rows = [*Payment.objects.all(), *Refund.objects.all(), *StatusChange.objects.all(), *ApiCall.objects.all()]
    return str(serialize("json", rows))


def found(secrets: list[str] = SECRETS) -> list[str]:
    text = everything().lower()
    return [secret for secret in secrets if secret in text]
