"""decline-texts: every code has its texts, and the page that customers see shows those and nothing of the gateway's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import unescape

from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
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
_OWN_RESULT = (
    f"Our template {_PAGE} tells customers whose payment was declined what to do; it shows neither the gateway's code "
    "and message nor the staff's text, and nobody learns from it that a card is taken for lost or stolen."
)
_OWN_PAGE = "shows the decline text (payment.decline.customer_text) and nothing of the gateway's message."


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
        get_template(_PAGE)
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        yield failed(
            f"{_PAGE} cannot be loaded: {type(error).__name__}: {error}.",
            "Mend the project's template, or remove it: the package has one.",
        )
        return
    try:
        pages = {code: _page(code) for code in ("insufficient_funds", "stolen_card")}
    except Exception as error:  # noqa: BLE001  it may want an order that is there, and its tags raise what they like
        yield needs_person(
            f"{_PAGE} cannot be rendered without an order of the shop: {type(error).__name__}.", _OWN_RESULT
        )
        return
    yield from _judged(pages)


def _page(code: str) -> str:
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
    shown = {"payment": payment, "paid": False, "decline": decline_for(code)}
    return unescape(get_template(_PAGE).render(shown))


def _judged(pages: Mapping[str, str]) -> Iterator[Finding]:
    leaks = list(dict.fromkeys(leak for code, page in pages.items() for leak in _leaks(code, page)))
    for leak in leaks:
        yield failed(
            f"{_PAGE}, rendered for a declined payment, {leak}.",
            "Show {% translate decline.customer_text %} there, and neither the code, the message nor the staff's text.",
        )
    reworded = [code for code, page in pages.items() if gettext(decline_for(code).customer_text) not in page]
    if reworded:
        yield needs_person(f"{_PAGE} uses other words than ours for {', '.join(reworded)}.", _OWN_RESULT)
    elif not leaks:
        yield passed(
            f"{_PAGE}, rendered for declined payments, shows the customer's text and nothing else of the reason."
        )


def _leaks(code: str, page: str) -> Iterator[str]:
    if _GATEWAYS_WORDS in page:
        yield "shows the gateway's own message"
    if gettext(decline_for(code).staff_text) in page:
        yield "shows the staff's text"
    if code in page:
        yield f"shows the code {code}"


@catalogue.DECLINE_TEXTS.probe(Stage.STATIC)
def own_page(context: Context) -> Iterator[Finding]:
    """Another page is another statement; a view may choose one for each order, so those cannot be named."""
    where = "customers whose payment was declined come to a page of the shop's own."
    if address := context.account.failure_url:
        yield needs_person(f"FAILURE_URL is set: {where}", f"Our failure page {address} {_OWN_PAGE}")
    elif any(row.with_failure_page for row in context.once(records.payment_counts)):
        yield needs_person(f"Payments were started with a failure_url: {where}", f"Our failure page {_OWN_PAGE}")
