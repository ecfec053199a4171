"""The list of payments: what it shows, and what can be done from it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..models import Payment
from ..services.monitoring.queues import PAYMENT_QUEUES, REVIEW, Queue
from .asking import AskingAdmin
from .chosen import NotChosen, check_keys
from .day_filter import DayFilter
from .display import card_text, mode_badge, self_check_badge, state_badges
from .export import ExportAdmin
from .filters import AccountFilter, ModeFilter, PaymentQueueFilter, ReviewReasonFilter, configured_aliases
from .first_transactions import FirstTransactionsAdmin
from .hold import HoldAdmin
from .paging import CappedPaginator, IndexedChangeList
from .review import ReviewAdmin
from .search import payment_keys


class PaymentListAdmin(AskingAdmin, ReviewAdmin, HoldAdmin, FirstTransactionsAdmin, ExportAdmin):
    change_list_template = "admin/django_flowlix/payment/change_list.html"
    list_display = (
        "order_reference",
        "mode",
        "money",
        "state",
        "created_at",
        "listed_card",
        "listed_refund",
        "attempt",
        "gateway_id",
    )
    list_filter = (PaymentQueueFilter, "status", ModeFilter, AccountFilter, DayFilter, ReviewReasonFilter)
    # What is searched is decided by `search`; Django shows the search box if anything stands here.
    search_fields = ("order_reference",)
    actions = ("ask_the_gateway", "mark_as_reviewed", "put_on_legal_hold", "release_legal_hold")
    paginator = CappedPaginator

    class Media:
        css = {"all": ("django_flowlix/admin_list.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IndexedChangeList]:
        return IndexedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        if term := search_term.strip():
            queryset = queryset.filter(pk__in=payment_keys(term, queryset))
        return queryset, False

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        try:
            check_keys(request.POST.getlist(ACTION_CHECKBOX_NAME))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        queue = _queue(request)
        return queue.order if queue else self.ordering

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        return () if _queue(request) else self.sortable_by  # a queue has one order

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        columns: list[Any] = list(super().get_list_display(request))
        if len(configured_aliases()) > 1:
            columns.append("account")
        if queue := _queue(request):
            work: list[Any] = ["review_reason"] if queue is REVIEW else []
            columns[2:2] = [self.ask_button(request.get_full_path()), *work]  # behind what it is and its mode
        return tuple(columns)

    @admin.display(description=gettext_lazy("amount"))
    def money(self, payment: Payment) -> str:
        return str(payment.amount)

    @admin.display(description=gettext_lazy("refunded"))
    def listed_refund(self, payment: Payment) -> str:
        return str(payment.amount_refunded) if payment.amount_refunded_minor else "-"

    @admin.display(description=gettext_lazy("status"))
    def state(self, payment: Payment) -> SafeString:
        return state_badges(payment)

    @admin.display(description=gettext_lazy("card"))
    def listed_card(self, payment: Payment) -> str:
        return card_text(payment).replace("•••• ", "••••\N{NO-BREAK SPACE}")

    @admin.display(description=gettext_lazy("mode"))
    def mode(self, payment: Payment) -> SafeString:
        return format_html("{} {}", mode_badge(payment), self_check_badge(payment))


def _queue(request: HttpRequest) -> Queue | None:
    """Return the work queue that is shown; by reason, it is that of what needs review."""
    chosen = "review" if "review_reason" in request.GET else request.GET.get("queue")
    return next((queue for queue in PAYMENT_QUEUES if queue.name == chosen), None)
