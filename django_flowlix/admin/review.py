"""How staff mark payments as reviewed: only what they have seen."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from ..models import Payment
from ..services.reviews import MAX_NOTE_LENGTH, mark_reviewed
from ..statuses import ReviewReason
from .explanations import is_stuck
from .noted_step import NotedStep, NotedStepAdmin, note_field

STUCK = gettext_lazy("the gateway has not decided for too long")


class ReviewForm(forms.Form):
    note = note_field(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What you found, or why this needs nothing more. It stands on the payment's timeline."),
        most=MAX_NOTE_LENGTH,
    )


class Review(NotedStep):
    name = "review"
    permission = "review"
    template = "admin/django_flowlix/payment/review.html"
    form = ReviewForm
    title = gettext_lazy("Mark as reviewed")
    effect_heading = gettext_lazy("What to look at")
    left_alone = gettext_lazy("nothing: it will be left as it is")
    told_of_taken = ngettext_lazy(
        "%(count)s payment is marked as reviewed.", "%(count)s payments are marked as reviewed.", "count"
    )
    told_of_left = ngettext_lazy(
        "%(count)s payment is not: nothing to review, or something else came up since you looked.",
        "%(count)s payments are not: nothing to review, or something else came up since you looked.",
        "count",
    )

    def effect_on(self, payment: Payment) -> str:
        return str(payment.get_review_reason_display() or (STUCK if is_stuck(payment) else ""))

    def take(self, request: HttpRequest, payment: Payment, note: str) -> str:
        # The reason that the person saw: the service leaves alone what came up since then.
        payment.review_reason = _seen(request, payment)
        reason = payment.get_review_reason_display() or STUCK
        done = mark_reviewed(payment, note=note, actor=request.user)
        return _("Reviewed (%(reason)s): %(note)s") % {"reason": reason, "note": note} if done else ""


REVIEW = Review()


class ReviewAdmin(NotedStepAdmin):
    """Adds `review/` and the action that leads there; `review_payment` is a permission of its own."""

    def get_urls(self) -> list[URLPattern]:
        return [self.url_of(REVIEW), *super().get_urls()]

    def has_review_permission(self, request: HttpRequest) -> bool:
        may_review = request.user.has_perm("django_flowlix.review_payment")
        return may_review and self.has_view_permission(request)

    @admin.action(description=REVIEW.title, permissions=["review"])
    def mark_as_reviewed(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return self.lead_to(REVIEW, request, queryset)


def _seen(request: HttpRequest, payment: Payment) -> str:
    seen = request.POST.getlist("seen")
    reasons = ("", *ReviewReason.values)
    return next((reason for reason in reasons if f"{payment.pk}:{reason}" in seen), payment.review_reason)
