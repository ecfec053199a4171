"""The refunds' list and page, of all payments; what can be done about one is done from its payment's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..models import Refund
from ..services.monitoring.queues import REFUND_QUEUES, Queue
from .day_filter import DayFilter
from .display import mode_badge, refund_badge, refund_note, requester
from .filters import RefundQueueFilter
from .paging import CappedPaginator, IndexedChangeList
from .read_only import ReadOnlyAdmin
from .search import refund_keys


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    change_list_template = "admin/django_flowlix/refund/change_list.html"
    list_display = ("money", "payment_link", "mode", "state", "asked_by", "reason", "created_at", "gateway_id")
    list_select_related = ("payment",)
    list_filter = (RefundQueueFilter, "status", "source", DayFilter)
    # What is searched is decided by `search`; Django shows the search box if anything stands here.
    search_fields = ("gateway_id",)
    paginator = CappedPaginator
    fieldsets = (
        (None, {"fields": ("money", "state", "payment_link", "mode", "asked_by", "reason", "why")}),
        (
            gettext_lazy("At the gateway"),
            {"fields": ("gateway_id", "gateway_status", "request_id", "idempotency_key", "account")},
        ),
        (gettext_lazy("Times"), {"fields": ("created_at", "first_sent_at", "next_sync_at", "updated_at")}),
    )

    class Media:
        css = {"all": ("django_flowlix/admin_list.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        # What was sent, and the token of the form that asked for it, are never read for a screen.
        hidden = ("request_body", "submission_token", "payment__request_body", "payment__return_token")
        rows: QuerySet[Refund] = super().get_queryset(request)
        return rows.select_related("payment").defer(*hidden)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IndexedChangeList]:
        return IndexedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Refund], search_term: str
    ) -> tuple[QuerySet[Refund], bool]:
        if term := search_term.strip():
            queryset = queryset.filter(pk__in=refund_keys(term))
        return queryset, False

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        queue = _queue(request)
        return queue.order if queue else self.ordering

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        return () if _queue(request) else self.sortable_by  # a queue has one order

    @admin.display(description=gettext_lazy("amount"))
    def money(self, refund: Refund) -> str:
        return str(refund.amount)

    @admin.display(description=gettext_lazy("payment"))
    def payment_link(self, refund: Refund) -> SafeString:
        name, site = "admin:django_flowlix_payment_change", self.admin_site
        address = reverse(name, args=[quote(refund.payment_id)], current_app=site.name)
        return format_html('<a href="{}">{}</a>', address, refund.payment.order_reference)

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, refund: Refund) -> SafeString:
        return mode_badge(refund.payment)

    @admin.display(description=gettext_lazy("status"))
    def state(self, refund: Refund) -> SafeString:
        return refund_badge(refund)

    @admin.display(description=gettext_lazy("asked for by"))
    def asked_by(self, refund: Refund) -> str:
        return requester(refund)

    @admin.display(description=gettext_lazy("note"))
    def why(self, refund: Refund) -> str:
        return refund_note(refund) or "-"


def _queue(request: HttpRequest) -> Queue | None:
    chosen = request.GET.get("queue")
    return next((queue for queue in REFUND_QUEUES if queue.name == chosen), None)
