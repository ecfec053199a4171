"""A payment's story in the order it happened: status changes and exchanges with the gateway in one list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ..models import ApiCall, Payment, StatusChange
from ..statuses import PaymentStatus, ReviewReason

MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened; `kind` is `row`, `call` or `change`, `tone` is `good`, `bad` or `plain`."""

    when: datetime
    kind: str
    title: str
    detail: str
    request_id: str = ""
    tone: str = "plain"


def timeline(payment: Payment) -> list[TimelineEntry]:
    """Return the story, the oldest first; an exchange stands before the change it brought about. Two queries.

    Of a very long story the latest `MOST_ENTRIES` are returned: a waiting page that is left open asks for days.
    """
    calls = [_of_call(call) for call in payment.api_calls.order_by("-created_at", "-pk")[:MOST_ENTRIES]]
    changes = [_of_change(change) for change in payment.status_changes.order_by("-created_at", "-pk")[:MOST_ENTRIES]]
    # Sorting is stable: at the same moment the row comes first, then its exchanges, then its changes.
    story = [*_of_row(payment), *reversed(calls), *reversed(changes)]
    return sorted(story, key=lambda entry: entry.when)[-MOST_ENTRIES:]


def _of_row(payment: Payment) -> Iterator[TimelineEntry]:
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


def _of_call(call: ApiCall) -> TimelineEntry:
    answer = _("HTTP %(status)s") % {"status": call.http_status} if call.http_status else call.get_outcome_display()
    error = "/".join(part for part in (call.error_type, call.error_code, call.decline_code) if part)
    detail = [answer, error, _("%(ms)s ms") % {"ms": call.duration_ms}]
    if call.try_number > 1:
        detail.append(_("try %(number)s") % {"number": call.try_number})
    return TimelineEntry(
        when=call.created_at,
        kind="call",
        title=f"{call.method} {call.path}",
        detail=", ".join(part for part in detail if part),
        request_id=call.request_id,
        tone="plain" if call.outcome == "ok" else "bad",
    )


def _of_change(change: StatusChange) -> TimelineEntry:
    moved = change.from_status != change.to_status
    # The name of a review reason stands in the note when there is nothing to add to it: show the reason's words.
    note = str(dict(ReviewReason.choices).get(change.note, change.note))
    detail = [change.get_source_display(), note, _delivery(change)]
    stuck = change.delivery_attempts and not change.delivered_at
    return TimelineEntry(
        when=change.created_at,
        kind="change",
        title=str(change) if moved else _("flagged for review"),
        detail=" · ".join(part for part in detail if part),
        request_id=change.request_id,
        tone="bad" if stuck or not moved else "good" if change.to_status == PaymentStatus.SUCCEEDED else "plain",
    )


def _delivery(change: StatusChange) -> str:
    if not change.signal:
        return ""
    if change.delivered_at:
        return _("%(signal)s delivered") % {"signal": change.signal}
    if change.delivery_attempts:
        return _("%(signal)s raised, tries so far: %(count)s, will be repeated: %(error)s") % {
            "signal": change.signal,
            "count": change.delivery_attempts,
            "error": change.last_error,
        }
    return _("%(signal)s not delivered yet") % {"signal": change.signal}
