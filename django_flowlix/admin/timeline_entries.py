"""What one row says on the timeline, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import ApiCall, Payment, Refund, StatusChange
from ..services.holds import HoldStep, step_in
from ..statuses import ReviewReason
from .display import requester

KINDS = {
    "row": gettext_lazy("record"),
    "person": gettext_lazy("staff"),
    "refund": gettext_lazy("refund"),
    "call": gettext_lazy("gateway"),
    "change": gettext_lazy("status"),
    "notice": gettext_lazy("shop's code"),
}
_OPERATIONS = {
    "create_hosted": gettext_lazy("start of the payment"),
    "create_direct": gettext_lazy("start of the payment"),
    "retrieve": gettext_lazy("look at the payment"),
    "list": gettext_lazy("search in the gateway's list"),
    "refund": gettext_lazy("request of the refund"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened; `kind` is one of `KINDS`, `tone` is `good`, `bad` or `plain`, `code` is as sent."""

    when: datetime
    kind: str
    title: str
    detail: str = ""
    code: str = ""
    request_id: str = ""
    tone: str = "plain"

    @property
    def kind_text(self) -> str:
        return str(KINDS[self.kind])


def of_payment(payment: Payment) -> Iterator[TimelineEntry]:
    yield TimelineEntry(
        when=payment.created_at,
        kind="row",
        title=_("payment recorded"),
        detail=_("attempt %(number)s over %(amount)s") % {"number": payment.attempt, "amount": payment.amount},
    )
    if payment.superseded_at:
        yield TimelineEntry(
            when=payment.superseded_at, kind="row", title=_("replaced by another attempt"), detail=_("still watched")
        )


def of_refund(refund: Refund) -> TimelineEntry:
    words = {"number": refund.sequence, "amount": refund.amount}
    found = refund.source == "gateway"
    title = _("refund %(number)s over %(amount)s found at the gateway") if found else _("refund %(number)s requested")
    amount = "" if found else str(refund.amount)
    return TimelineEntry(
        when=refund.created_at,
        kind="person" if refund.source == "admin" else "refund",
        title=title % words,
        detail=_join(amount, requester(refund), _quoted(refund.reason)),
        code=refund.gateway_id or "",
    )


def of_call(call: ApiCall, refund: Refund | None) -> TimelineEntry:
    answer = _("HTTP %(status)s") % {"status": call.http_status} if call.http_status else ""
    outcome = "" if call.http_status and call.outcome != "unknown" else call.get_outcome_display()
    error = " / ".join(part for part in (call.error_type, call.error_code, call.decline_code) if part)
    attempt = _("try %(number)s") % {"number": call.try_number} if call.try_number > 1 else ""
    duration = _("%(ms)s ms") % {"ms": call.duration_ms}
    operation = str(_OPERATIONS.get(call.operation, call.operation))
    return TimelineEntry(
        when=call.created_at,
        kind="call",
        title=_about(refund, operation),
        detail=_join(answer, outcome, error, duration, attempt),
        code=f"{call.method} {call.path}",
        request_id=call.request_id,
        tone="plain" if call.outcome == "ok" else "bad",
    )


def of_change(change: StatusChange, refund: Refund | None) -> TimelineEntry:
    moved = change.from_status != change.to_status
    # The name of a review reason stands in the note when there is nothing to add to it: show the reason's words.
    held = step_in(change.note) if change.actor else None
    note = held[1] if held else str(dict(ReviewReason.choices).get(change.note, change.note))
    actor = _("by %(name)s") % {"name": change.actor} if change.actor else ""
    return TimelineEntry(
        when=change.created_at,
        kind="person" if change.actor and not moved else "change",
        title=_title_of(change, refund),
        detail=_join(actor, change.get_source_display(), _quoted(note) if change.actor else note),
        request_id=change.request_id,
        tone=_tone_of(change),
    )


def _title_of(change: StatusChange, refund: Refund | None) -> str:
    if change.from_status != change.to_status:
        return _about(refund, str(change))
    if not change.actor:
        return _("flagged for review")
    if held := step_in(change.note):
        return _("put on legal hold") if held[0] is HoldStep.PUT else _("legal hold released")
    return _("marked as reviewed") if change.refund_id is None else _about(refund, _("requested"))


def _tone_of(change: StatusChange) -> str:
    if change.from_status == change.to_status:
        return "plain" if change.actor else "bad"
    if change.to_status == "succeeded":
        return "good"
    return "bad" if change.to_status in ("failed", "rejected") else "plain"


def of_notification(change: StatusChange) -> TimelineEntry:
    """Return when and how the shop's own code was told; what is not delivered stands beside its change."""
    receivers = ", ".join(change.delivered_to.splitlines())
    tries = _("tries that failed: %(count)s") % {"count": change.delivery_attempts} if change.delivery_attempts else ""
    if change.delivered_at:
        title, receivers = _("%(signal)s delivered"), receivers or _("nothing is connected to it")
        detail, tone = _join(receivers, tries), "plain"
    elif change.delivery_attempts:
        title, tone = _("%(signal)s raised, will be repeated"), "bad"
        done = _("already ran: %(receivers)s") % {"receivers": receivers} if receivers else ""
        detail = _join(change.last_error, tries, done, _next_delivery(change))
    else:
        title, detail, tone = _("%(signal)s not delivered yet"), _next_delivery(change), "plain"
    return TimelineEntry(
        when=change.delivered_at or change.created_at,
        kind="notice",
        title=title % {"signal": change.signal},
        detail=detail,
        tone=tone,
    )


def _next_delivery(change: StatusChange) -> str:
    if change.deliver_at is None:
        return ""
    return _("next time %(when)s") % {"when": date_format(localtime(change.deliver_at), "Y-m-d H:i:s")}


def _about(refund: Refund | None, text: str) -> str:
    return _("refund %(number)s: %(text)s") % {"number": refund.sequence, "text": text} if refund else text


def _quoted(text: str) -> str:
    return _("“%(text)s”") % {"text": text} if text else ""


def _join(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)
