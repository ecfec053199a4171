"""Browsing, basket, checkout and the pages of an order; each translates a request into one call of the shop."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.generic import DetailView, ListView, TemplateView

from django_flowlix.services import PaymentRequest
from django_flowlix.views import HostedPaymentView

from . import access
from .basket import Basket
from .forms import CheckoutForm, QuantityForm
from .models import Order, Product
from .ordering import place_order
from .progress import Progress


class ProductList(ListView):  # type: ignore[type-arg]  # not subscriptable at run time
    """The shop's window."""

    model = Product
    template_name = "shop/products.html"
    context_object_name = "products"


class ProductPage(DetailView):  # type: ignore[type-arg]
    """One product with its story and the button that puts it into the basket."""

    model = Product
    template_name = "shop/product.html"
    extra_context = {"form": QuantityForm()}


class BasketPage(TemplateView):
    """What is in the basket."""

    template_name = "shop/basket.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = list(Basket(self.request.session))
        return super().get_context_data(lines=lines, total=sum(line.total for line in lines), **kwargs)


class _ChangeBasket(View, ABC):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        product = get_object_or_404(Product, slug=slug)
        form = QuantityForm(request.POST)
        if form.is_valid():
            self.change(Basket(request.session), product, form.cleaned_data["quantity"])
        else:
            messages.error(request, _("Please choose a quantity from 0 to 20."))
        return redirect("shop:basket")

    @abstractmethod
    def change(self, basket: Basket, product: Product, quantity: int) -> None: ...


class AddToBasket(_ChangeBasket):
    """Put some more of a product into the basket."""

    def change(self, basket: Basket, product: Product, quantity: int) -> None:
        basket.add(product, quantity)
        messages.success(self.request, _("%(product)s is in your basket.") % {"product": product.name})


class SetQuantity(_ChangeBasket):
    """Correct a quantity in the basket; 0 takes the product out."""

    def change(self, basket: Basket, product: Product, quantity: int) -> None:
        basket.set_quantity(product, quantity)


@method_decorator(never_cache, name="dispatch")
class Checkout(View):
    """The customer's details; a correct form becomes an order, an empty basket leads back to where things are."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.basket = Basket(request.session)
        self.lines = list(self.basket)
        if not self.lines:
            return _without_basket(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(CheckoutForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CheckoutForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        order = place_order(self.basket, form)
        access.remember(request, order)
        self.basket.clear()
        return redirect(order)

    def page(self, form: CheckoutForm, status: int = 200) -> HttpResponse:
        total = sum(line.total for line in self.lines)
        context = {"form": form, "lines": self.lines, "total": total}
        return render(self.request, "shop/checkout.html", context, status=status)


def _without_basket(request: HttpRequest) -> HttpResponse:
    """A form that was sent twice finds its basket empty, because it has become an order: show that."""
    order = access.latest_order(request) if request.method == "POST" else None
    return redirect(order or "shop:basket")


@method_decorator(never_cache, name="dispatch")
class OrderPage(View):
    """An order with its lines; what it offers depends on where the payment stands."""

    template_name = "shop/order.html"

    def get(self, request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
        order = access.readable_order(request, public_id)
        if order is None:
            # The same page for "there is no such order" and "it is somebody else's".
            return render(request, "shop/order_not_found.html", status=404)
        return self.answer(order, Progress(order))

    def answer(self, order: Order, progress: Progress) -> HttpResponse:
        is_own = access.is_own(self.request, order.public_id)  # staff may look, and may not pay
        context = {"order": order, "progress": progress, "is_own": is_own}
        return render(self.request, self.template_name, context)


class Receipt(OrderPage):
    """Where a customer lands who has paid; whatever is not booked yet is shown on the order's page."""

    template_name = "shop/receipt.html"

    def answer(self, order: Order, progress: Progress) -> HttpResponse:
        return super().answer(order, progress) if progress.is_paid else redirect(order)


class NotPaid(OrderPage):
    """Where a customer lands whose payment ended without success: kind words and another try."""

    template_name = "shop/not_paid.html"

    def answer(self, order: Order, progress: Progress) -> HttpResponse:
        return super().answer(order, progress) if progress.has_ended_unpaid else redirect(order)


class PayOrder(HostedPaymentView):
    """Start paying, or go on paying, for an order of this session."""

    def get_payment_request(self) -> PaymentRequest:
        order = access.own_order(self.request, self.kwargs["public_id"])
        if order is None:
            raise Http404
        return PaymentRequest(
            order=order,
            order_reference=order.reference,
            amount=order.amount,
            customer=order.customer,
            description=_("Marginalia order %(reference)s") % {"reference": order.reference},
        )

    def get_success_url(self) -> str:
        return reverse("shop:receipt", kwargs=self.kwargs)

    def get_failure_url(self) -> str:
        return reverse("shop:not-paid", kwargs=self.kwargs)
