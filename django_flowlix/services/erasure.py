"""Erasing what is personal in payments, and nothing else: the books, and the story of the money, stay as they were.

Each payment is erased in a transaction of its own that holds its row, in which everything is read again: a payment that
is put on hold, or gets a refund, at the same moment is either erased before that or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from ..models import Payment, StatusChange
from ..statuses import WAITING, ReviewReason
from . import clock
from .holds import note_of, step_in
from .keeping import WhyKept, why_kept
from .personal_data import NEEDED_TO_PAY, OF_A_PAYMENT, OF_A_REFUND
from .refund_transitions import under_lock

_BATCH_SIZE = 500
_TOKEN_BYTES = 32
# In one language, so that it is known again.
_LOG_TEXT = "The text was erased with the customer's personal data."


@dataclass(frozen=True, slots=True)
class Erasure:
    """What became of the payments: erased now, nothing left to erase, or kept, and why. The rows are up to date."""

    erased: list[Payment] = field(default_factory=list)
    nothing_left: list[Payment] = field(default_factory=list)
    kept: list[tuple[Payment, WhyKept]] = field(default_factory=list)


class Erased(Enum):
    """What became of one payment that is not kept."""

    NOW = "now"
    NOTHING_LEFT = "nothing left"


def erase_personal_data(payments: Iterable[Payment]) -> Erasure:
    """Erase what is personal in these payments, their refunds and their timelines; the books stay.

    A payment that is on legal hold, not decided, under review, has a refund under way, or whose change the shop's own
    code has not been told of, is left alone and named in `kept`: call again when it is over. What is called again for
    an erased payment erases what was written since.

    Raises: TypeError before anything is erased; RuntimeError inside `atomic()`
    """
    rows = _rows(payments)
    done = Erasure()
    for payment, result in zip(rows, erase(rows), strict=True):
        payment.refresh_from_db()
        if isinstance(result, WhyKept):
            done.kept.append((payment, result))
        else:
            (done.erased if result is Erased.NOW else done.nothing_left).append(payment)
    return done


def erase(payments: Sequence[Payment]) -> list[Erased | WhyKept]:
    """Erase these payments, and return what became of each; the instances are not up to date afterwards."""
    results: list[Erased | WhyKept] = []
    for start in range(0, len(payments), _BATCH_SIZE):
        batch = payments[start : start + _BATCH_SIZE]
        # Asked before the lock as well, because to take it is a write, and a payment that is kept is not written to.
        kept, logged = why_kept([payment.pk for payment in batch]), _logged(batch)
        results += [kept.get(payment.pk) or _erase(payment, is_logged=payment.pk in logged) for payment in batch]
    return results


def _rows(payments: Iterable[Payment]) -> list[Payment]:
    if isinstance(payments, Payment) or not isinstance(payments, Iterable):
        raise TypeError("write a list or a queryset of payments")
    rows = list(payments)
    if not all(isinstance(row, Payment) and row.pk is not None for row in rows):
        raise TypeError("only saved payments can be erased")
    return list({row.pk: row for row in rows}.values())


def _erase(payment: Payment, *, is_logged: bool) -> Erased | WhyKept:
    def work() -> Erased | WhyKept:
        if why := why_kept([payment.pk]).get(payment.pk):
            return why
        others = _erase_refunds(payment) + _erase_changes(payment) + (_erase_log(payment) if is_logged else 0)
        rows = Payment.objects.filter(pk=payment.pk)
        now = clock.now()
        values = {**_erased_columns(rows), "personal_data_erased_at": now}
        first = rows.filter(personal_data_erased_at__isnull=True).update(**values)
        if others and not first:
            rows.update(personal_data_erased_at=now)
        return Erased.NOW if first or others else Erased.NOTHING_LEFT

    return under_lock(payment, work)


def _erased_columns(rows: QuerySet[Payment]) -> dict[str, Any]:
    """Return what is written to the payment, whose row is held."""
    if rows.filter(status__in=WAITING).exists():
        return {name: value for name, value in OF_A_PAYMENT.items() if name not in NEEDED_TO_PAY}
    # A link that the customer has, or lost, shows nothing any more.
    return {**OF_A_PAYMENT, "return_token": secrets.token_urlsafe(_TOKEN_BYTES)}


def _erase_refunds(payment: Payment) -> int:
    return payment.refunds.exclude(**OF_A_REFUND).update(**OF_A_REFUND)


def _erase_changes(payment: Payment) -> int:
    """Erase free text: what staff wrote, what the gateway answered, what the shop's own code raised."""
    erased = 0
    for change in StatusChange.objects.filter(payment=payment).only("pk", "actor", "note", "last_error"):
        kept = _words_kept(change)
        if (change.note, change.last_error) != (kept, ""):
            erased += StatusChange.objects.filter(pk=change.pk).update(note=kept, last_error="")
    return erased


def _words_kept(change: StatusChange) -> str:
    """Return what stays of a note: the name of a review reason, and that it was a legal hold."""
    if change.actor and (held := step_in(change.note)):
        return note_of(held[0], "")
    return change.note if change.note in ReviewReason.values else ""


# --- The admin's own log: it repeats what staff wrote, and has no index by row -----------------------------------


def _logged(payments: Sequence[Payment]) -> frozenset[int]:
    """Return the keys of those that the admin's log has an entry about. One query."""
    if not payments or not apps.is_installed("django.contrib.admin"):
        return frozenset()
    about = ContentType.objects.get_for_model(Payment)
    entries = apps.get_model("admin", "LogEntry").objects.filter(content_type=about)
    keys = entries.filter(object_id__in=[str(payment.pk) for payment in payments]).values_list("object_id", flat=True)
    return frozenset(int(key) for key in keys if key is not None)


def _erase_log(payment: Payment) -> int:
    about = ContentType.objects.get_for_model(Payment)
    entries = apps.get_model("admin", "LogEntry").objects.filter(content_type=about, object_id=str(payment.pk))
    return int(entries.exclude(change_message__in=["", _LOG_TEXT]).update(change_message=_LOG_TEXT))
