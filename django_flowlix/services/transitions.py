"""The sole writer of a payment's status; `refund_transitions` is that of a refund's.

A compare-and-set UPDATE on the status that was read, the StatusChange row and the record of the exchanges behind it,
in one transaction: right on SQLite, MariaDB and PostgreSQL alike, whoever else is writing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, transaction

from ..models import Payment, StatusChange
from ..statuses import ENDED_UNPAID, OPEN, SETTLED_BY_AN_ANSWER, PaymentStatus, ReviewReason, may_follow
from . import clock, event_log, personal_data

logger = logging.getLogger("django_flowlix")

MOST_RACES_LOST = 10
_DECIDED_ON = ("status", "superseded_at", "review_reason", "gateway_id", "personal_data_erased_at")


def _no_doubt() -> ReviewReason | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be written about a payment: the status to take it to (None: leave it) and columns with it.

    `doubt` says, for the row as it is at the moment of writing, why a person must look; one that a person has reviewed
    is raised again only if it `is_new`. `settles` are the doubts that this decision removes. `note` and `request_id`
    (of the exchange behind it) are for the timeline.
    """

    source: str
    to: PaymentStatus | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    doubt: Callable[[], ReviewReason | None] = _no_doubt
    is_new: bool = False
    settles: frozenset[ReviewReason] = frozenset()
    note: str = ""
    request_id: str = ""


def apply(payment: Payment, decision: Decision, *, also: Callable[[], None]) -> StatusChange | None:
    """Write a decision; `also` writes what belongs to the same transaction.

    A step that is not allowed (a stale answer after a success), or that is meant for a status which others have
    changed meanwhile, leaves the row alone except for the times of the look. A doubt replaces the status's own signal.
    `payment` is up to date afterwards. Returns the StatusChange, or None when there is nothing to tell.

    Raises: IntegrityError when a slot is taken: a second success of the order, or a gateway id seen before.
    """
    meant_for = PaymentStatus(payment.status)
    for _ in range(MOST_RACES_LOST):
        step = _plan(payment, decision, meant_for)
        try:
            # The loop restarts outside the transaction: a snapshot inside it might never see the other writer.
            with transaction.atomic(durable=True):
                won = _compare_and_set(payment, step)
                change = _record(payment, step, decision) if won and step.is_news else None
                if won:
                    also()
        except OperationalError as error:
            if not is_lost_race(error):
                raise
            won = False
        if won:
            for name, value in step.update.items():
                setattr(payment, name, value)
            return change
        payment.refresh_from_db()
    raise RuntimeError(f"payment {payment.pk} is being changed too fast by others")


def _compare_and_set(payment: Payment, step: _Step) -> bool:
    seen = {name: getattr(payment, name) for name in _DECIDED_ON}
    return bool(Payment.objects.filter(pk=payment.pk, **seen).update(**step.update))


def is_lost_race(error: OperationalError) -> bool:
    """Tell whether the database chose this transaction as the victim of a deadlock: all of it may simply be repeated.

    Source: PostgreSQL, appendix A (class 40); MariaDB error 1213
    """
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in ("40P01", "40001") or getattr(cause, "args", (None,))[:1] == (1213,)


@dataclass(frozen=True, slots=True)
class _Step:
    current: PaymentStatus
    to: PaymentStatus
    update: dict[str, Any]
    review: ReviewReason | None

    @property
    def is_news(self) -> bool:
        return self.to != self.current or self.review is not None


def _plan(payment: Payment, decision: Decision, meant_for: PaymentStatus) -> _Step:
    current = PaymentStatus(payment.status)
    to = decision.to or meant_for
    doubt = decision.doubt()
    update = personal_data.kept_out(payment, decision.values) | {"updated_at": clock.now()}
    foreign = payment.gateway_id not in (None, update.get("gateway_id", payment.gateway_id))
    if foreign:
        doubt = ReviewReason.MISMATCH  # one key, two payments: the gateway broke its own promise
    if not foreign and decision.to and may_follow(current, to):
        update |= {"status": to} | _slots(payment, to, doubt)
    elif foreign or to != current:
        logger.warning("payment %s stays %s: the answer %s is stale", payment.pk, current, to)
        update, to = _times_of_a_look(payment, update), current
    return _Step(current, to, update, _raise_or_settle(payment, doubt, decision, update))


def _times_of_a_look(payment: Payment, update: dict[str, Any]) -> dict[str, Any]:
    """Return what a stale answer may write: that there was a look, and the next one if this one was due."""
    kept = {name: value for name, value in update.items() if name in ("last_synced_at", "sync_failures")}
    if payment.next_sync_at is not None and payment.next_sync_at <= clock.now() and "next_sync_at" in update:
        kept["next_sync_at"] = update["next_sync_at"]
    return kept | {"lease_until": None}


def _raise_or_settle(
    payment: Payment, doubt: ReviewReason | None, decision: Decision, update: dict[str, Any]
) -> ReviewReason | None:
    """Add to `update` what becomes of the review flag; returns the doubt if it is news.

    There is room for one doubt: one that an answer will settle does not take the place of one that a person must.
    """
    lasting = payment.review_reason != "" and payment.review_reason not in SETTLED_BY_AN_ANSWER
    known = doubt == payment.review_reason or (doubt == payment.reviewed_reason and not decision.is_new)
    if doubt is not None and not known and not (lasting and doubt in SETTLED_BY_AN_ANSWER):
        update |= {"review_reason": doubt, "review_since": clock.now()}
        return doubt
    if doubt is None and payment.review_reason in decision.settles:
        update |= {"review_reason": "", "review_since": None}
    if doubt is None and payment.reviewed_reason in decision.settles:
        update["reviewed_reason"] = ""  # should it come back, it is another story
    return None


def _slots(payment: Payment, to: PaymentStatus, review: ReviewReason | None) -> dict[str, Any]:
    """Return the slots after a move: an ended attempt makes room, the order's first success takes its place."""
    slots: dict[str, Any] = {} if to in OPEN else {"open_order_reference": None}
    if to == PaymentStatus.SUCCEEDED and review != ReviewReason.SECOND_SUCCESS:
        slots["paid_order_reference"] = payment.order_reference
    return slots


def _record(payment: Payment, step: _Step, decision: Decision) -> StatusChange:
    signal = "payment_needs_review" if step.review else _signal_of(payment, step.to)
    if payment.from_checklist:
        signal = ""  # there is no order that the merchant's code could look for
    now = clock.now()
    change = StatusChange.objects.create(
        payment=payment,
        from_status=step.current,
        to_status=step.to,
        source=decision.source,
        note=(decision.note or step.review or "")[:255],
        request_id=decision.request_id,
        signal=signal,
        deliver_at=now if signal else None,
        created_at=now,
    )
    event_log.payment_changed(change, payment, step.update, review=step.review or "")
    return change


def _signal_of(payment: Payment, to: PaymentStatus) -> str:
    """Name the signal of a status; an attempt replaced by another says nothing about the order when it ends."""
    if to == PaymentStatus.SUCCEEDED:
        return "payment_succeeded"
    if to in ENDED_UNPAID and payment.superseded_at is None:
        return f"payment_{to.value}"
    return ""
