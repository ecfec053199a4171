"""How staff put payments on legal hold and release them."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from ..models import Payment
from ..services.holds import MAX_REASON_LENGTH, put_on_hold, release_hold
from .noted_step import NotedStep, NotedStepAdmin, note_field


class HoldForm(forms.Form):
    reason = note_field(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Such as the file number. It stands on the payment's timeline with your name."),
        most=MAX_REASON_LENGTH,
    )


class HoldStep(NotedStep):
    """What both ways have in common."""

    permission = "hold"
    form = HoldForm
    effect_heading = gettext_lazy("What will happen")
    told_of_left = ngettext_lazy(
        "%(count)s payment was left as it is.", "%(count)s payments were left as they are.", "count"
    )


class PutOnHold(HoldStep):
    name = "hold"
    title = gettext_lazy("Put on legal hold")
    explanation = gettext_lazy(
        "Calls, status changes and personal data of these payments are kept, however old they are and whoever asks for "
        "their erasure, until somebody releases the hold."
    )
    left_alone = gettext_lazy("on legal hold already: it will be left as it is")
    told_of_taken = ngettext_lazy(
        "%(count)s payment is on legal hold now.", "%(count)s payments are on legal hold now.", "count"
    )

    def effect_on(self, payment: Payment) -> str:
        return "" if payment.legal_hold_since else str(self.title)

    def take(self, request: HttpRequest, payment: Payment, note: str) -> str:
        done = put_on_hold(payment, reason=note, actor=request.user)
        return _("Put on legal hold: %(reason)s") % {"reason": note} if done else ""


class ReleaseHold(HoldStep):
    name = "release"
    title = gettext_lazy("Release legal hold")
    explanation = gettext_lazy(
        "What is older than it may be kept goes with the next run of flowlix_prune, and personal data can be erased on "
        "request again."
    )
    left_alone = gettext_lazy("not on legal hold: it will be left as it is")
    told_of_taken = ngettext_lazy(
        "The legal hold of %(count)s payment is released.", "The legal hold of %(count)s payments is released.", "count"
    )

    def effect_on(self, payment: Payment) -> str:
        return str(self.title) if payment.legal_hold_since else ""

    def take(self, request: HttpRequest, payment: Payment, note: str) -> str:
        done = release_hold(payment, reason=note, actor=request.user)
        return _("Legal hold released: %(reason)s") % {"reason": note} if done else ""


PUT, RELEASE = PutOnHold(), ReleaseHold()


class HoldAdmin(NotedStepAdmin):
    """Adds `hold/` and `release/` and the actions that lead there; `hold_payment` is a permission of its own."""

    def get_urls(self) -> list[URLPattern]:
        return [self.url_of(PUT), self.url_of(RELEASE), *super().get_urls()]

    def has_hold_permission(self, request: HttpRequest) -> bool:
        may_hold = request.user.has_perm("django_flowlix.hold_payment")
        return may_hold and self.has_view_permission(request)

    @admin.action(description=PUT.title, permissions=["hold"])
    def put_on_legal_hold(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return self.lead_to(PUT, request, queryset)

    @admin.action(description=RELEASE.title, permissions=["hold"])
    def release_legal_hold(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return self.lead_to(RELEASE, request, queryset)
