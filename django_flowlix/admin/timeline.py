"""A payment's story in the order it happened: requests of people, exchanges, changes and who was told, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .records import Records
from .timeline_entries import TimelineEntry, of_call, of_change, of_notification, of_payment, of_refund

MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Timeline:
    """The story, the oldest first; `is_cut` when only its latest `MOST_ENTRIES` are here."""

    entries: list[TimelineEntry]
    is_cut: bool


def timeline(records: Records) -> Timeline:
    """Return the story of a payment. No query: everything was read before."""
    refunds = {refund.pk: refund for refund in records.refunds}
    # Sorting is stable: of one moment the rows come first, then exchanges, then the changes they brought about.
    story = [
        *of_payment(records.payment),
        *map(of_refund, records.refunds),
        *(of_call(call, refunds.get(call.refund_id or 0)) for call in records.calls),
        *(of_change(change, refunds.get(change.refund_id or 0)) for change in records.changes),
        *(of_notification(change) for change in records.changes if change.signal),
    ]
    story.sort(key=_moment)
    return Timeline(story[-MOST_ENTRIES:], len(story) > MOST_ENTRIES)


def _moment(entry: TimelineEntry) -> datetime:
    return entry.when
