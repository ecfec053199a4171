"""How staff mark payments as reviewed: one page that says what they are about to mark, and asks for a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Payment
from ..services import clock
from ..services.reviews import MAX_NOTE_LENGTH, mark_reviewed
from ..statuses import ReviewReason
from .chosen import NotChosen, named, ticked, way_back
from .display import mode_badge
from .read_only import ReadOnlyAdmin

STUCK = gettext_lazy("the gateway has not decided for too long")


class ReviewForm(forms.Form):
    """The note; what it may hold is the service's decision."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What you found, or why this needs nothing more. It stands on the payment's timeline."),
        widget=forms.TextInput(attrs={"class": "vTextField", "maxlength": MAX_NOTE_LENGTH}),
    )


class ReviewAdmin(ReadOnlyAdmin):
    """Adds `review/` and the action that leads there; `review_payment` is a permission of its own."""

    review_template = "admin/django_flowlix/payment/review.html"

    def get_urls(self) -> list[URLPattern]:
        # What a person has decided stays, whatever happens to the answer.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.review_view))
        return [path("review/", view, name="django_flowlix_payment_review"), *super().get_urls()]

    def has_review_permission(self, request: HttpRequest) -> bool:
        may_review = request.user.has_perm("django_flowlix.review_payment")
        return may_review and self.has_view_permission(request)

    @admin.action(description=gettext_lazy("Mark as reviewed"), permissions=["review"])
    def mark_as_reviewed(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        try:
            payments = ticked(queryset)
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return None
        query = QueryDict(mutable=True)
        query.setlist("id", [str(payment.pk) for payment in payments])
        query["next"] = request.get_full_path()
        address = reverse("admin:django_flowlix_payment_review", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{address}?{query.urlencode()}")

    def review_view(self, request: HttpRequest) -> HttpResponse:
        """Show the payments of `id` and what is to be reviewed in each; on POST mark them with the note."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        sent = request.POST if request.method == "POST" else request.GET
        try:
            payments = named(sent.getlist("id"), self.get_queryset(request))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return HttpResponseRedirect(way_back(request, self.admin_site))
        form = ReviewForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._mark(request, _as_seen(payments, request.POST), form):
            return HttpResponseRedirect(self._back(request, payments))
        return self._review_page(request, payments, form)

    def _back(self, request: HttpRequest, payments: Sequence[Payment]) -> str:
        """Return where it leads back to: a single payment's page unless the request says otherwise."""
        return way_back(request, self.admin_site, self._page_of(payments[0]) if len(payments) == 1 else "")

    def _mark(self, request: HttpRequest, payments: Sequence[Payment], form: ReviewForm) -> bool:
        """Mark them and say so; False when the note will not do, and none is marked."""
        note, done = form.cleaned_data["note"], 0
        for payment in payments:
            reason = str(payment.get_review_reason_display()) or str(STUCK)
            try:
                marked = mark_reviewed(payment, note=note, actor=request.user)
            except ValueError as error:
                form.add_error("note", str(error))
                return False
            if marked:
                done += 1
                self.log_change(
                    request, payment, _("Reviewed (%(reason)s): %(note)s") % {"reason": reason, "note": note}
                )
        self._tell(request, done, len(payments) - done)
        return True

    def _tell(self, request: HttpRequest, done: int, left_out: int) -> None:
        if done:
            words = ngettext(
                "%(count)s payment is marked as reviewed.", "%(count)s payments are marked as reviewed.", done
            )
            self.message_user(request, words % {"count": done}, messages.SUCCESS)
        if left_out:
            words = ngettext(
                "%(count)s payment is not: nothing to review, or something else came up since you looked.",
                "%(count)s payments are not: nothing to review, or something else came up since you looked.",
                left_out,
            )
            self.message_user(request, words % {"count": left_out}, messages.WARNING)

    def _review_page(self, request: HttpRequest, payments: Sequence[Payment], form: ReviewForm) -> HttpResponse:
        lines = self._lines(payments)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Mark as reviewed"),
            "opts": self.opts,
            "media": self.media + form.media,
            "form": form,
            "payments": lines,
            "something_to_review": any(line["reason"] for line in lines),
            "next": self._back(request, payments),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.review_template, context)

    def _lines(self, payments: Sequence[Payment]) -> list[dict[str, Any]]:
        among = Payment.objects.filter(pk__in=[payment.pk for payment in payments])
        stuck = set(among.stuck(clock.now()).values_list("pk", flat=True))
        return [
            {
                "payment": payment,
                "url": self._page_of(payment),
                "mode": mode_badge(payment),
                "reason": payment.get_review_reason_display() or (STUCK if payment.pk in stuck else ""),
            }
            for payment in payments
        ]

    def _page_of(self, payment: Payment) -> str:
        name = "admin:django_flowlix_payment_change"
        return reverse(name, args=[quote(payment.pk)], current_app=self.admin_site.name)


def _as_seen(payments: Sequence[Payment], posted: QueryDict) -> list[Payment]:
    """Return the payments with the reason the person saw: the service leaves alone what came up since then."""
    seen = set(posted.getlist("seen"))
    for payment in payments:
        for reason in ("", *ReviewReason.values):
            if f"{payment.pk}:{reason}" in seen:
                payment.review_reason = reason
    return list(payments)
