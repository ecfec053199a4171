"""What a list may be narrowed to beside it; an unknown choice is said and left out, never taken for "all"."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import accounts
from ..services.monitoring.queues import PAYMENT_QUEUES, REFUND_QUEUES, Queue
from ..statuses import ReviewReason


def refuse(request: HttpRequest, title: object, value: str) -> IncorrectLookupParameters:
    """Tell the person that a filter was not understood; the admin then shows the whole list."""
    shown = _("The filter “%(title)s” has no choice “%(value)s”, so the whole list is shown.")
    messages.warning(request, shown % {"title": title, "value": value[:50]})
    return IncorrectLookupParameters(str(title))


class ChoiceFilter(admin.SimpleListFilter, ABC):
    """A filter that takes its own choices alone."""

    def has_output(self) -> bool:
        return super().has_output() or self.value() is not None  # Django would not ask it, and show the whole list

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in [str(value) for value, _label in self.lookup_choices]:
            raise refuse(request, self.title, chosen)
        return self.narrow(queryset, chosen)

    @abstractmethod
    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        """Return the rows that belong to one of the choices."""


class ModeFilter(ChoiceFilter):
    title = gettext_lazy("mode")
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [("live", _("LIVE")), ("test", _("test"))]

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return queryset.filter(livemode=chosen == "live")


class AccountFilter(ChoiceFilter):
    """By configured account: to ask the table which there are would be to read it whole."""

    title = gettext_lazy("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        aliases = configured_aliases()
        return [(alias, alias) for alias in aliases] if len(aliases) > 1 or self.value() is not None else []

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return queryset.filter(account=chosen)


def configured_aliases() -> list[str]:
    try:
        return list(accounts())
    except ImproperlyConfigured:  # the checks say what is wrong; what was booked can be looked at all the same
        return []


class ReviewReasonFilter(ChoiceFilter):
    title = gettext_lazy("review reason")
    parameter_name = "review_reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(reason.value, str(reason.label)) for reason in ReviewReason]

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        # The reason has no index; that it needs a review has one, and few rows are in it.
        return queryset.filter(review_since__isnull=False, review_reason=chosen)


class QueueFilter(ChoiceFilter):
    """By work queue; `queues` are those of the list."""

    title = gettext_lazy("work queue")
    parameter_name = "queue"
    queues: tuple[Queue, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(queue.name, str(queue.label)) for queue in self.queues]

    def narrow(self, queryset: QuerySet[Any], chosen: str) -> QuerySet[Any]:
        return next(queue for queue in self.queues if queue.name == chosen).rows(among=queryset)


class PaymentQueueFilter(QueueFilter):
    queues = PAYMENT_QUEUES


class RefundQueueFilter(QueueFilter):
    queues = REFUND_QUEUES
