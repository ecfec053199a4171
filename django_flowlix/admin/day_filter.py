"""From which day to which: what lies further back than the list reaches is found by its day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..services import clock
from .filters import refuse

FROM, TO = "day__from", "day__to"


class DayFilter(ListFilter):
    """By `created_at`, whole days of the current time zone, both included."""

    title = gettext_lazy("day")
    parameter_name = "day"
    template = "admin/django_flowlix/day_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.from_day, self.to_day = (params.pop(name, [""])[-1] for name in (FROM, TO))
        self.kept: list[tuple[str, str]] = []

    def expected_parameters(self) -> list[str | None]:
        return [FROM, TO]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.from_day:
            queryset = queryset.filter(created_at__gte=self._midnight(self.from_day))
        if self.to_day:
            queryset = queryset.filter(created_at__lt=self._midnight(self.to_day, days=1))
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Yield the usual spans as links; the template adds a form for any other, with what else is chosen."""
        self.kept = parse_qsl(changelist.get_query_string(remove=[FROM, TO]).removeprefix("?"))
        today = timezone.localdate(clock.now())
        spans = ((_("Any day"), None), (_("Today"), 0), (_("Past 7 days"), 6), (_("Past 30 days"), 29))
        for display, days in spans:
            begin = "" if days is None else (today - timedelta(days=days)).isoformat()
            yield {
                "selected": (self.from_day, self.to_day) == (begin, ""),
                "query_string": changelist.get_query_string({FROM: begin or None}, remove=[FROM, TO]),
                "display": display,
            }

    def _midnight(self, written: str, days: int = 0) -> datetime:
        try:
            day = date.fromisoformat(written)
        except ValueError:
            day = date.min
        # Years at the ends of the calendar have no midnight in some time zone.
        if not 1970 <= day.year < 9999:
            raise refuse(self.request, self.title, written)
        return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
