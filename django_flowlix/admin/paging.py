"""How far a list is counted and paged: of millions of rows the first are enough, sorted as an index has them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Window
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
        return int(_by_index_alone(self.object_list).count())


def _by_index_alone(rows: Any) -> Any:
    """Return what is counted: the sorted columns alone, so that the index has it all and no row is looked up."""
    order = [column for column in rows.query.order_by if isinstance(column, str) and column.strip("-") not in _KEYS]
    return rows.order_by(*order).values(*(column.strip("-") for column in order))[:MOST_LISTED]


class FoundPaginator(Paginator):  # type: ignore[type-arg]
    """One page of what a search found, read together with the number of all rows."""

    def __init__(self, found: QuerySet[Any], per_page: int, page: int, most: int) -> None:
        super().__init__(found, per_page)
        begin = (page - 1) * per_page
        self.rows = list(found.annotate(found_count=Window(Count("*")))[begin : begin + most])

    @cached_property
    def count(self) -> int:
        return int(self.rows[0].found_count) if self.rows else 0


class IndexedChangeList(ChangeList):
    """A list that costs two queries: the rows and how many there are, or what a search found and its rows."""

    def get_results(self, request: HttpRequest) -> None:
        if self.query.strip():
            self._get_found()
        else:
            super().get_results(request)

    def _get_found(self) -> None:
        """Do for a search what Django does with three queries: the keys are found, few, and counted with the rows."""
        page = 1 if self.show_all else self.page_num
        if not 1 <= page <= MOST_LISTED:
            raise IncorrectLookupParameters
        most = self.list_max_show_all if self.show_all else self.list_per_page
        self.paginator = FoundPaginator(self.queryset, self.list_per_page, page, most)
        self.result_list = self.paginator.rows
        if page > 1 and not self.result_list:
            raise IncorrectLookupParameters
        self.result_count = self.paginator.count
        self.can_show_all = self.result_count <= self.list_max_show_all
        if self.show_all and not self.can_show_all:
            self.show_all = False
            self._get_found()
        self.multi_page = self.result_count > self.list_per_page
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions = True

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
