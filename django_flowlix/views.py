"""The hosted payment's pages: start, return, status poll, waiting page, result. Input → one service call → output.

All are open to people who are not logged in (the return token is the permission), never cached, never framed, and
outside the request's transaction, because the services commit before they talk to the gateway.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_deny
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from .api import FlowlixError
from .exceptions import (
    AlreadyPaid,
    InvalidPaymentRequest,
    PaymentError,
    PaymentRejected,
    PaymentUnavailable,
    PaymentUnconfirmed,
)
from .models import Payment
from .services import PaymentRequest, start_payment, sync_payment
from .services.payments import resume_payment
from .services.schedule import ASK_AGAIN_AFTER_SECONDS
from .statuses import ChangeSource, PaymentStatus

logger = logging.getLogger("django_flowlix")

POLL_DEADLINE_SECONDS = 5.0
REFRESH_SECONDS = 5


class CheckoutView(View):
    """What all views here share; set in `as_view`, so that a subclass with its own `dispatch` keeps it."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        view = cls.protect(super().as_view(**initkwargs))
        return login_not_required(transaction.non_atomic_requests(never_cache(xframe_options_deny(view))))

    @staticmethod
    def protect(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return csrf_protect(view)


class HostedPaymentView(CheckoutView):
    """Starts the payment of an order and sends the customer to the hosted page; POST only, with a CSRF token.

    Override `get_payment_request`, and `success_url`/`failure_url` or their getters. Check there that the order is
    this customer's.
    """

    http_method_names = ("post", "options")
    success_url = ""
    failure_url = ""

    def get_payment_request(self) -> PaymentRequest:
        """Return what is to be paid."""
        raise ImproperlyConfigured(f"{type(self).__name__} needs get_payment_request()")

    def get_success_url(self) -> str:
        return str(self.success_url)

    def get_failure_url(self) -> str:
        return str(self.failure_url)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            payment = start_payment(
                self.get_payment_request(),
                success_url=self.get_success_url(),
                failure_url=self.get_failure_url(),
            )
        except PaymentError as error:
            return _answer_to(request, error)
        return HttpResponseRedirect(payment.hosted_page_url)


class ReturnView(CheckoutView):
    """Where the gateway sends the customer back, GET or POST; what the query says is a hint and proves nothing."""

    @staticmethod
    def protect(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return csrf_exempt(view)  # the gateway posts here from its own origin; nothing but a look follows

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        payment = get_object_or_404(Payment, return_token=token)
        if any(claimed != payment.gateway_id for claimed in _claimed_ids(request)):
            logger.warning("payment %s: a return named another payment's id; refused", payment.pk)
            return _problem(
                request,
                400,
                _("This address does not belong to your payment"),
                message=_("Please go back to the shop: your order's page shows how the payment stands."),
            )
        payment = _looked_at(payment)
        return HttpResponseRedirect(_next_url(payment) or payment.get_absolute_url())

    post = get


class PendingView(CheckoutView):
    """The page of a payment that is not decided yet; works by reloading, and better with JavaScript."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        payment = _looked_at(get_object_or_404(Payment, return_token=token), asks_again=True)
        if url := _next_url(payment):
            return HttpResponseRedirect(url)
        is_new = payment.status == PaymentStatus.CREATED and payment.superseded_at is None
        context = {
            "payment": payment,
            "status_url": reverse("django_flowlix:status", args=[token]) + ("?from=created" if is_new else ""),
            "continue_url": reverse("django_flowlix:continue", args=[token]) if is_new else "",
            "refresh_seconds": REFRESH_SECONDS,
        }
        return render(request, "django_flowlix/pending.html", context)


class StatusView(CheckoutView):
    """How the payment stands, for the waiting page: `{"state": …, "next": address or ""}`."""

    def get(self, request: HttpRequest, token: str) -> JsonResponse:
        payment = _looked_at(get_object_or_404(Payment, return_token=token), asks_again=True)
        url = _next_url(payment)
        # A customer who waited for the start goes on to pay; one who has paid must not be sent to pay again.
        if request.GET.get("from") == PaymentStatus.CREATED:
            url = url or _hosted_page_url(payment)
        return JsonResponse({"state": payment.status, "next": url})


class ContinueView(CheckoutView):
    """Goes on with a start whose outcome is unknown, under the same key; POST only, with a CSRF token."""

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        payment = get_object_or_404(Payment, return_token=token)
        try:
            payment = resume_payment(payment)
        except PaymentError as error:
            return _answer_to(request, error)
        return HttpResponseRedirect(_hosted_page_url(payment) or payment.get_absolute_url())


class ResultView(CheckoutView):
    """How the payment ended, for shops that have no pages of their own for it; no personal data."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        payment = get_object_or_404(Payment, return_token=token)
        if payment.is_open:
            return HttpResponseRedirect(payment.get_absolute_url())
        paid = payment.status == PaymentStatus.SUCCEEDED
        context = {"payment": payment, "paid": paid, "decline": payment.decline}
        return render(request, "django_flowlix/result.html", context)


def _looked_at(payment: Payment, *, asks_again: bool = False) -> Payment:
    """Return the payment as the gateway sees it now, or as it was when the gateway cannot be asked.

    A page that asks again anyway neither holds a worker for all the retries nor takes the checkout's requests.
    """
    if payment.status == PaymentStatus.SUCCEEDED:
        return payment
    try:
        return sync_payment(
            payment,
            source=ChangeSource.RETURN,
            min_age_seconds=ASK_AGAIN_AFTER_SECONDS,
            deadline_seconds=POLL_DEADLINE_SECONDS if asks_again else None,
            can_wait=asks_again,
        )
    except (FlowlixError, PaymentError, DatabaseError) as error:
        logger.warning("payment %s could not be verified now: %s", payment.pk, error)
        return payment


def _next_url(payment: Payment) -> str:
    """Return where the customer goes with a decided payment, "" while it is open."""
    if payment.is_open:
        return ""
    own_page = payment.success_url if payment.status == PaymentStatus.SUCCEEDED else payment.failure_url
    return own_page or reverse("django_flowlix:result", args=[payment.return_token])


def _hosted_page_url(payment: Payment) -> str:
    """Return where the customer can still pay; "" for an attempt that another amount has replaced."""
    payable = payment.status == PaymentStatus.PENDING and payment.superseded_at is None
    return payment.hosted_page_url if payable else ""


def _claimed_ids(request: HttpRequest) -> list[str]:
    return request.GET.getlist("payment_id") + request.POST.getlist("payment_id")


def _answer_to(request: HttpRequest, error: PaymentError) -> HttpResponse:
    """Turn what the service raised into what the customer reads; never a word of failure while the outcome is open."""
    match error:
        case AlreadyPaid(payment=Payment() as payment):
            return HttpResponseRedirect(_next_url(payment))
        case PaymentUnconfirmed(payment=Payment() as payment):
            return HttpResponseRedirect(payment.get_absolute_url())
        case InvalidPaymentRequest():
            logger.warning("a payment was not started: %s", error)
            return _problem(request, 400, _("Some details are missing or cannot be used"), faults=error.faults)
        case PaymentUnavailable():
            return _problem(
                request,
                503,
                _("Payments are not available right now"),
                message=_("You have not been charged. Please try again in a moment."),
                payment=error.payment,
                retry_after_seconds=math.ceil(error.retry_after_seconds),
            )
        case PaymentRejected():
            return _problem(
                request,
                502,
                _("The payment could not be started"),
                message=_("You have not been charged. Please contact the shop if this happens again."),
            )
    raise error


def _problem(
    request: HttpRequest,
    status: int,
    title: str,
    *,
    message: str = "",
    faults: tuple[str, ...] = (),
    payment: Payment | None = None,
    retry_after_seconds: int | None = None,
) -> HttpResponse:
    continue_url = ""
    if payment is not None and payment.status == PaymentStatus.CREATED:
        continue_url = reverse("django_flowlix:continue", args=[payment.return_token])
    context = {
        "title": title,
        "message": message,
        "faults": faults,
        "retry_after_seconds": retry_after_seconds,
        "continue_url": continue_url,
    }
    response = render(request, "django_flowlix/problem.html", context, status=status)
    if retry_after_seconds is not None:
        response["Retry-After"] = str(retry_after_seconds)
    return response
