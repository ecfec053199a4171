"""The refund screen: a form, a confirmation with a token for one refund, and the result in plain words."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote as quote_key
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..exceptions import InvalidRefundRequest, RefundRejected
from ..models import Payment, Refund
from ..services import refund_payment
from ..services.refund_request import quote
from ..services.refunds import submitted_refund
from ..statuses import RefundSource
from .display import card_text
from .read_only import ReadOnlyAdmin
from .refund_form import RefundForm
from .refund_result import new_token, result_of, submission_of


class RefundScreen(ReadOnlyAdmin):
    """Adds `<payment>/refund/` to the payment's screens; `refund_payment` is a permission of its own."""

    refund_form_template = "admin/django_flowlix/payment/refund_form.html"
    refund_confirm_template = "admin/django_flowlix/payment/refund_confirm.html"

    def get_urls(self) -> list[URLPattern]:
        # The service commits before it calls the gateway: a transaction around the view would undo that.
        view = transaction.non_atomic_requests(self.admin_site.admin_view(self.refund_view))
        own = path("<path:object_id>/refund/", view, name="django_flowlix_payment_refund")
        return [own, *super().get_urls()]

    def has_refund_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        may_refund = request.user.has_perm("django_flowlix.refund_payment")
        return may_refund and self.has_view_permission(request, obj)

    def refund_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form on GET; on POST check it, ask for confirmation, or refund. Asked for permission every time."""
        if not self.has_refund_permission(request):
            raise PermissionDenied
        payment = self.get_object(request, unquote(object_id))
        if payment is None:
            raise Http404(_("There is no such payment."))
        if not self.has_refund_permission(request, payment):
            raise PermissionDenied
        if request.method == "POST":
            return self._posted(request, payment)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        return self._form_page(request, payment, RefundForm(payment, quote(payment)))

    def _posted(self, request: HttpRequest, payment: Payment) -> HttpResponse:
        step, token = request.POST.get("step"), request.POST.get("token", "")
        submission = submission_of(token, payment, request.user) if step == "refund" else None
        form = RefundForm(payment, quote(payment), request.POST)
        is_valid = form.is_valid()
        # Looked for after the form has read the books: what it saw of the first click's refund is found here.
        if submission and (first := submitted_refund(submission)):
            return self._result_page(request, payment, first)
        if step == "change" or not is_valid:
            return self._form_page(request, payment, form)
        if submission is None:
            return self._confirm_page(request, payment, form, expired=step == "refund")
        return self._refund(request, payment, form, submission)

    def _refund(self, request: HttpRequest, payment: Payment, form: RefundForm, submission: str) -> HttpResponse:
        amount, reason = form.cleaned_data["amount"], form.cleaned_data["reason"]
        try:
            refund = refund_payment(
                payment,
                amount,
                reason=reason,
                actor=request.user,
                source=RefundSource.ADMIN,
                submission_token=submission,
            )
        except InvalidRefundRequest as error:
            # Another click with the same token, or another person, was faster.
            if first := submitted_refund(submission):
                return self._result_page(request, payment, first)
            form.add_faults(error)
            return self._form_page(request, payment, form)
        except RefundRejected as error:
            if error.refund is None:
                raise
            refund = error.refund
        if not refund.is_repeat:  # else another click with the same token has made it, and logs it
            self._log_refund(request, payment, refund)
        return self._result_page(request, payment, refund)

    def _log_refund(self, request: HttpRequest, payment: Payment, refund: Refund) -> None:
        words = {"number": refund.sequence, "amount": refund.amount, "reason": refund.reason}
        asked = _("Asked for refund %(number)s over %(amount)s: “%(reason)s”.") % words
        self.log_change(request, payment, f"{asked} {result_of(refund)[1]}")

    def _result_page(self, request: HttpRequest, payment: Payment, refund: Refund) -> HttpResponse:
        level, sentence = result_of(refund)
        self.message_user(request, sentence, level)
        return HttpResponseRedirect(self._page_of(payment))

    def _form_page(self, request: HttpRequest, payment: Payment, form: RefundForm) -> HttpResponse:
        return self._page(request, payment, form, self.refund_form_template, title=_("Refund a payment"))

    def _confirm_page(self, request: HttpRequest, payment: Payment, form: RefundForm, *, expired: bool) -> HttpResponse:
        token = new_token(payment, request.user)
        amount_text = str(form.cleaned_data["amount"].major)  # templates would write a Decimal as the language does
        return self._page(
            request,
            payment,
            form,
            self.refund_confirm_template,
            title=_("Confirm the refund"),
            token=token,
            amount_text=amount_text,
            expired=expired,
        )

    def _page(
        self, request: HttpRequest, payment: Payment, form: RefundForm, template: str, **context: Any
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media + form.media,
            "payment": payment,
            "payment_url": self._page_of(payment),
            "card": card_text(payment),
            "form": form,
            "quote": form.quoted,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, shared | context)

    def _page_of(self, payment: Payment) -> str:
        name = "admin:django_flowlix_payment_change"
        return reverse(name, args=[quote_key(payment.pk)], current_app=self.admin_site.name)
