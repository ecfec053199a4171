"""What stands on top of a payment's page: the facts at a glance, and what the person who looks may do about them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import quote
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from ..models import Payment
from ..services.refund_request import RefundQuote
from .explanations import is_stuck
from .hold import PUT, RELEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Where the page's buttons lead, "" for one that is not offered; `refused` says why there is no refund."""

    refund_url: str
    refused: tuple[str, ...]
    ask_url: str
    review_url: str
    hold_url: str


def actions_for(
    request: HttpRequest, site: AdminSite, payment: Payment, quoted: RefundQuote, *, may_refund: bool
) -> Actions:
    refused = quoted.obstacles
    if not refused and not may_refund:
        refused = (_("Your account may look at payments, not refund them."),)
    needs_review = bool(payment.review_reason) or is_stuck(payment)
    may_review = needs_review and request.user.has_perm("django_flowlix.review_payment")
    may_hold = request.user.has_perm("django_flowlix.hold_payment")
    step = RELEASE if payment.legal_hold_since else PUT
    return Actions(
        refund_url="" if refused else _address(site, "django_flowlix_payment_refund", quote(payment.pk)),
        refused=refused,
        ask_url=_address(site, "django_flowlix_payment_ask"),
        review_url=_about(payment, _address(site, "django_flowlix_payment_review") if may_review else ""),
        hold_url=_about(payment, _address(site, step.address) if may_hold else ""),
    )


def order_url(request: HttpRequest, site: AdminSite, payment: Payment) -> str:
    """Return the address of the order's own page in this admin, "" when there is none or the person may not see it."""
    if payment.order_content_type_id is None:
        return ""
    model = ContentType.objects.get_for_id(payment.order_content_type_id).model_class()  # cached by Django
    if model is None:
        return ""
    try:
        order_admin = site.get_model_admin(model)
    except NotRegistered:
        return ""
    if not order_admin.has_view_or_change_permission(request):
        return ""
    options = model._meta
    return _address(site, f"{options.app_label}_{options.model_name}_change", quote(payment.order_object_id))


def _about(payment: Payment, address: str) -> str:
    return f"{address}?id={payment.pk}" if address else ""


def _address(site: AdminSite, name: str, *args: str) -> str:
    try:
        return reverse(f"admin:{name}", args=args, current_app=site.name)
    except NoReverseMatch:  # a shop's own admin class may leave a screen out
        return ""
