"""The first live payments of the database, one by one, with every exchange: what to watch after going live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..conf import accounts
from ..models import ApiCall, Payment, Refund, StatusChange
from ..services import clock
from .display import self_check_badge, state_badges
from .explanations import Notice, notices
from .filters import configured_aliases
from .read_only import ReadOnlyAdmin
from .records import Records
from .timeline import Timeline, timeline

PER_PAGE = 20
LAST_PAGE = 50
MOST_ROWS = 5000
"""Of exchanges, and of changes, on one page: a waiting page that is left open asks for days."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: as it should be, or not; None when that cannot be told any more."""

    is_fine: bool | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One payment with its story; `number` counts the live payments from 1."""

    number: int
    payment: Payment
    url: str
    state: SafeString
    decline: str
    notices: list[Notice]
    findings: list[Finding]
    timeline: Timeline


class FirstTransactionsAdmin(ReadOnlyAdmin):
    """Adds `first/`, for whoever may see payments."""

    first_transactions_template = "admin/django_flowlix/first_transactions.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.first_transactions_view)
        return [path("first/", view, name="django_flowlix_first_transactions"), *super().get_urls()]

    def first_transactions_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of live payments, the oldest first: `?page=2`, `?account=eu`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        account, page = self._account(request), self._page_number(request)
        payments = _first_live(self.get_queryset(request), account, page)
        found = read_all(payments[:PER_PAGE])
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("First transactions"),
            "opts": self.opts,
            "media": self.media,
            "transactions": [*map(self._transaction, count((page - 1) * PER_PAGE + 1), found)],
            "is_cut": _is_cut(found),
            "account": account,
            "aliases": configured_aliases(),
            "page": page,
            "previous": _query(account, page - 1) if page > 1 else "",
            "next": _query(account, page + 1) if len(payments) > PER_PAGE and page < LAST_PAGE else "",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.first_transactions_template, context)

    def _account(self, request: HttpRequest) -> str:
        asked = request.GET.get("account", "")
        if not asked or asked in configured_aliases():
            return asked
        messages.warning(request, _("There is no account “%(value)s”: all accounts are shown.") % {"value": asked[:50]})
        return ""

    def _page_number(self, request: HttpRequest) -> int:
        asked = request.GET.get("page", "1")
        if asked.isascii() and asked.isdigit() and len(asked) < 4 and 1 <= int(asked) <= LAST_PAGE:
            return int(asked)
        words = {"value": asked[:50], "last": LAST_PAGE}
        messages.warning(request, _("There is no page “%(value)s”, only 1 to %(last)s: the first is shown.") % words)
        return 1

    def _transaction(self, number: int, records: Records) -> Transaction:
        payment = records.payment
        decline = payment.decline
        name = "admin:django_flowlix_payment_change"
        return Transaction(
            number=number,
            payment=payment,
            url=reverse(name, args=[quote(payment.pk)], current_app=self.admin_site.name),
            state=format_html("{} {}", state_badges(payment), self_check_badge(payment)),
            decline=f"{decline.code or '-'}: {_(decline.staff_text)}" if decline else "",
            notices=[*notices(payment, records.refunds)],
            findings=[*findings(records)],
            timeline=timeline(records),
        )


def _first_live(payments: QuerySet[Payment], account: str, page: int) -> list[Payment]:
    """Return a page of live payments, the oldest first, and one more if there is a next page."""
    found = payments.filter(livemode=True, **{"account": account} if account else {}).order_by("created_at", "pk")
    begin = (page - 1) * PER_PAGE
    return list(found[begin : begin + PER_PAGE + 1])


def read_all(payments: Sequence[Payment]) -> list[Records]:
    """Read what belongs to several payments. Three statements, however many they are."""
    refunds: defaultdict[int, list[Refund]] = defaultdict(list)
    calls: defaultdict[int | None, list[ApiCall]] = defaultdict(list)
    changes: defaultdict[int, list[StatusChange]] = defaultdict(list)
    if payments:
        order = ("created_at", "pk")
        for refund in Refund.objects.filter(payment__in=payments).defer("request_body").order_by(*order):
            refunds[refund.payment_id].append(refund)
        for call in ApiCall.objects.filter(payment__in=payments).order_by(*order)[:MOST_ROWS]:
            calls[call.payment_id].append(call)
        for change in StatusChange.objects.filter(payment__in=payments).order_by(*order)[:MOST_ROWS]:
            changes[change.payment_id].append(change)
    return [
        Records(payment=payment, refunds=refunds[payment.pk], calls=calls[payment.pk], changes=changes[payment.pk])
        for payment in payments
    ]


def _is_cut(found: Sequence[Records]) -> bool:
    calls = sum(len(records.calls) for records in found)
    return max(calls, sum(len(records.changes) for records in found)) >= MOST_ROWS


def findings(records: Records) -> Iterator[Finding]:
    """Yield what somebody who watches a first payment would check."""
    payment = records.payment
    yield Finding(not payment.is_open, _("decided") if not payment.is_open else _("not decided yet"))
    yield _told(payment, records.changes)
    yield _request_ids(records.calls) if records.calls else _no_exchange(payment)
    yield Finding(not payment.review_reason, _("needs review") if payment.review_reason else _("nothing to review"))


def _told(payment: Payment, changes: Sequence[StatusChange]) -> Finding:
    if payment.from_checklist:
        return Finding(True, _("a self-check: your code is not told"))
    signals = [change for change in changes if change.signal]
    if not signals:
        return Finding(True, _("nothing to tell your code yet"))
    if waiting := [change for change in signals if change.delivered_at is None]:
        raised = any(change.delivery_attempts for change in waiting)
        return Finding(False, _("your code raised, and is called again") if raised else _("your code is not told yet"))
    return Finding(True, _("your code was told"))


def _request_ids(calls: Sequence[ApiCall]) -> Finding:
    number = sum(not call.request_id for call in calls)
    if not number:
        words = ngettext("%(count)s exchange, with request id", "%(count)s exchanges, all with request id", len(calls))
        return Finding(True, words % {"count": len(calls)})
    words = ngettext("%(count)s exchange without request id", "%(count)s exchanges without request id", number)
    return Finding(False, words % {"count": number})


def _no_exchange(payment: Payment) -> Finding:
    """Tell exchanges that `flowlix_prune` has deleted from those that never were."""
    if payment.request_id or _is_past_retention(payment):
        return Finding(None, _("its exchanges are pruned"))
    return Finding(False, _("no exchange on record"))


def _is_past_retention(payment: Payment) -> bool:
    try:
        account = accounts().get(payment.account)
    except ImproperlyConfigured:
        return False
    days = account.retention.calls_days if account else None
    return days is not None and payment.created_at < clock.now() - timedelta(days=days)


def _query(account: str, page: int) -> str:
    query = QueryDict(mutable=True)
    query.update({"page": str(page), **({"account": account} if account else {})})
    return f"?{query.urlencode()}"
