"""The shop's shelves can be filled in the admin; orders are read only, because only a payment may change them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
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
    list_display = ["reference", "last_name", "total", "paid_at", "created_at"]
    search_fields = ["reference__exact", "email__exact"]
    search_help_text = _("Order reference or e-mail address")
    inlines = [OrderLineInline]

    def total(self, order: Order) -> str:
        return str(order.amount)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("lines")
