"""The list of payments: what it shows, and how payments are found in it."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..models import Payment
from .display import mode_badge, state_badges
from .read_only import ReadOnlyAdmin


class PaymentListAdmin(ReadOnlyAdmin):
    list_display = ("order_reference", "money", "state", "created_at", "mode", "attempt", "gateway_id")
    list_filter = ("status", "livemode")
    search_fields = ("order_reference", "gateway_id", "request_id")  # exactly, see get_search_results
    search_help_text = gettext_lazy("Order, payment id or request id, complete")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        # The whole term, not its words: an order reference may contain spaces.
        if term := search_term.strip():
            queryset = queryset.filter(reduce(or_, (Q((field, term)) for field in self.search_fields)))
        return queryset, False

    @admin.display(description=gettext_lazy("amount"))
    def money(self, payment: Payment) -> str:
        return str(payment.amount)

    @admin.display(description=gettext_lazy("status"))
    def state(self, payment: Payment) -> SafeString:
        return state_badges(payment)

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, payment: Payment) -> SafeString:
        return mode_badge(payment)
