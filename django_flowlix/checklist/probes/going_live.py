"""real-payment and first-transactions-watched: what the database knows of payments with the live key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, OuterRef, QuerySet

from ...models import Payment, Refund, StatusChange
from ...services.monitoring.counts import Scope
from ...statuses import OPEN, REFUND_OPEN, ChangeSource, PaymentStatus, RefundStatus
from .. import catalogue, records
from ..context import Context
from ..findings import Finding, needs_person, noted, passed, skipped, warned
from ..items import Stage

WATCHED = (
    "Somebody watches the first live transactions one by one, on the admin's page 'First transactions' and in the "
    "gateway's dashboard."
)
_TO_PAY = 'Run manage.py flowlix_check --live-payment "1.00 EUR" with the live key.'
_MOST = 1000
_MOST_NAMED = 20
# All of these ask the gateway from the server; `create` is the answer to a request and `api` our own code's word.
_VERIFYING = (ChangeSource.RETURN, ChangeSource.WEBHOOK, ChangeSource.SYNC, ChangeSource.ADMIN)


@catalogue.REAL_PAYMENT.probe(Stage.STATIC)
def recorded_real_payment(context: Context) -> Iterator[Finding]:
    if not context.account.livemode:
        yield skipped("It takes the live key: this account has a test key.", _TO_PAY)
    elif refunded := _refunded(context):
        order, made_at = refunded
        yield passed(
            f"The live payment of order {order} ({made_at:%Y-%m-%d}) succeeded, was verified by the server, and was "
            "refunded in full."
        )
    elif paid := _paid(context):
        order, made_at = paid
        yield warned(
            f"The live payment of order {order} ({made_at:%Y-%m-%d}) succeeded and was verified by the server; no live "
            "payment has been refunded in full.",
            f"Refund a small one, from its page in the admin. {_TO_PAY}",
        )
    else:
        yield skipped("No live payment has succeeded and been verified by the server yet.", _TO_PAY)


def _refunded(context: Context) -> tuple[str, datetime] | None:
    """Return order and time of the last live payment that went the whole way; refunds are few, so they are asked."""
    refunds = Refund.objects.filter(
        Scope(True, context.account.alias).filters("payment__"),
        Exists(_verified("payment")),
        status=RefundStatus.SUCCEEDED,
        payment__status=PaymentStatus.SUCCEEDED,
        payment__amount_refunded_minor=F("payment__amount_minor"),
    )
    return refunds.order_by("-created_at").values_list("payment__order_reference", "payment__created_at").first()


def _paid(context: Context) -> tuple[str, datetime] | None:
    payments = Payment.objects.filter(
        Scope(True, context.account.alias).filters(), Exists(_verified("pk")), status=PaymentStatus.SUCCEEDED
    )
    return payments.order_by("-created_at").values_list("order_reference", "created_at").first()


def _verified(payment: str) -> QuerySet[StatusChange]:
    return StatusChange.objects.filter(
        payment=OuterRef(payment), refund__isnull=True, to_status=PaymentStatus.SUCCEEDED, source__in=_VERIFYING
    )


@catalogue.REAL_PAYMENT.probe(Stage.STATIC)
def left_behind(context: Context) -> Iterator[Finding]:
    """Name the checklist's own payments with real money that somebody has yet to do something about."""
    if not context.account.livemode:
        return
    under_way = Refund.objects.filter(payment=OuterRef("pk"), status__in=REFUND_OPEN)
    left = records.payments_of_the_checklist(context).filter(
        ~Exists(under_way), status__in=(PaymentStatus.SUCCEEDED, *OPEN), amount_refunded_minor__lt=F("amount_minor")
    )
    for payment in left.defer("request_body").order_by("-created_at")[:_MOST_NAMED]:
        name = f"order {payment.order_reference} ({payment.gateway_id or 'without a payment id'})"
        if payment.is_open:
            yield noted(f"A live payment of flowlix_check is still open: {name}, over {payment.amount}.")
        else:
            yield warned(
                f"flowlix_check took {payment.amount} of real money for {name}, which is not refunded in full.",
                "Refund it, from its page in the admin.",
            )


@catalogue.FIRST_TRANSACTIONS_WATCHED.probe(Stage.STATIC)
def first_transactions(context: Context) -> Iterator[Finding]:
    if not context.account.livemode:
        yield skipped("There are live transactions with the live key alone.", "Check again when the live key is set.")
        return
    live = Payment.objects.filter(Scope(True, context.account.alias).filters())
    number = live.order_by("-created_at")[: _MOST + 1].count()
    yield noted(f"Live payments so far: {number if number <= _MOST else f'more than {_MOST:,}'}.")
    yield needs_person("Whether a person looks at them, no program can tell.", WATCHED)
