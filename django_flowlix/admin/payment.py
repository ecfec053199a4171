"""The payment's page; nothing can be added, changed or deleted here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment
from .display import card_text
from .payment_list import PaymentListAdmin
from .timeline import MOST_ENTRIES, timeline


@admin.register(Payment)
class PaymentAdmin(PaymentListAdmin):
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        # What was sent holds the customer's details: it is never read for a screen.
        return super().get_queryset(request).defer("request_body")

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

    @admin.display(description=gettext_lazy("refunded"))
    def refunded(self, payment: Payment) -> str:
        return str(payment.amount_refunded)

    @admin.display(description=gettext_lazy("needs review"))
    def review(self, payment: Payment) -> str:
        return str(payment.get_review_reason_display()) if payment.review_reason else _("no")

    @admin.display(description=gettext_lazy("card"))
    def card(self, payment: Payment) -> str:
        return card_text(payment)

    @admin.display(description=gettext_lazy("declined because"))
    def decline_text(self, payment: Payment) -> str:
        decline = payment.decline
        return f"{decline.code or '-'}: {_(decline.staff_text)}" if decline else "-"
