"""A small shop of its own: the views a merchant writes, and nothing of the example project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path

from django_flowlix.api import Money
from django_flowlix.services import PaymentRequest
from django_flowlix.views import HostedPaymentView
from tests.conftest import a_request

PRICES = {"cheap": "1.00", "dear": "999.00"}


class PayOrder(HostedPaymentView):
    """The simplest view there is; the price comes from the form only because this shop has no orders."""

    def get_payment_request(self) -> PaymentRequest:
        price = PRICES.get(self.request.POST.get("price", ""), "49.99")
        return a_request(order_reference=self.kwargs["reference"], amount=Money.from_major(price, "EUR"))


class PayOwnOrder(LoginRequiredMixin, PayOrder):
    """For members: an order is named after its owner."""

    login_url = "/login/"

    def get_payment_request(self) -> PaymentRequest:
        if not self.kwargs["reference"].startswith(f"{self.request.user.get_username()}-"):
            raise Http404
        return super().get_payment_request()


class PayByQuery(HostedPaymentView):
    """Takes the reference from the query, where it may hold any character."""

    def get_payment_request(self) -> PaymentRequest:
        return a_request(order_reference=self.request.GET["reference"])


class PayWithoutName(HostedPaymentView):
    """Forgets what the contract requires."""

    def get_payment_request(self) -> PaymentRequest:
        return a_request(customer=None, description="x" * 501)


class PayByRequestData(PayOrder):
    """Careless: takes the addresses afterwards from the form."""

    def get_success_url(self) -> str:
        return self.request.POST.get("next", "")

    def get_failure_url(self) -> str:
        return self.request.POST.get("back", "")


@login_not_required
@transaction.non_atomic_requests
def csrf_token(request: HttpRequest) -> HttpResponse:
    """What a page with a form gives the browser."""
    return HttpResponse(get_token(request))


def _pay(view: type[HostedPaymentView], **options: Any) -> Any:
    return view.as_view(**options)


urlpatterns = [
    path("token/", csrf_token),
    path("pay/<str:reference>/", _pay(PayOrder, success_url="/thanks/", failure_url="/sorry/")),
    path("pay-by-query/", _pay(PayByQuery)),
    path("pay-own/<str:reference>/", _pay(PayOwnOrder)),
    path("pay-nameless/", _pay(PayWithoutName)),
    path("pay-careless/<str:reference>/", _pay(PayByRequestData)),
    path("pay-forgotten/", HostedPaymentView.as_view()),
    path("flowlix/", include("django_flowlix.urls")),
    path("admin/", admin.site.urls),
]
