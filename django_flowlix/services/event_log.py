"""What is told to the log: one line per exchange with the gateway, one per change of a payment or refund.

A line is `name key=value …`, and its record carries the same facts as attributes `flowlix_…` for formatters that write
JSON. A line holds no body, header or key, nothing about the customer, nothing that a person wrote, and of the gateway's
codes only words.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from ..api.redaction import one_line
from ..models import ApiCall, Payment, Refund, StatusChange
from ..statuses import PaymentStatus, RefundStatus
from .gateway_words import gateway_word

_exchanges = logging.getLogger("django_flowlix.exchanges")
_transitions = logging.getLogger("django_flowlix.transitions")

Fact = str | int | bool | None
_LONGEST_VALUE = 255
_BARE = re.compile(r"[^\s\"'=\\]+")
_ALWAYS_SHOWN = frozenset({"request_id", "http_status"})


def exchanged(call: ApiCall) -> None:
    """Log one HTTP try, at once: the line stands even if the database fails afterwards."""
    facts: dict[str, Fact] = {
        "operation": call.operation,
        "try": call.try_number,
        "http_status": call.http_status,
        "outcome": call.outcome,
        "request_id": call.request_id,
        "duration_ms": call.duration_ms,
        "account": call.account,
        "livemode": call.livemode,
        "payment": call.payment_id,
        "gateway_payment": call.payment.gateway_id if call.payment else None,
        "refund": call.refund_id,
        "error_type": gateway_word(call.error_type),
        "error_code": gateway_word(call.error_code),
        "decline_code": gateway_word(call.decline_code),
        "rate_limit_remaining": call.rate_limit_remaining,
        "paused_until": call.paused_until.isoformat() if call.paused_until else None,
    }
    _tell(_exchanges, logging.INFO if call.outcome == "ok" else logging.WARNING, "flowlix.exchange", facts)


def payment_changed(
    change: StatusChange, payment: Payment, written: Mapping[str, Any], *, review: str = "", kind: str = ""
) -> None:
    """Log a payment's transition, review flag, review or legal hold once the transaction is committed.

    `written` are the columns that are written with it, `review` is the reason of the flag that is raised or reviewed,
    `kind` names what happened where the change does not tell.
    """
    facts: dict[str, Fact] = {
        **_of_change(change, kind),
        "account": payment.account,
        "livemode": payment.livemode,
        "payment": payment.pk,
        "gateway_payment": written.get("gateway_id", payment.gateway_id),
        "attempt": payment.attempt,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "decline_code": gateway_word(written.get("decline_code", payment.decline_code)),
        "review": review,
    }
    needs_somebody = change.signal == "payment_needs_review" or change.to_status == PaymentStatus.REJECTED
    _tell_when_committed(facts, logging.WARNING if needs_somebody else logging.INFO)


def refund_changed(change: StatusChange, refund: Refund) -> None:
    """Log a refund's transition once the transaction is committed."""
    facts: dict[str, Fact] = {
        **_of_change(change),
        "account": refund.account,
        "livemode": refund.payment.livemode,
        "payment": refund.payment_id,
        "gateway_payment": refund.payment.gateway_id,
        "refund": refund.pk,
        "gateway_refund": refund.gateway_id,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "decline_code": gateway_word(refund.decline_code),
    }
    _tell_when_committed(facts, logging.WARNING if change.to_status == RefundStatus.FAILED else logging.INFO)


def _of_change(change: StatusChange, kind: str = "") -> dict[str, Fact]:
    return {
        "change": kind or _kind(change),
        "from": change.from_status,
        "to": change.to_status,
        "source": change.source,
        "request_id": change.request_id,
        "signal": change.signal,
    }


def _kind(change: StatusChange) -> str:
    """Name what happened: it moved, or it stayed and was flagged, or a person has reviewed it."""
    if change.from_status != change.to_status:
        return "moved"
    return "flagged" if change.signal else "reviewed"


def _tell_when_committed(facts: Mapping[str, Fact], level: int) -> None:
    transaction.on_commit(partial(_tell, _transitions, level, "flowlix.transition", facts))


def _tell(logger: logging.Logger, level: int, event: str, facts: Mapping[str, Fact]) -> None:
    """Write one line; a handler that raises costs neither the gateway's answer nor its booking."""
    try:
        if logger.isEnabledFor(level):
            extra = {"flowlix_event": event} | {f"flowlix_{key}": _told(fact) for key, fact in facts.items()}
            logger.log(level, "%s %s", event, _line(facts), extra=extra)
    except Exception:  # noqa: BLE001  what `logging` itself does with a handler that fails
        if logging.raiseExceptions:
            traceback.print_exc(file=sys.stderr)


def _line(facts: Mapping[str, Fact]) -> str:
    shown = {key: fact for key, fact in facts.items() if key in _ALWAYS_SHOWN or fact not in (None, "")}
    return " ".join(f"{key}={_value(fact)}" for key, fact in shown.items())


def _value(fact: Fact) -> str:
    if fact in (None, ""):
        return "-"
    if isinstance(fact, bool):
        return "true" if fact else "false"
    text = str(_told(fact))
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _told(fact: Fact) -> Fact:
    return one_line(fact, _LONGEST_VALUE) if isinstance(fact, str) else fact
