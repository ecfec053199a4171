"""A payment's story in the order it happened: status changes and exchanges with the gateway in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ..models import ApiCall, Payment, StatusChange


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One thing that happened; `kind` is `change` or `call`, `tone` is `good`, `bad` or `plain`."""

    when: datetime
    kind: str
    title: str
    detail: str
    request_id: str = ""
    tone: str = "plain"


def timeline(payment: Payment) -> list[TimelineEntry]:
    """Return the story, the oldest first; an exchange stands before the change it brought about. Two queries."""
    calls = [_of_call(call) for call in payment.api_calls.all()]
    changes = [_of_change(change) for change in payment.status_changes.all()]
    return sorted([*calls, *changes], key=lambda entry: entry.when)


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
    detail = [change.get_source_display(), change.note, _delivery(change)]
    moved = change.from_status != change.to_status
    return TimelineEntry(
        when=change.created_at,
        kind="change",
        title=str(change) if moved else _("flagged for review"),
        detail=" · ".join(part for part in detail if part),
        tone="good" if change.to_status == "succeeded" and moved else "plain",
    )


def _delivery(change: StatusChange) -> str:
    if not change.signal:
        return ""
    if change.delivered_at:
        return _("%(signal)s delivered") % {"signal": change.signal}
    if change.delivery_attempts:
        return _("%(signal)s failed %(count)s times, will be repeated: %(error)s") % {
            "signal": change.signal,
            "count": change.delivery_attempts,
            "error": change.last_error,
        }
    return _("%(signal)s not delivered yet") % {"signal": change.signal}
