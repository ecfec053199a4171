"""What the gateway says about a payment's refunds, entered into our rows: settled, moved on, or adopted.

An entry belongs to the row with its id; else to a sent row of ours that has no id yet and asks for the same amount;
else somebody refunded in the gateway's dashboard, and it becomes a row of source `gateway`. Every entry ends in exactly
one row, so our sum is the gateway's.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Max

from ..api import GatewayPayment, GatewayRefund, GatewayRefundStatus
from ..models import Payment, Refund, StatusChange
from ..statuses import REFUND_OPEN, PaymentStatus, RefundSource, RefundStatus
from . import clock, schedule
from .refund_transitions import move_refund

logger = logging.getLogger("django_flowlix")

_CLOCK_SKEW_SECONDS = 600
_APPEARS_WITHIN = timedelta(hours=24)
# An accepted refund is under way, whatever word the gateway has for it; only a word we know ends it.
_STATUSES = {
    GatewayRefundStatus.PENDING: RefundStatus.PENDING,
    GatewayRefundStatus.UNKNOWN: RefundStatus.PENDING,
    GatewayRefundStatus.SUCCEEDED: RefundStatus.SUCCEEDED,
    GatewayRefundStatus.FAILED: RefundStatus.FAILED,
}


@dataclass(slots=True)
class Settlement:
    """What came of one answer: changes whose receivers have to be called, and what a person must look at.

    `faults` do not add up, and are seen again by every look; `doubles` were adopted and are seen once.
    """

    changes: list[StatusChange] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)


def settle(
    payment: Payment,
    answer: GatewayPayment,
    *,
    source: str,
    accepted: Refund | None = None,
    covered: Refund | None = None,
) -> Settlement:
    """Enter the refunds of an answer that is about this payment; in a transaction that holds the payment's row.

    `accepted` is the refund whose request was answered with this: it is at least under way, and the newest entry that
    fits is its own. `covered` is one that was refused because nothing is left: an entry of its amount has done its
    work.
    """
    settlement = Settlement()
    if accepted is None and not answer.refunds and payment.status != PaymentStatus.SUCCEEDED:
        return settlement  # nothing was refunded before it was paid
    rows = list(payment.refunds.order_by("created_at", "pk"))
    own = next((row for row in rows if row in (accepted, covered)), None)
    for entry, row in _attributed(payment, rows, answer, own):
        if fault := _fault(payment, rows, entry, row):
            logger.error("payment %s: %s", payment.pk, fault)
            settlement.faults.append(fault)
            continue
        if row is None:
            if any(_may_be_its_double(entry, ours, payment, answer) for ours in rows):
                settlement.doubles.append(f"refund {entry.id} is one of ours made twice, or the dashboard's")
            row = _adopt(payment, entry)
            rows.append(row)
        if entry.status is GatewayRefundStatus.UNKNOWN:
            settlement.faults.append(f"refund {entry.id} has the unknown status {entry.gateway_status}")
        _move(row, entry, answer, source, settlement)
    if accepted is not None and own is not None and own.status == RefundStatus.CREATED:
        _note_accepted(own, answer, source, settlement)
    if answer.refunds is not None:
        _fail_what_never_appears(rows, answer, source, settlement)
    _plan_next_look(payment, rows)
    return settlement


def is_refunded_in_full(answer: GatewayPayment) -> bool:
    """Tell whether nothing is left at the gateway: all of the payment is refunded, or on its way back."""
    counted = (entry.amount_minor for entry in answer.refunds or () if entry.status is not GatewayRefundStatus.FAILED)
    return sum(counted) >= answer.amount_minor


def _attributed(
    payment: Payment, rows: list[Refund], answer: GatewayPayment, own: Refund | None
) -> list[tuple[GatewayRefund, Refund | None]]:
    """Pair every entry with its row, None for one that nobody here asked for."""
    entries = sorted(answer.refunds or (), key=lambda entry: entry.created_at or 0)
    by_id = {row.gateway_id: row for row in rows if row.gateway_id}
    owners = [by_id.get(entry.id) if entry.id else None for entry in entries]
    # The answer to a request shows its own refund last; what is left belongs to those that were accepted, then to those
    # that may have been, the oldest first.
    free = [row for row in rows if row.gateway_id is None and row.status != RefundStatus.FAILED]
    for row in sorted(free, key=lambda row: (row != own, row.status == RefundStatus.CREATED)):
        order = range(len(entries))
        fitting = [
            i
            for i in (reversed(order) if row == own else order)
            if owners[i] is None and _fits(row, entries[i], payment, answer, at_any_time=row == own)
        ]
        if fitting:
            owners[next((i for i in fitting if entries[i].reason == row.reason), fitting[0])] = row
    return list(zip(entries, owners, strict=True))


def _fits(row: Refund, entry: GatewayRefund, payment: Payment, answer: GatewayPayment, *, at_any_time: bool) -> bool:
    """Tell whether an entry may be the refund that a row asked for."""
    if (entry.amount_minor, entry.currency) != (row.amount_minor, row.currency):
        return False
    if not entry.id:
        return True  # the contract knows one refund per payment: there is no other
    if row.status not in REFUND_OPEN or row.first_sent_at is None:
        return False
    return at_any_time or entry.created_at is None or entry.created_at >= _earliest(row, payment, answer)


def _may_be_its_double(entry: GatewayRefund, row: Refund, payment: Payment, answer: GatewayPayment) -> bool:
    """Tell whether an entry that nobody asked for is a second one made of one of our requests.

    A gateway that fails after its work and forgets the key does that when the request is repeated.
    """
    same = (entry.amount_minor, entry.currency) == (row.amount_minor, row.currency)
    if (
        not same
        or entry.reason not in ("", row.reason)
        or row.source == RefundSource.GATEWAY
        or row.first_sent_at is None
    ):
        return False
    return entry.created_at is None or entry.created_at >= _earliest(row, payment, answer)


def _earliest(row: Refund, payment: Payment, answer: GatewayPayment) -> float:
    """Return since when the refund of a row can be at the gateway, in Unix seconds of the gateway.

    Whose clock is wrong is not known: it is the earlier of what our clock says, and what it says when it is set by the
    payment, of which the gateway tells when it was made.
    """
    assert row.first_sent_at is not None  # noqa: S101  narrows: only sent rows are looked for
    ours = row.first_sent_at.timestamp()
    theirs = ours if answer.created_at is None else answer.created_at + (ours - payment.created_at.timestamp())
    return min(ours, theirs) - _CLOCK_SKEW_SECONDS


def _fault(payment: Payment, rows: list[Refund], entry: GatewayRefund, row: Refund | None) -> str:
    """Say why an entry cannot be booked; "" when it can."""
    if entry.currency != payment.currency or not entry.amount_minor:
        return "a refund without an amount in the payment's currency"
    if row is not None and row.amount_minor != entry.amount_minor:
        return f"refund {entry.id} over {entry.amount_minor} instead of {row.amount_minor}"
    paid_minor = sum(r.amount_minor for r in rows if r.status == RefundStatus.SUCCEEDED and r is not row)
    if entry.status is GatewayRefundStatus.SUCCEEDED and paid_minor + entry.amount_minor > payment.amount_minor:
        return "more was refunded than paid"
    return ""


def _adopt(payment: Payment, entry: GatewayRefund) -> Refund:
    now = clock.now()
    return Refund.objects.create(
        payment=payment,
        account=payment.account,
        sequence=next_sequence(payment),
        amount_minor=entry.amount_minor,
        currency=payment.currency,
        exponent=payment.exponent,
        reason=entry.reason[:255],
        source=RefundSource.GATEWAY,
        created_at=now,
        updated_at=now,
    )


def next_sequence(payment: Payment) -> int:
    """Return the number of the order's next refund: the attempts of an order share one row of numbers, and keys."""
    of_order = Refund.objects.filter(payment__order_reference=payment.order_reference, account=payment.account)
    return int(of_order.aggregate(last=Max("sequence"))["last"] or 0) + 1


