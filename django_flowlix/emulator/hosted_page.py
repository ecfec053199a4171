"""The page a customer pays on, and the way back to the merchant.

Source: docs.flowlix.eu/guides/hosted-payment-page
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from .amounts import displayed_amount
from .card_form import CardForm, read_card_form
from .charging import charge
from .payments import Payment
from .state import State

R = TypeVar("R", bound=AnyResponse)
_EMPTY_FORM = CardForm("", "", None, {})


def create_blueprint(state: State) -> Blueprint:
    blueprint = Blueprint("hosted_page", __name__)

    @blueprint.get("/hpp/<payment_id>")
    def show(payment_id: str) -> Response:
        with state.lock:
            payment = state.payments.find(payment_id)
        if payment is None:
            return _not_found()
        form = CardForm(payment.customer_name, "", None, {})
        return _page(state, payment, form, 200)

    @blueprint.post("/hpp/<payment_id>")
    def pay_or_cancel(payment_id: str) -> AnyResponse:
        # The lock makes a double click one payment: the second request finds the first one's outcome.
        with state.lock:
            payment = state.payments.find(payment_id)
            if payment is None:
                return _not_found()
            form = _settle(state, payment)
        if form.faults:
            return _page(state, payment, form, 422)
        return _secured(redirect(return_address(payment), code=303), payment)

    return blueprint


def return_address(payment: Payment) -> str:
    """Return the merchant's address with `payment_id` and `status` added to whatever query it has."""
    parts = urlsplit(payment.merchant_url or "")
    added = urlencode({"payment_id": payment.id, "status": payment.status})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _settle(state: State, payment: Payment) -> CardForm:
    now = state.clock.now()
    if not payment.awaits_card:
        return _EMPTY_FORM
    if request.form.get("action") == "cancel":
        state.contract.cancel(payment, now)
        return _EMPTY_FORM
    form = read_card_form(request.form, now)
    if form.card is not None:
        charge(payment, form.card, state.contract.test_cards, now)
    return form


def _page(state: State, payment: Payment, form: CardForm, status: int) -> Response:
    template = "hosted_page.html" if payment.awaits_card else "finished.html"
    html = render_template(
        template,
        payment=payment,
        amount=displayed_amount(payment.amount_minor, payment.currency),
        merchant=urlsplit(payment.merchant_url or "").netloc,
        return_address=return_address(payment),
        form=form,
        test_cards=state.contract.test_cards,
    )
    return _secured(make_response(html, status), payment)


def _not_found() -> Response:
    return _secured(make_response(render_template("not_found.html"), 404), None)


def _secured(response: R, payment: Payment | None) -> R:
    """Add the headers of a payment page; `form-action` must name the merchant, since the form's answer leads there."""
    parts = urlsplit(payment.merchant_url or "") if payment else None
    merchant = f" {parts.scheme}://{parts.netloc}" if parts and parts.netloc else ""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self'{merchant}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
