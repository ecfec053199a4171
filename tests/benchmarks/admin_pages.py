"""The pages of the admin that are measured: both lists by every filter and search, the export, the work queues."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, Min

from django_flowlix.admin.paging import MOST_LISTED
from django_flowlix.models import ApiCall, Payment, Refund

ADMIN = "/admin/django_flowlix/"
PAYMENTS, REFUNDS = f"{ADMIN}payment/", f"{ADMIN}refund/"


def pages() -> list[tuple[str, str, dict[str, Any]]]:
    """Return every page by name: all filters and searches of both lists, the export, the work queues."""
    times = Payment.objects.aggregate(Min("created_at"), Max("created_at"))
    old, today = (times[f"created_at__{end}"].date().isoformat() for end in ("min", "max"))
    found = [("app index: work queues", ADMIN, {})]
    for model, of, address, created_at in ((Payment, "payments", PAYMENTS, "5"), (Refund, "refunds", REFUNDS, "6")):
        last = min(model.objects.count(), MOST_LISTED) // 50  # type: ignore[attr-defined]
        found += [
            (f"{of}: list", address, {}),
            (f"{of}: page 2", address, {"p": 2}),
            (f"{of}: last page", address, {"p": last}),
            (f"{of}: oldest first", address, {"o": created_at}),
            (f"{of}: sorted by what has no index", address, {"o": "1.3"}),
            (f"{of}: today", address, {"day__from": today}),
            (f"{of}: the oldest day", address, {"day__to": old}),
        ]
    found += [(f"payments: {_named(chosen)}", PAYMENTS, chosen) for chosen in payment_filters(old)]
    found += [(f"payments: search by {name}", PAYMENTS, {"q": term}) for name, term in payment_terms()]
    found += [(f"refunds: {_named(chosen)}", REFUNDS, chosen) for chosen in refund_filters()]
    found += [(f"refunds: search by {name}", REFUNDS, {"q": term}) for name, term in refund_terms()]
    exported: list[dict[str, Any]] = [
        {},
        {"status__exact": "failed"},
        {"queue": "stuck"},
        {"day__to": old},
        {"q": "4242"},
    ]
    return found + [(f"export, first batch: {_named(chosen)}", f"{PAYMENTS}export/", chosen) for chosen in exported]


def _named(chosen: dict[str, Any]) -> str:
    return ", ".join(f"{name.split('__')[0]} {value}" for name, value in chosen.items()) or "everything"


def payment_filters(old: str) -> list[dict[str, Any]]:
    queues = [{"queue": queue} for queue in ("review", "unconfirmed", "stuck")]
    statuses = ["created", "pending", "processing", "succeeded", "failed", "canceled", "expired", "rejected"]
    return [
        *queues,
        *(queue | {"mode": "test"} for queue in queues),
        *({"status__exact": status} for status in statuses),
        *({"mode": mode} for mode in ("live", "test")),
        *({"account": account} for account in ("default", "second", "third")),
        *({"review_reason": reason} for reason in ("mismatch", "unproven", "second_success")),
        {"status__exact": "failed", "mode": "test", "day__to": old},
        {"status__exact": "pending", "account": "third"},
        {"q": "4242", "day__to": old},
        {"q": "order 77", "mode": "live", "queue": "review"},
    ]


def payment_terms() -> list[tuple[str, Any]]:
    some, refund = Payment.objects.get(pk=Payment.objects.count() // 2 + 1), _some_refund()
    create, look = ApiCall.objects.filter(payment=some).order_by("pk")
    return [
        ("order", some.order_reference),
        ("payment id", some.gateway_id),
        ("request id of the create", create.request_id),
        ("request id of another exchange", look.request_id),
        ("refund id", refund.gateway_id),
        ("request id of a refund", refund.request_id),
        ("card, a common one", "4242"),
        ("card, a rare one", "7919"),
        ("nothing", "no such thing"),
    ]


def refund_filters() -> list[dict[str, Any]]:
    return [
        *({"status__exact": status} for status in ("created", "pending", "succeeded", "failed")),
        *({"source__exact": source} for source in ("admin", "api", "gateway")),
        *({"queue": queue} for queue in ("unconfirmed", "stuck")),
    ]


def refund_terms() -> list[tuple[str, Any]]:
    refund = _some_refund()
    return [
        ("refund id", refund.gateway_id),
        ("request id", refund.request_id),
        ("payment id", refund.payment.gateway_id),
        ("order", refund.payment.order_reference),
        ("nothing", "no such thing"),
    ]


def _some_refund() -> Refund:
    return Refund.objects.order_by("pk")[Refund.objects.count() // 2]
