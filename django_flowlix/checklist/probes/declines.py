"""decline-texts: every code has its texts, and the page that customers see shows those and nothing of the gateway's."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from django.utils.translation import gettext

from ...api import decline_for
from ...api.declines import DECLINES
from ...models import Payment
from ...statuses import PaymentStatus
from .. import catalogue, records
from ..context import Context
from ..findings import Finding, failed, needs_person, noted, passed, warned
from ..items import Stage
from ..rehearsal import PATCHED

# Source: docs.flowlix.dev/declines/*, docs.flowlix.dev/guides/{declines, operation-failures}
_DOCUMENTED = (
    "generic_decline",
    "do_not_honor",
    "issuer_declined",
    "insufficient_funds",
    "expired_card",
    "invalid_number",
    "invalid_expiry",
    "invalid_amount",
    "invalid_currency",
    "not_permitted",
    "cardholder_limit",
    "card_velocity_exceeded",
    "lost_card",
    "stolen_card",
    "suspect_fraud",
    "fraud_filter",
    "three_d_secure_failed",
)
_SILENT = ("lost_card", "stolen_card", "suspect_fraud", "fraud_filter")
"""Whoever holds such a card must not learn that the bank knows."""
_TELLING = ("lost", "stolen", "fraud", "suspect", "theft")
_PAGE = "django_flowlix/result.html"
_GATEWAYS_WORDS = "Words of the gateway, for the staff alone"
OWN_PAGE = (
    "Our failure page shows the decline text (payment.decline.customer_text) and nothing of the gateway's message."
)


@catalogue.DECLINE_TEXTS.probe(Stage.STATIC)
def mapped_codes(context: Context) -> Iterator[Finding]:
    faults = [f"{code} has no text" for code in _DOCUMENTED if not _has_texts(code)]
    faults += [f"the text for {code} tells the customer why" for code in _SILENT if not _is_silent(code)]
    for fault in faults:
        yield failed(f"Of the documented decline codes {fault}.", PATCHED)
    if not faults:
        yield passed(
            f"All {len(_DOCUMENTED)} documented decline codes have texts for customers and staff; those of "
            f"{', '.join(_SILENT)} read like any other decline."
        )


def _has_texts(code: str) -> bool:
    found = DECLINES.get(code)
    return found is not None and bool(found.customer_text.strip() and found.staff_text.strip())


def _is_silent(code: str) -> bool:
    silent, generic = decline_for(code), decline_for("generic_decline")
    shown = gettext(silent.customer_text)
    alike = (shown, silent.category) == (gettext(generic.customer_text), generic.category)
    return alike and not any(word in shown.lower() for word in _TELLING)


@catalogue.DECLINE_TEXTS.probe(Stage.STATIC)
def seen_codes(context: Context) -> Iterator[Finding]:
    found = context.once(records.payments).rows.filter(status=PaymentStatus.FAILED).exclude(decline_code="")
    codes = sorted(found.order_by().values_list("decline_code", flat=True).distinct()[:100])
    unknown = [code for code in codes if code.strip().lower() not in DECLINES]
    if unknown:
        yield warned(
            f"Payments were declined with unknown codes: {', '.join(unknown)}. Their customers read the generic text.",
            "See whether a newer version of django-flowlix knows them; the generic text is safe until then.",
        )
    elif codes:
        yield noted(f"All decline codes of {context.once(records.payments).words} are known: {', '.join(codes)}.")


@catalogue.DECLINE_TEXTS.probe(Stage.STATIC)
def shown_text(context: Context) -> Iterator[Finding]:
    try:
        faults = [fault for code in ("insufficient_funds", "stolen_card") for fault in _faults_of(code)]
    except (TemplateDoesNotExist, TemplateSyntaxError, NoReverseMatch) as error:
        yield failed(
            f"{_PAGE} cannot be rendered for a declined payment: {type(error).__name__}: {error}.",
            "Mend the project's template, or remove it: the package has one.",
        )
        return
    for fault in faults:
        yield failed(
            f"{_PAGE}, rendered for a declined payment, {fault}.",
            "Show {% translate decline.customer_text %} there, and neither the code, the message nor the staff's text.",
        )
    if not faults:
        yield passed(
            f"{_PAGE}, rendered for declined payments, shows the customer's text and nothing else of the reason."
        )


def _faults_of(code: str) -> Iterator[str]:
    payment = Payment(
        order_reference="rehearsal",
        status=PaymentStatus.FAILED,
        decline_code=code,
        decline_message=_GATEWAYS_WORDS,
        amount_minor=1099,
        currency="EUR",
        exponent=2,
        return_token="rehearsal",  # noqa: S106  of no row
    )
    decline = decline_for(code)
    page = unescape(render_to_string(_PAGE, {"payment": payment, "paid": False, "decline": decline}))
    if gettext(decline.customer_text) not in page:
        yield f"does not show the customer's text for {code}"
    if _GATEWAYS_WORDS in page:
        yield "shows the gateway's own message"
    if gettext(decline.staff_text) in page:
        yield "shows the staff's text"
    if code in page:
        yield f"shows the code {code}"


@catalogue.DECLINE_TEXTS.probe(Stage.STATIC)
def own_page(context: Context) -> Iterator[Finding]:
    used = any(row.with_failure_page for row in context.once(records.payment_counts))
    if context.account.failure_url or used:
        said = "FAILURE_URL is set" if context.account.failure_url else "Payments were started with a failure_url"
        yield needs_person(f"{said}: customers whose payment was declined come to a page of the shop's own.", OWN_PAGE)
