"""The alerts: what was wrong, since when and until when, how bad it was, what to do, and who was told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import django
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from ..models import Alert
from ..models.alert import AlertState
from ..services.monitoring.rules import RULES, figure_of, remedy_of, title_of
from .dashboard import DashboardAdmin
from .display import badge, mode_badge
from .filters import ChoiceFilter, configured_aliases
from .paging import CappedPaginator, IndexedChangeList


class StateFilter(ChoiceFilter):
    """By state: what is not over has an index, and is little."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in AlertState]

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        if chosen == AlertState.RESOLVED:
            return queryset.filter(active__isnull=True)
        return queryset.filter(active=True, state=chosen)


class RuleFilter(ChoiceFilter):
    title = gettext_lazy("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, str(rule.title)) for name, rule in RULES.items()]

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return queryset.filter(rule=chosen)


@admin.register(Alert)
class AlertAdmin(DashboardAdmin):
    change_list_template = "admin/django_flowlix/alert/change_list.html"
    change_form_template = "admin/django_flowlix/alert/change_form.html"
    list_display = ("listed_title", "listed_state", "mode", "worst_figure", "began_at", "opened_at", "resolved_at")
    list_filter = (StateFilter, RuleFilter)
    ordering = ("-began_at",)
    actions = None
    paginator = CappedPaginator
    fieldsets = (
        # What is said above the fields is not repeated in them.
        (gettext_lazy("Details"), {"fields": ("rule", "judged_at", "clear_since", "resolution")}),
    )

    class Media:
        css = {"all": ("django_flowlix/admin_list.css", "django_flowlix/dashboard.css")}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IndexedChangeList]:
        return IndexedChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        columns: tuple[Any, ...] = tuple(super().get_list_display(request))
        return (*columns, "account") if len(configured_aliases()) > 1 else columns

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        return ()  # the newest first

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Alert | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {
                "subtitle": self.listed_title(obj),
                "tools_beside_title": django.VERSION >= (6, 1),
                "alert": obj,
                "alert_title": self.listed_title(obj),
                "state": self.listed_state(obj),
                "figure": self.figure(obj),
                "worst": self.worst_figure(obj),
                "limit": self.limit(obj),
                "remedy": remedy_of(obj.rule),
                "request_ids": obj.request_ids.split(),
                "deliveries": list(obj.deliveries.order_by("pk")),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description=gettext_lazy("what"))
    def listed_title(self, alert: Alert) -> str:
        return capfirst(title_of(alert.rule))

    @admin.display(description=gettext_lazy("state"))
    def listed_state(self, alert: Alert) -> SafeString:
        return badge(f"alert-{alert.state}", alert.get_state_display())

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, alert: Alert) -> SafeString:
        return mode_badge(alert)

    @admin.display(description=gettext_lazy("figure now"))
    def figure(self, alert: Alert) -> str:
        return figure_of(alert.rule, alert.value)

    @admin.display(description=gettext_lazy("worst figure"))
    def worst_figure(self, alert: Alert) -> str:
        return figure_of(alert.rule, alert.worst_value)

    @admin.display(description=gettext_lazy("bad from"))
    def limit(self, alert: Alert) -> str:
        return figure_of(alert.rule, alert.threshold)
