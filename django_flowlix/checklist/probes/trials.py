"""What `--scenarios` tries out at the gateway with a test key, line by line of the section Testing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from django.db import transaction

from ...api import (
    AuthenticationError,
    FlowlixError,
    GatewayStatus,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
)
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, noted, passed, skipped
from ..items import Probe, Stage
from ..question import ask_gateway
from ..refusals import is_temporary, words_of
from ..trials.calls import (
    AMOUNT,
    Came,
    Repeated,
    ask_for_nothing,
    call_with_wrong_key,
    pay_directly,
    repeat,
    seen_live,
    send_invalid,
)
from ..trials.hosted_cycle import finding_of_refund, try_cycle

_EXPIRED = "expired_card"
_AGAIN = "Try again: it says nothing about the shop or the contract."


def _unless_stopped(probe: Probe) -> Probe:
    """Try nothing out where it must not be, or where it could prove nothing, whoever runs the checklist."""

    @wraps(probe)
    def guarded(context: Context) -> Iterator[Finding]:
        stop = context.once(_stop)
        if stop is None:
            yield from probe(context)
        else:
            yield stop

    return guarded


def _stop(context: Context) -> Finding | None:
    """Say why nothing may be tried out, None when it may: a live key, an outer transaction, no record, no gateway."""
    if context.account.livemode:
        return failed("Scenarios pay with test cards; the key is live: nothing was sent.", "Use a test key.")
    try:
        with transaction.atomic(durable=True):
            pass
    except RuntimeError:
        return failed("Inside atomic() the record could be lost: nothing was sent.", "Call it outside a transaction.")
    asked = context.once(ask_gateway)
    if asked.error is not None:
        words = f"The gateway could not be asked: {words_of(asked.error)}. Nothing was tried out."
        if is_temporary(asked.error):
            return skipped(words, "Try again; flowlix_check --network tells more.")
        return failed(words, "See key-accepted.")
    if not asked.is_recorded:
        return failed("The database takes no record of a call: nothing was tried out.", "See migrations.")
    if any(payment.livemode for payment in asked.payments):
        return failed("The key lists live payments: nothing was tried out.", "See key-accepted.")
    return None


def _stopped_since(context: Context) -> Iterator[Finding]:
    """Say that the gateway has called a payment of this run live: what comes after it is not tried out."""
    for payment_id in context.once(seen_live)[:1]:
        yield failed(
            f"The gateway calls {payment_id} live, though the key's prefix says test: nothing more was tried out.",
            "Look at it in the gateway's dashboard, and ask its support which mode the key is of.",
        )


@catalogue.OUTCOMES_EXERCISED.probe(Stage.SCENARIOS)
@_unless_stopped
def outcomes(context: Context) -> Iterator[Finding]:
    cards = context.account.contract.test_cards
    for decline_code, number in cards.items():
        if not context.once(seen_live):
            yield _paid(decline_code, number, pay_directly(context, number))
    if context.once(seen_live):
        yield from _stopped_since(context)
        return
    if _EXPIRED not in cards:
        yield noted("No test card is published for an expired card; decline-texts has looked at its text.")
    cycle = context.once(try_cycle)
    if cycle.payment is not None and cycle.is_verified:
        yield finding_of_refund(cycle.payment)
    else:
        yield skipped("Refund: there is no paid payment to refund.", "See hosted-cycle-exercised.")


def _paid(decline_code: str, number: str, came: Came) -> Finding:
    card = f"The test card •••• {number[-4:]}"
    if came.is_temporary:
        return skipped(f"{card} could not be tried out: {came}.", _AGAIN)
    expected = f"declined with {decline_code}" if decline_code else "accepted"
    if came.decline_code == decline_code and _has_ended(came, declined=bool(decline_code)):
        return passed(f"{card} was {expected}: {came}.")
    words = f"{card} should have been {expected}, and was not: {came}."
    return failed(words, "Is CONTRACT the one that the key belongs to? Ask the gateway's support with the request id.")


def _has_ended(came: Came, *, declined: bool) -> bool:
    """Tell whether a payment of the amount that was sent was accepted, or declined, by a status or by an error."""
    payment = came.payment
    if payment is None:
        return declined
    if (payment.amount_minor, payment.currency) != (AMOUNT.amount_minor, AMOUNT.currency):
        return False
    return payment.status is (GatewayStatus.FAILED if declined else GatewayStatus.SUCCEEDED)


@catalogue.IDEMPOTENCY_EXERCISED.probe(Stage.SCENARIOS)
@_unless_stopped
def idempotency(context: Context) -> Iterator[Finding]:
    if context.once(seen_live):
        yield from _stopped_since(context)
        return
    sent = repeat(context)
    if unanswered := [came for came in (sent.first, sent.again, sent.changed) if came.is_temporary]:
        yield skipped(f"It could not be tried out: {unanswered[0]}.", _AGAIN)
    elif sent.first.payment is None:
        yield failed(f"The first request failed: {sent.first}.", "See the error-handling lines.")
    else:
        yield from _repeated(sent, sent.first.payment.id)


def _repeated(sent: Repeated, first_id: str) -> Iterator[Finding]:
    support = "Do not go live: ask the gateway's support with the request ids."
    if sent.again.payment is not None and sent.again.payment.id == first_id:
        yield passed(f"The same request twice under one key brought the same payment twice: {first_id}.")
    else:
        yield failed(f"The same request twice under one key brought {sent.first}, then {sent.again}.", support)
    if isinstance(sent.changed.error, IdempotencyError):
        yield passed(f"Another body under that key was refused: {sent.changed}.")
    else:
        yield failed(f"Another body under that key was not refused with HTTP 409: {sent.changed}.", support)


@catalogue.ERRORS_EXERCISED.probe(Stage.SCENARIOS)
@_unless_stopped
def errors(context: Context) -> Iterator[Finding]:
    if context.once(seen_live):
        yield from _stopped_since(context)
        return
    attempts: list[tuple[str, Callable[[Context], Came], type[FlowlixError]]] = [
        ("An invalid request", send_invalid, InvalidRequestError),
        ("A payment that does not exist", ask_for_nothing, NotFoundError),
        ("A wrong key", call_with_wrong_key, AuthenticationError),
    ]
    for what, call, expected in attempts:
        yield _refused(what, call(context), expected)
    yield noted("What a 5xx, a 429 and a lost connection lead to is rehearsed: see retry-5xx and retry-after.")


def _refused(what: str, came: Came, expected: type[FlowlixError]) -> Finding:
    if came.is_temporary:
        return skipped(f"{what} could not be tried out: {came}.", _AGAIN)
    if isinstance(came.error, expected):
        return passed(f"{what} was refused as it should be: {came}.")
    words = f"{what} did not lead to {expected.__name__}: {came}."
    return failed(words, "Is API_URL the gateway's, and CONTRACT the one of the key?")


@catalogue.HOSTED_CYCLE_EXERCISED.probe(Stage.SCENARIOS)
@_unless_stopped
def hosted_cycle(context: Context) -> Iterator[Finding]:
    if context.once(seen_live):
        yield from _stopped_since(context)
    else:
        yield from context.once(try_cycle).findings
