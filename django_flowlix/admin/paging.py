"""How far a list is counted and paged: of millions of rows the first are enough, sorted as an index has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from .search import MOST_BY_CARD

MOST_LISTED = 10_000

_KEYS = ("pk", "id")


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts, and pages through, the first `MOST_LISTED` rows."""

    @cached_property
    def count(self) -> int:
        listed: Any = self.object_list[:MOST_LISTED]
        return len(listed) if isinstance(listed, Sequence) else int(_by_index_alone(self.object_list).count())


def _by_index_alone(rows: Any) -> Any:
    """Return what is counted: the sorted columns alone, so that the index has it all and no row is looked up."""
    order = [column for column in rows.query.order_by if isinstance(column, str) and column.strip("-") not in _KEYS]
    return rows.order_by(*order).values(*(column.strip("-") for column in order))[:MOST_LISTED]


class IndexedChangeList(ChangeList):
    """A list that costs two queries: the rows and how many there are, or what a search found and its rows."""

    def get_results(self, request: HttpRequest) -> None:
        is_search = bool(self.query.strip())
        if is_search:
            len(self.queryset)  # found by key, so there are few: read them all, and counting costs nothing
        super().get_results(request)
        if is_search and isinstance(self.result_list, QuerySet):
            self.result_list = self.queryset

    def get_ordering_field(self, field_name: Any) -> Any:
        # Django sorts by every column the address asks for, also by those whose header does not offer it.
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        ordering = list(super().get_ordering(request, queryset))
        # An index is read forwards or backwards: the key that Django adds as "-pk" has to go the same way.
        return ["created_at", "pk"] if ordering[:1] == ["created_at"] else ordering

    @property
    def cut_note(self) -> str:
        """Say that there may be more than is listed, "" when there is not."""
        if self.query and self.result_count >= MOST_BY_CARD:
            return _("Only the newest %(count)s with this card are listed: filter by date for older ones.") % {
                "count": number_format(MOST_BY_CARD, force_grouping=True)
            }
        if self.result_count >= MOST_LISTED:
            return _("Only the newest %(count)s are listed: search or filter for older ones.") % {
                "count": number_format(MOST_LISTED, force_grouping=True)
            }
        return ""
