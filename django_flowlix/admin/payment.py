"""The payment's list and its page; nothing can be added, changed or deleted here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment
from .timeline import timeline


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("order_reference", "attempt", "money", "state", "mode", "gateway_id", "created_at")
    list_filter = ("status", "livemode")
    search_fields = ("order_reference__exact", "gateway_id__exact", "request_id__exact")
    search_help_text = gettext_lazy("Order, payment id or request id, complete")
    ordering = ("-created_at",)
    show_full_result_count = False
    list_per_page = 50
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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        payment = self.get_object(request, object_id)
        context = {"timeline": timeline(payment) if payment else []} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def money(self, payment: Payment) -> str:
        return str(payment.amount)

    @admin.display(description=gettext_lazy("refunded"))
    def refunded(self, payment: Payment) -> str:
        return str(payment.amount_refunded)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, payment: Payment) -> SafeString:
        return format_html(
            '<span class="flowlix-status flowlix-{}">{}</span>', payment.status, payment.get_status_display()
        )

    @admin.display(description=gettext_lazy("needs review"))
    def review(self, payment: Payment) -> str:
        return str(payment.get_review_reason_display()) if payment.review_reason else _("no")

    @admin.display(description=gettext_lazy("mode"), ordering="livemode")
    def mode(self, payment: Payment) -> SafeString:
        kind, text = ("live", _("LIVE")) if payment.livemode else ("test", _("test"))
        return format_html('<span class="flowlix-mode flowlix-{}">{}</span>', kind, text)

    @admin.display(description=gettext_lazy("card"))
    def card(self, payment: Payment) -> str:
        return f"{payment.card_brand} •••• {payment.card_last4}" if payment.card_last4 else "-"

    @admin.display(description=gettext_lazy("declined because"))
    def decline_text(self, payment: Payment) -> str:
        decline = payment.decline
        return f"{decline.code or '-'}: {_(decline.staff_text)}" if decline else "-"