def _move(row: Refund, entry: GatewayRefund, answer: GatewayPayment, source: str, settlement: Settlement) -> None:
    values: dict[str, Any] = {
        "gateway_status": entry.gateway_status,
        "decline_code": entry.decline_code,
        "decline_message": entry.decline_message,
        **_confirmed(row, answer),
    }
    if entry.id:
        values["gateway_id"] = entry.id
    note = entry.decline_code or entry.decline_message
    change = move_refund(
        row, _STATUSES[entry.status], source=source, values=values, note=note, request_id=answer.request_id
    )
    if change is not None:
        settlement.changes.append(change)


def _note_accepted(row: Refund, answer: GatewayPayment, source: str, settlement: Settlement) -> None:
    """Book that the gateway has taken the request, although it does not show the refund yet."""
    values = _confirmed(row, answer)
    change = move_refund(row, RefundStatus.PENDING, source=source, values=values, request_id=answer.request_id)
    settlement.changes += [change] if change is not None else []


def _fail_what_never_appears(rows: list[Refund], answer: GatewayPayment, source: str, settlement: Settlement) -> None:
    """Book that an accepted refund was none: what the gateway had to show is with another of our rows.

    Two lost requests of one amount, of which one was done, look alike; the first to be asked about takes the entry.
    """
    now, note = clock.now(), "the gateway accepted it and does not show it"
    for row in rows:
        sent_at = row.last_sent_at
        if row.status != RefundStatus.PENDING or row.gateway_id is not None or sent_at is None:
            continue
        if now - sent_at >= _APPEARS_WITHIN:
            change = move_refund(
                row, RefundStatus.FAILED, source=source, values={"note": note}, note=note, request_id=answer.request_id
            )
            settlement.changes += [change] if change is not None else []


def _confirmed(row: Refund, answer: GatewayPayment) -> dict[str, Any]:
    """Return the columns of a refund that the gateway is known to have: nothing is to be sent any more."""
    known = {"lease_until": None, "next_sync_at": None, "sync_failures": 0, "request_body": "", "note": ""}
    return known if row.request_id else known | {"request_id": answer.request_id}


def _plan_next_look(payment: Payment, rows: list[Refund]) -> None:
    """Look at the payment often while one of its refunds is under way."""
    under_way = [row.created_at for row in rows if row.status == RefundStatus.PENDING]
    if under_way:
        now = clock.now()
        Payment.objects.filter(pk=payment.pk).update(next_sync_at=schedule.next_look(max(under_way), now))
