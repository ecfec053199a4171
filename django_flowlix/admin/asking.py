"""How staff ask the gateway now: from a payment's page, a row of a work queue or the ticked rows of the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Payment
from ..services.asking import AskReport, ask_now
from .chosen import NotChosen, named, ticked, way_back
from .read_only import ReadOnlyAdmin


class AskingAdmin(ReadOnlyAdmin):
    """Adds `ask/` and the action; who may look at payments may also look again."""

    def get_urls(self) -> list[URLPattern]:
        # The service commits what the gateway said as it goes: a transaction around the view would undo that.
        ask = transaction.non_atomic_requests(self.admin_site.admin_view(self.ask_view))
        inherited = super().get_urls()
        for pattern in inherited:
            if pattern.name == "django_flowlix_payment_changelist":
                transaction.non_atomic_requests(pattern.callback)  # the action is posted to the list's address
        return [path("ask/", ask, name="django_flowlix_payment_ask"), *inherited]

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        """Ask about the payments whose keys are posted as `id`, and lead back to `next`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            self._ask(request, named(request.POST.getlist("id"), self.get_queryset(request)))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
        return HttpResponseRedirect(way_back(request, self.admin_site))

    @admin.action(description=gettext_lazy("Ask the gateway now"), permissions=["view"])
    def ask_the_gateway(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        try:
            self._ask(request, ticked(queryset))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)

    def _ask(self, request: HttpRequest, payments: list[Payment]) -> None:
        report = ask_now(payments)
        troubled = report.failed or report.left
        level = messages.WARNING if troubled else messages.SUCCESS if report.changed else messages.INFO
        asked = ngettext("Asked about %(count)s payment.", "Asked about %(count)s payments.", len(payments))
        told = [asked % {"count": len(payments)}, *_sentences(payments, report)]
        self.message_user(request, " ".join(told), level)

    def ask_button(self, back: str) -> Callable[[Payment], SafeString]:
        """Return a column of the list: a button of the list's own form, so that it works without a script."""
        address = reverse("admin:django_flowlix_payment_ask", current_app=self.admin_site.name)
        target = f"{address}?{urlencode({'next': back})}"

        @admin.display(description=gettext_lazy("gateway"))
        def ask(payment: Payment) -> SafeString:
            label = _("Ask now: order %(order)s") % {"order": payment.order_reference}
            button = (
                '<button type="submit" class="flowlix-ask" formaction="{}" name="id" value="{}" title="{}">{}</button>'
            )
            return format_html(button, target, payment.pk, label, _("Ask now"))

        return ask


def _sentences(payments: Sequence[Payment], report: AskReport) -> Iterator[str]:
    """Say in plain words what came out; what the report counts are payments and their refunds."""
    settled = bool(report.changed or report.unchanged)
    if settled and not report.failed and not report.left and len(payments) == 1:
        yield _about_one(payments[0], changed=bool(report.changed))
        return
    if report.changed:
        words = ngettext("%(count)s has changed.", "%(count)s have changed.", report.changed)
        yield words % {"count": report.changed}
    if report.unchanged:
        words = ngettext("Nothing new about %(count)s.", "Nothing new about %(count)s.", report.unchanged)
        yield words % {"count": report.unchanged}
    if report.failed:
        words = ngettext("%(count)s could not be asked about.", "%(count)s could not be asked about.", report.failed)
        yield words % {"count": report.failed}
    if report.left:
        words = ngettext(
            "%(count)s was not reached in time: flowlix_sync will take it up.",
            "%(count)s were not reached in time: flowlix_sync will take them up.",
            report.left,
        )
        yield words % {"count": report.left}
    if not settled and not report.failed and not report.left:
        yield _("There is nothing to ask about: the gateway does not have it, or it is being asked right now.")
    yield from report.errors


def _about_one(payment: Payment, *, changed: bool) -> str:
    payment.refresh_from_db(fields=["status"])
    words = {"order": payment.order_reference, "status": payment.get_status_display()}
    if changed:  # its status, or one of its refunds
        return _("Something has changed: order %(order)s is now “%(status)s”.") % words
    return _("The gateway has nothing new: order %(order)s is still “%(status)s”.") % words
