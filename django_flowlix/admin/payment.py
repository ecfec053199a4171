"""The payment's list and its page; nothing can be added, changed or deleted here."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment
from .timeline import MOST_ENTRIES, timeline


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("order_reference", "money", "state", "created_at", "mode", "attempt", "gateway_id")
    list_filter = ("status", "livemode")
    search_fields = ("order_reference", "gateway_id", "request_id")  # exactly, see get_search_results
    search_help_text = gettext_lazy("Order, payment id or request id, complete")
    ordering = ("-created_at",)
    # Sorting and counting by anything else would read the whole table.
    sortable_by = ("created_at",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_per_page = 50
    view_on_site = False  # the customer's page: to look at it is to ask the gateway
    change_form_template = "admin/django_flowlix/payment/change_form.html"
    fieldsets = (
        (None, {"fields": ("order_reference", "money", "refunded", "state", "review", "mode", "card", "decline_text")}),
        (
            gettext_lazy("At the gateway"),
            {"fields": ("gateway_id", "gateway_status", "request_id", "idempotency_key", "account", "contract")},
        ),
        (
            gettext_lazy("Times"),
            {
                "fields": (
                    "created_at",
                    "first_sent_at",
                    "last_synced_at",
                    "next_sync_at",
                    "superseded_at",
                    "updated_at",
                )
            },
        ),
    )

    class Media:
        css = {"all": ("django_flowlix/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        # What was sent holds the customer's details: it is never read for a screen.
        return super().get_queryset(request).defer("request_body")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django allows every column: `?request_body__contains=` would find out, letter by letter, what is not shown.
        offered = [_parameter(item) for item in self.get_list_filter(request)]
        is_offered = any(lookup == name or lookup.startswith(f"{name}__") for name in offered)
        return is_offered and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        # The whole term, not its words: an order reference may contain spaces.
        if term := search_term.strip():
            queryset = queryset.filter(reduce(or_, (Q((field, term)) for field in self.search_fields)))
        return queryset, False

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Payment | None = None,
    ) -> HttpResponse:
        entries = timeline(obj) if obj else []
        context |= {"timeline": entries, "timeline_is_cut": len(entries) == MOST_ENTRIES}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description=gettext_lazy("amount"))
    def money(self, payment: Payment) -> str:
        return str(payment.amount)

    @admin.display(description=gettext_lazy("refunded"))
    def refunded(self, payment: Payment) -> str:
        return str(payment.amount_refunded)

    @admin.display(description=gettext_lazy("status"))
    def state(self, payment: Payment) -> SafeString:
        badge = format_html(
            '<span class="flowlix-badge flowlix-{}">{}</span>', payment.status, payment.get_status_display()
        )
        if not payment.review_reason:
            return badge
        return format_html('{} <span class="flowlix-badge flowlix-review">{}</span>', badge, _("needs review"))

    @admin.display(description=gettext_lazy("needs review"))
    def review(self, payment: Payment) -> str:
        return str(payment.get_review_reason_display()) if payment.review_reason else _("no")

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, payment: Payment) -> SafeString:
        kind, text = ("live", _("LIVE")) if payment.livemode else ("test", _("test"))
        return format_html('<span class="flowlix-badge flowlix-{}">{}</span>', kind, text)

    @admin.display(description=gettext_lazy("card"))
    def card(self, payment: Payment) -> str:
        return f"{payment.card_brand.title()} •••• {payment.card_last4}" if payment.card_last4 else "-"

    @admin.display(description=gettext_lazy("declined because"))
    def decline_text(self, payment: Payment) -> str:
        decline = payment.decline
        return f"{decline.code or '-'}: {_(decline.staff_text)}" if decline else "-"


def _parameter(list_filter: Any) -> str:
    """Return the name a filter has in the address; a shop's subclass may use all three ways to write one."""
    if isinstance(list_filter, (list, tuple)):
        list_filter = list_filter[0]
    return str(getattr(list_filter, "parameter_name", list_filter))
