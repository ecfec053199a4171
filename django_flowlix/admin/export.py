"""The list as a file for a spreadsheet: every row that is filtered or searched for, streamed in constant memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC
from string import whitespace
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ..models import Payment
from ..services import clock
from .read_only import ReadOnlyAdmin

BATCH_SIZE = 1000

COLUMNS = (
    "created",
    "order",
    "attempt",
    "status",
    "review reason",
    "mode",
    "account",
    "amount",
    "currency",
    "refunded",
    "card brand",
    "card last four",
    "payment id",
    "from_checklist",
)
_READ = (
    "created_at",
    "order_reference",
    "attempt",
    "status",
    "review_reason",
    "livemode",
    "account",
    "amount_minor",
    "amount_refunded_minor",
    "currency",
    "exponent",
    "card_brand",
    "card_last4",
    "gateway_id",
    "from_checklist",
)
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  the full-width ones are formulas to a spreadsheet, too

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00a0\u3000"


class ExportAdmin(ReadOnlyAdmin):
    """Adds `export/`, which takes the list's own filters and search; `export_payment` is a permission of its own."""

    def get_urls(self) -> list[URLPattern]:
        # A file of millions of rows would be one long transaction.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.export_view))
        return [path("export/", view, name="django_flowlix_payment_export"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        may_export = request.user.has_perm("django_flowlix.export_payment")
        return may_export and self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        offered = {"export_url": self._export_url(request) if self.has_export_permission(request) else ""}
        return super().changelist_view(request, offered | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_export_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._address("changelist"))
        if request.GET.get(SEARCH_VAR) and not listed.query:
            return HttpResponseRedirect(self._address("changelist"))  # the search was refused: not a file of everything
        name = f"payments-{timezone.localdate(clock.now()).isoformat()}.csv"
        return StreamingHttpResponse(
            lines(listed.queryset),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _export_url(self, request: HttpRequest) -> str:
        kept = request.GET.copy()
        for name in ("p", "o", "all", "e"):
            kept.pop(name, None)
        return f"{self._address('export')}?{kept.urlencode()}" if kept else self._address("export")

    def _address(self, screen: str) -> str:
        return reverse(f"admin:django_flowlix_payment_{screen}", current_app=self.admin_site.name)


class _Line:
    """What the writer of the csv module writes to: it hands the line back."""

    def write(self, text: str) -> str:
        return text


def lines(payments: QuerySet[Payment]) -> Iterator[str]:
    """Yield the file: the names of the columns, then the payments, a batch at a time, the newest first."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for batch in batches(payments):
        yield "".join(writer.writerow(map(defused, row(payment))) for payment in batch)


def batches(payments: QuerySet[Payment]) -> Iterator[list[Payment]]:
    """Yield the payments by position; no cursor of the server's, which a connection pooler would lose."""
    payments = payments.select_related(None).only(*_READ).order_by("-created_at", "-pk")
    batch = list(payments[:BATCH_SIZE])
    while batch:
        yield batch
        last = batch[-1]
        # Two conditions, because databases find the place in the index by the first one alone.
        older = payments.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, pk__gte=last.pk)
        batch = list(older[:BATCH_SIZE])


def row(payment: Payment) -> tuple[object, ...]:
    return (
        payment.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        payment.order_reference,
        payment.attempt,
        payment.status,
        payment.review_reason,
        "live" if payment.livemode else "test",
        payment.account,
        payment.amount.major,
        payment.currency,
        payment.amount_refunded.major,
        payment.card_brand,
        payment.card_last4,
        payment.gateway_id or "",
        "yes" if payment.from_checklist else "no",
    )


def defused(value: object) -> str:
    """Return a cell's text; one that a spreadsheet would run as a formula begins with an apostrophe."""
    text = str(value)
    visible = text.lstrip(_INVISIBLE + whitespace)
    return f"'{text}" if text[:1] in tuple("\t\r\n") or visible.startswith(_FORMULA) else text
