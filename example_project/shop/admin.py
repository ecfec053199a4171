"""The shop's shelves can be filled in the admin; orders are read only, because only a payment may change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from .models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "price", "position"]
    prepopulated_fields = {"slug": ["name"]}


class _ReadOnly:
    def has_add_permission(self, *args: Any) -> bool:
        return False

    def has_change_permission(self, *args: Any) -> bool:
        return False

    def has_delete_permission(self, *args: Any) -> bool:
        return False


class OrderLineInline(_ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine
    fields = ["name", "unit_price", "quantity"]


@admin.register(Order)
class OrderAdmin(_ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "last_name", "total", "paid_at", "amount_refunded", "created_at"]
    search_fields = ["reference__exact", "email__exact"]
    search_help_text = _("Order reference or e-mail address")
    inlines = [OrderLineInline]
    readonly_fields = ("reference", "total", "paid_at", "amount_refunded", "payments")
    fieldsets = [
        (None, {"fields": readonly_fields}),
        (_("Customer"), {"fields": ["first_name", "last_name", "email", "phone", "address", "zip", "city", "country"]}),
    ]

    def total(self, order: Order) -> str:
        return str(order.amount)

    @admin.display(description=_("payments"))
    def payments(self, order: Order) -> SafeString:
        """Lead to the order's payments: where staff see what happened, and refund."""
        payments = reverse("admin:django_flowlix_payment_changelist", current_app=self.admin_site.name)
        words = _("Payments of this order")
        return format_html('<a href="{}?{}">{}</a>', payments, urlencode({"q": order.reference}), words)

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        may_look = request.user.has_perm("django_flowlix.view_payment")
        order, *others = super().get_fieldsets(request, obj)
        shown = [name for name in order[1]["fields"] if may_look or name != "payments"]
        return [(order[0], {"fields": shown}), *others]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("lines")
