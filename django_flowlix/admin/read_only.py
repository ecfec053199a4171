"""Screens on which nothing can be added, changed or deleted: only the services change money state."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """What the app's screens share: view permission only, nothing counted or sorted that has no index."""

    # Sorting and counting by anything else would read the whole table.
    sortable_by = ("created_at",)
    ordering = ("-created_at",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_per_page = 50

    class Media:
        css = {"all": ("django_flowlix/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django allows every column: `?request_body__contains=` would find out, letter by letter, what is not shown.
        offered = [_parameter(item) for item in self.get_list_filter(request)]
        is_offered = any(lookup == name or lookup.startswith(f"{name}__") for name in offered)
        return is_offered and super().lookup_allowed(lookup, value, request)


def _parameter(list_filter: Any) -> str:
    """Return the name a filter has in the address; a shop's subclass may use all three ways to write one."""
    if isinstance(list_filter, (list, tuple)):
        list_filter = list_filter[0]
    return str(getattr(list_filter, "parameter_name", list_filter))
