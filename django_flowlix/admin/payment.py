"""The payment's page: how it stands, what may be done about it, and its whole story. Nothing can be edited here."""

from __future__ import annotations

from typing import Any

import django
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Payment
from ..services.refund_request import quote
from .display import card_text, refund_badge, refund_note, refunded_badge, requester, state_badges
from .explanations import notices
from .glance import actions_for, order_url
from .payment_list import PaymentListAdmin
from .records import Records, read_records
from .refund import RefundScreen
from .ticket import ticket_text
from .timeline import timeline


@admin.register(Payment)
class PaymentAdmin(RefundScreen, PaymentListAdmin):
    view_on_site = False  # the customer's page: to look at it is to ask the gateway
    change_form_template = "admin/django_flowlix/payment/change_form.html"
    fieldsets = (
        (
            gettext_lazy("At the gateway"),
            {
                "fields": (
                    "gateway_id",
                    "gateway_status",
                    "request_id",
                    "idempotency_key",
                    "account",
                    "contract",
                    "attempt",
                )
            },
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
                    "reviewed_at",
                    "legal_hold_since",
                    "personal_data_erased_at",
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
        if obj is not None:
            context |= self._page_context(request, obj, read_records(obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _page_context(self, request: HttpRequest, payment: Payment, records: Records) -> dict[str, Any]:
        quoted = quote(payment)
        may_refund = self.has_refund_permission(request, payment)
        return {
            "payment": payment,
            "tools_beside_title": django.VERSION >= (6, 1),
            "quote": quoted,
            "state": format_html("{} {}", state_badges(payment), refunded_badge(payment)),
            "card": card_text(payment),
            "decline": _decline_text(payment),
            "order_url": order_url(request, self.admin_site, payment),
            "actions": actions_for(request, self.admin_site, payment, quoted, may_refund=may_refund),
            "notices": [*notices(payment, records.refunds)],
            "refunds": [
                (refund, refund_badge(refund), requester(refund), refund_note(refund)) for refund in records.refunds
            ],
            "timeline": timeline(records),
            "ticket": ticket_text(records),
        }


def _decline_text(payment: Payment) -> str:
    decline = payment.decline
    return f"{decline.code or '-'}: {_(decline.staff_text)}" if decline else ""
