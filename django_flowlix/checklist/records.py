"""What the database says of an account's latest payments and calls: counts, in one statement per table.

A busy shop has millions of rows, so the latest of the account's mode are looked at, found by their index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, F, Max, Q, QuerySet

from ..api import errors
from ..models import ApiCall, Payment
from ..services.monitoring.counts import Scope
from ..statuses import PaymentStatus
from .context import Context

SAMPLE_ROWS = 20_000
EXAMPLES = 3
_RECENT = timedelta(days=7)
_RECENT_CALLS = 200

UNCONFIRMED = (PaymentStatus.CREATED, PaymentStatus.REJECTED)
_INCOMPLETE = (Q(gateway_id__isnull=True) | Q(gateway_id="") | Q(request_id="") | Q(order_reference="")) & ~Q(
    status__in=UNCONFIRMED
)
# An answer with a type of the gateway's is its own; without one the client notes the name of its error class.
_FOREIGN = Q(error_type__in=[name for name, kind in vars(errors).items() if isinstance(kind, type)])
_NAMELESS = Q(http_status__isnull=False, request_id="")
NAMELESS_ANSWERS = _NAMELESS & Q(http_status__lt=500) & ~_FOREIGN


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of an account and mode that are looked at, and how to say which those are."""

    rows: QuerySet[Any]
    words: str


class PaymentCounts(NamedTuple):
    """What the payments of one currency and exponent are like; `newest` is the key of the latest of them."""

    currency: str
    exponent: int
    newest: int
    payments: int
    confirmed: int
    incomplete: int
    linked: int
    keyless: int
    with_failure_page: int


class CallCounts(NamedTuple):
    """What the calls are like; `foreign` answers without a request id came from something before the gateway.

    Of the POSTs, `for_shop` are for payments of the shop and `for_checklist` for those of the checklist itself.
    """

    posts: int
    for_shop: int
    for_checklist: int
    keyless: int
    answered: int
    nameless: int
    foreign: int
    nameless_5xx: int
    server_errors: int
    refused: int


def payments(context: Context) -> Sample:
    """Return the latest payments of the shop: those of the checklist itself say nothing about its orders."""
    found = context.once(_all_payments)
    return Sample(found.rows.filter(from_checklist=False), found.words)


def payments_of_the_checklist(context: Context) -> QuerySet[Payment]:
    """Return those of the latest payments that are the checklist's own."""
    return context.once(_all_payments).rows.filter(from_checklist=True)


def _all_payments(context: Context) -> Sample:
    return _sample(context, Payment, "payments of the shop")


def calls(context: Context) -> Sample:
    """Return the latest calls, whoever made them."""
    return _sample(context, ApiCall, "gateway calls")


def recent_calls(context: Context) -> Sample:
    """Return the calls of the last days, and the latest ones however old they are: what is mended is over one day."""
    sample = context.once(calls)
    moments = sample.rows.order_by("-created_at").values_list("created_at", flat=True)
    moment = next(iter(moments[_RECENT_CALLS - 1 : _RECENT_CALLS]), None)
    if moment is None:
        return sample
    mode = "live" if context.account.livemode else "test"
    words = f"the gateway calls of the last {_RECENT.days} days and the latest {_RECENT_CALLS} in {mode} mode"
    return Sample(sample.rows.filter(created_at__gte=min(moment, context.now - _RECENT)), words)


def payment_counts(context: Context) -> Sequence[PaymentCounts]:
    """Return what the latest payments are like, by currency and exponent. One statement, besides the sample's."""
    grouped = context.once(payments).rows.order_by().values("currency", "exponent")
    counted = grouped.annotate(
        newest=Max("pk"),
        payments=Count("pk"),
        confirmed=Count("pk", filter=~Q(status__in=UNCONFIRMED)),
        incomplete=Count("pk", filter=_INCOMPLETE),
        linked=Count("pk", filter=Q(order_content_type__isnull=False)),
        keyless=Count("pk", filter=Q(idempotency_key="")),
        with_failure_page=Count("pk", filter=~Q(failure_url="")),
    )
    return [PaymentCounts(*row) for row in counted.order_by("currency", "exponent").values_list(*PaymentCounts._fields)]


def call_counts(context: Context) -> CallCounts:
    """Return what the latest calls are like. One statement, besides the sample's."""
    return _call_counts(context.once(calls))


def recent_call_counts(context: Context) -> CallCounts:
    """Return what the recent calls are like. One statement, besides the sample's."""
    return _call_counts(context.once(recent_calls))


def _call_counts(sample: Sample) -> CallCounts:
    posts = Q(method="POST")
    counted = sample.rows.aggregate(
        posts=Count("pk", filter=posts),
        for_shop=Count("pk", filter=posts & Q(payment__from_checklist=False)),
        for_checklist=Count("pk", filter=posts & Q(payment__from_checklist=True)),
        keyless=Count("pk", filter=posts & Q(idempotency_key="")),
        answered=Count("pk", filter=Q(http_status__isnull=False)),
        nameless=Count("pk", filter=NAMELESS_ANSWERS),
        foreign=Count("pk", filter=_NAMELESS & Q(http_status__lt=500) & _FOREIGN),
        nameless_5xx=Count("pk", filter=_NAMELESS & Q(http_status__gte=500)),
        server_errors=Count("pk", filter=Q(http_status__gte=500)),
        refused=Count("pk", filter=Q(http_status__gte=400, http_status__lt=500)),
    )
    return CallCounts(**counted)


def incomplete_orders(context: Context) -> list[str]:
    """Return the order references of some confirmed payments that lack an id, where they have one."""
    found = context.once(payments).rows.filter(_INCOMPLETE).order_by("-created_at")
    return [reference for reference in found.values_list("order_reference", flat=True)[:EXAMPLES] if reference]


def nameless_answers(context: Context) -> list[str]:
    """Return some recent answers of the gateway without a request id, as `retrieve at 2026-03-14 12:00 UTC`."""
    found = context.once(recent_calls).rows.filter(NAMELESS_ANSWERS).order_by("-created_at")
    return [
        f"{name} at {at:%Y-%m-%d %H:%M} UTC" for name, at in found.values_list("operation", "created_at")[:EXAMPLES]
    ]


def wrong_keys(context: Context) -> list[str]:
    """Return the orders of some creates and refunds that did not go out under their own row's key."""
    create = Q(operation="create_hosted", payment__isnull=False) & ~Q(idempotency_key=F("payment__idempotency_key"))
    refund = Q(operation="refund", refund__isnull=False) & ~Q(idempotency_key=F("refund__idempotency_key"))
    found = context.once(calls).rows.filter(create | refund).order_by("-created_at")
    return list(found.values_list("payment__order_reference", flat=True)[:EXAMPLES])


def _sample(context: Context, model: type[Payment | ApiCall], name: str) -> Sample:
    account = context.account
    rows: QuerySet[Any] = model._default_manager.all()
    mode = "live" if account.livemode else "test"
    since = _since(rows.filter(Scope(account.livemode).filters()))
    rows = rows.filter(Scope(account.livemode, account.alias).filters())
    if since is None:
        return Sample(rows, f"all {name} in {mode} mode")
    return Sample(rows.filter(created_at__gte=since), f"the latest {SAMPLE_ROWS:,} {name} in {mode} mode")


def _since(rows: QuerySet[Any]) -> datetime | None:
    """Return when the oldest row of the sample was made, None when all rows are within it."""
    moments = rows.order_by("-created_at").values_list("created_at", flat=True)
    return next(iter(moments[SAMPLE_ROWS - 1 : SAMPLE_ROWS]), None)
