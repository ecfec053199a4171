"""A step that staff take on chosen payments with a note: one page says what it does to each and asks for the note."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ..models import Payment
from .chosen import NotChosen, named, ticked, way_back
from .display import mode_badge
from .read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class NotedStep(ABC):
    """What such a step is called, what it says, and how it is taken."""

    name: ClassVar[str]
    """Of its page: `hold` is at `hold/` and has the address `django_flowlix_payment_hold`."""
    permission: ClassVar[str]
    """`hold`: the admin class has `has_hold_permission`, as for an action."""
    template: ClassVar[str] = "admin/django_flowlix/payment/noted_step.html"
    form: ClassVar[type[forms.Form]]
    """It has one field, a `note_field`."""
    title: ClassVar[_StrPromise]
    explanation: ClassVar[_StrPromise | str] = ""
    effect_heading: ClassVar[_StrPromise]
    left_alone: ClassVar[_StrPromise]
    told_of_taken: ClassVar[_StrPromise]
    told_of_left: ClassVar[_StrPromise]
    """Both hold a `%(count)s` of payments."""

    @property
    def address(self) -> str:
        return f"django_flowlix_payment_{self.name}"

    @abstractmethod
    def effect_on(self, payment: Payment) -> str:
        """Say what it does to this payment or settles in it; "" if it leaves it alone."""

    @abstractmethod
    def take(self, request: HttpRequest, payment: Payment, note: str) -> str:
        """Take it; returns the words for the admin's log, "" if the payment was left alone.

        Raises: ValueError with a sentence about the note
        """


def note_field(*, label: _StrPromise, help_text: _StrPromise, most: int) -> forms.CharField:
    """Return a field of one line; what it may hold, and that there are at most `most`, is the service's decision."""
    widget = forms.TextInput(attrs={"class": "vTextField", "maxlength": most})
    return forms.CharField(label=label, help_text=help_text, widget=widget)


class NotedStepAdmin(ReadOnlyAdmin):
    """What an admin class needs to offer such steps: the address of the page, and how an action leads there."""

    def url_of(self, step: NotedStep) -> URLPattern:
        # What a person has decided stays, whatever happens to the answer.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.noted_step_view))
        return path(f"{step.name}/", view, {"step": step}, name=step.address)

    def lead_to(self, step: NotedStep, request: HttpRequest, queryset: QuerySet[Payment]) -> HttpResponse | None:
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

    def noted_step_view(self, request: HttpRequest, step: NotedStep) -> HttpResponse:
        """Show the payments of `id` and what the step does to each; on POST take it, with the note."""
        if not getattr(self, f"has_{step.permission}_permission")(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        posted = request.POST if request.method == "POST" else None
        try:
            payments = named((request.GET if posted is None else posted).getlist("id"), self.get_queryset(request))
        except NotChosen as answer:
            self.message_user(request, str(answer), messages.WARNING)
            return HttpResponseRedirect(way_back(request, self.admin_site))
        only_page = self._page_of(payments[0]) if len(payments) == 1 else ""
        back = way_back(request, self.admin_site, only_page)
        form = step.form(posted)
        if form.is_valid() and self._take(request, step, payments, form):
            return HttpResponseRedirect(back)
        return self._step_page(request, step, payments, form, back)

    def _take(self, request: HttpRequest, step: NotedStep, payments: Sequence[Payment], form: forms.Form) -> bool:
        """Take the step and say so; False when the note will not do, and nothing is done."""
        ((field, note),) = form.cleaned_data.items()
        taken = 0
        for payment in payments:
            try:
                log_words = step.take(request, payment, note)
            except ValueError as error:
                form.add_error(field, str(error))
                return False
            if log_words:
                taken += 1
                self.log_change(request, payment, log_words)
        if taken:
            self.message_user(request, step.told_of_taken % {"count": taken}, messages.SUCCESS)
        if left := len(payments) - taken:
            self.message_user(request, step.told_of_left % {"count": left}, messages.WARNING)
        return True

    def _step_page(
        self, request: HttpRequest, step: NotedStep, payments: Sequence[Payment], form: forms.Form, back: str
    ) -> HttpResponse:
        lines = [
            {
                "payment": payment,
                "url": self._page_of(payment),
                "mode": mode_badge(payment),
                "effect": step.effect_on(payment),
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
            "something_to_do": any(line["effect"] for line in lines),
            "next": back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, step.template, context)

    def _page_of(self, payment: Payment) -> str:
        name = "admin:django_flowlix_payment_change"
        return reverse(name, args=[quote(payment.pk)], current_app=self.admin_site.name)
