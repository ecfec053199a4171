"""The pages a customer pays on and passes a 3-D Secure challenge on, and the way back to the merchant.

Source: docs.flowlix.eu/guides/hosted-payment-page, docs.flowlix.dev/{guides/hosted-payment-page,
api-reference/three-d-secure}
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .amounts import displayed_amount
from .card_form import CardForm, read_card_form
from .charging import answer_challenge, charge
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
        return _secured(redirect(_next_address(payment), code=303), payment)

    return blueprint


def _next_address(payment: Payment) -> str:
    """Return where the customer goes now: on to the challenge, or back to the merchant if there is a way."""
    own_address = url_for("hosted_page.show", payment_id=payment.id)
    return own_address if payment.is_open else return_address(payment) or own_address


def return_address(payment: Payment) -> str | None:
    """Return the merchant's address with `payment_id` and `status` added to whatever query it has.

    The `return_url` of a direct payment stays as it is: no page says that anything is added to it.
    """
    if payment.merchant_url is None or payment.hosted_page_url is None:
        return payment.merchant_url
    parts = urlsplit(payment.merchant_url)
    added = urlencode({"payment_id": payment.id, "status": payment.status})
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _settle(state: State, payment: Payment) -> CardForm:
    now, action = state.clock.now(), request.form.get("action")
    if payment.status == "requires_action" and action in ("confirm", "refuse"):
        answer_challenge(payment, action == "confirm", now)
    if not payment.awaits_card:
        return _EMPTY_FORM
    if action == "cancel":
        state.contract.cancel(payment, now)
        return _EMPTY_FORM
    form = read_card_form(request.form, now)
    if form.card is not None:
        charge(payment, form.card, state.contract.test_cards, now)
    return form


def _page(state: State, payment: Payment, form: CardForm, status: int) -> Response:
    html = render_template(
        _template(payment),
        payment=payment,
        amount=displayed_amount(payment.amount_minor, payment.currency),
        merchant=urlsplit(payment.merchant_url or "").netloc,
        return_address=return_address(payment),
        form=form,
        test_cards=state.contract.test_cards,
    )
    return _secured(make_response(html, status), payment)


def _template(payment: Payment) -> str:
    if payment.awaits_card:
        return "hosted_page.html"
    if payment.status == "requires_action":
        return "challenge.html"
    return "waiting.html" if payment.is_open else "finished.html"


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
