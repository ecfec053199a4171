"""How staff put payments on legal hold and release them: one page that names them and asks why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
from ..services.holds import MAX_REASON_LENGTH, put_on_hold, release_hold
from .chosen import NotChosen, named, ticked, way_back
from .display import mode_badge
from .read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Step:
    """One of the two things that can be done; `puts` tells which."""

    puts: bool
    title: _StrPromise
    effect: _StrPromise
    left_alone: _StrPromise

    @property
    def address(self) -> str:
        return "django_flowlix_payment_hold" if self.puts else "django_flowlix_payment_release"


PUT = Step(
    puts=True,
    title=gettext_lazy("Put on legal hold"),
    effect=gettext_lazy(
        "Calls, status changes and personal data of these payments are kept, however old they are and whoever asks for "
        "their erasure, until somebody releases the hold."
    ),
    left_alone=gettext_lazy("on legal hold already: it will be left as it is"),
)
RELEASE = Step(
    puts=False,
    title=gettext_lazy("Release legal hold"),
    effect=gettext_lazy(
        "What is older than it may be kept goes with the next run of flowlix_prune, and personal data can be erased on "
        "request again."
    ),
    left_alone=gettext_lazy("not on legal hold: it will be left as it is"),
)


class HoldForm(forms.Form):
    """The reason; what it may hold is the service's decision."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Such as the file number. It stands on the payment's timeline with your name."),
        widget=forms.TextInput(attrs={"class": "vTextField", "maxlength": MAX_REASON_LENGTH}),
    )


class HoldAdmin(ReadOnlyAdmin):
    """Adds `hold/` and `release/` and the actions that lead there; `hold_payment` is a permission of its own."""

    hold_template = "admin/django_flowlix/payment/hold.html"

    def get_urls(self) -> list[URLPattern]:
        # What a person has decided stays, whatever happens to the answer.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.hold_view))
        return [
            path("hold/", view, {"step": PUT}, name=PUT.address),
            path("release/", view, {"step": RELEASE}, name=RELEASE.address),
            *super().get_urls(),
        ]

    def has_hold_permission(self, request: HttpRequest) -> bool:
        may_hold = request.user.has_perm("django_flowlix.hold_payment")
        return may_hold and self.has_view_permission(request)

    @admin.action(description=PUT.title, permissions=["hold"])
    def put_on_legal_hold(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return self._lead_to(request, queryset, PUT)

    @admin.action(description=RELEASE.title, permissions=["hold"])
    def release_legal_hold(self, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
        return self._lead_to(request, queryset, RELEASE)

    def _lead_to(self, request: HttpRequest, queryset: QuerySet[Payment], step: Step) -> HttpResponse | None:
        try:
            payments = ticked(queryset)
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return None
        query = QueryDict(mutable=True)
        query.setlist("id", [str(payment.pk) for payment in payments])
        query["next"] = request.get_full_path()
        address = reverse(f"admin:{step.address}", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{address}?{query.urlencode()}")

    def hold_view(self, request: HttpRequest, step: Step) -> HttpResponse:
        """Show the payments of `id` and what the step means for them; on POST take it, with the reason."""
        if not self.has_hold_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        sent = request.POST if request.method == "POST" else request.GET
        try:
            payments = named(sent.getlist("id"), self.get_queryset(request))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return HttpResponseRedirect(way_back(request, self.admin_site))
        only_page = self._address_of(payments[0]) if len(payments) == 1 else ""
        back = way_back(request, self.admin_site, only_page)
        form = HoldForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._take(request, step, payments, form):
            return HttpResponseRedirect(back)
        return self._hold_page(request, step, payments, form, back)

    def _take(self, request: HttpRequest, step: Step, payments: Sequence[Payment], form: HoldForm) -> bool:
        """Take the step and say so; False when the reason will not do, and nothing is done."""
        reason, done = form.cleaned_data["reason"], 0
        take = put_on_hold if step.puts else release_hold
        for payment in payments:
            try:
                taken = take(payment, reason=reason, actor=request.user)
            except ValueError as error:
                form.add_error("reason", str(error))
                return False
            if taken:
                done += 1
                words = _("Put on legal hold: %(reason)s") if step.puts else _("Legal hold released: %(reason)s")
                self.log_change(request, payment, words % {"reason": reason})
        self._tell_of_step(request, step, done, len(payments) - done)
        return True

    def _tell_of_step(self, request: HttpRequest, step: Step, done: int, left_out: int) -> None:
        if done:
            words = (
                ngettext("%(count)s payment is on legal hold now.", "%(count)s payments are on legal hold now.", done)
                if step.puts
                else ngettext(
                    "The legal hold of %(count)s payment is released.",
                    "The legal hold of %(count)s payments is released.",
                    done,
                )
            )
            self.message_user(request, words % {"count": done}, messages.SUCCESS)
        if left_out:
            words = ngettext(
                "%(count)s payment was left as it is.", "%(count)s payments were left as they are.", left_out
            )
            self.message_user(request, words % {"count": left_out}, messages.WARNING)

    def _hold_page(
        self, request: HttpRequest, step: Step, payments: Sequence[Payment], form: HoldForm, back: str
    ) -> HttpResponse:
        lines = [
            {
                "payment": payment,
                "url": self._address_of(payment),
                "mode": mode_badge(payment),
                "changes": (payment.legal_hold_since is None) is step.puts,
            }
            for payment in payments
        ]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": step.title,
            "opts": self.opts,
            "media": self.media + form.media,
            "form": form,
            "step": step,
            "payments": lines,
            "something_to_do": any(line["changes"] for line in lines),
            "next": back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.hold_template, context)

    def _address_of(self, payment: Payment) -> str:
        name = "admin:django_flowlix_payment_change"
        return reverse(name, args=[quote(payment.pk)], current_app=self.admin_site.name)
