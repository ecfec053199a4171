"""What `--scenarios` tries out at the gateway with a test key, line by line of the section Testing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps

from ...api import (
    AnsweredError,
    AuthenticationError,
    FlowlixError,
    GatewayStatus,
    IdempotencyError,
    InvalidRequestError,
    NotFoundError,
)
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, noted, passed
from ..items import Probe, Stage
from ..trials.calls import Came, ask_for_nothing, call_with_wrong_key, pay_directly, repeat, send_invalid
from ..trials.hosted_cycle import finding_of_refund, try_cycle

_EXPIRED = "expired_card"


def _test_keys_only(probe: Probe) -> Probe:
    """Refuse a live key before anything is sent, whoever runs the checklist."""

    @wraps(probe)
    def guarded(context: Context) -> Iterable[Finding]:
        if context.account.livemode:
            return [
                failed("Scenarios make payments with test cards; the key is live: nothing was sent.", "Use a test key.")
            ]
        return probe(context)

    return guarded


@catalogue.OUTCOMES_EXERCISED.probe(Stage.SCENARIOS)
@_test_keys_only
def outcomes(context: Context) -> Iterator[Finding]:
    cards = context.account.contract.test_cards
    for decline_code, number in cards.items():
        yield _paid(decline_code, number, pay_directly(context, number))
    if _EXPIRED not in cards:
        yield noted("No test card is published for an expired card; decline-texts has looked at its text.")
    cycle = context.once(try_cycle)
    if cycle.payment is not None and cycle.is_verified:
        yield finding_of_refund(cycle.payment)
    else:
        yield failed("Refund: there is no paid payment to refund.", "See hosted-cycle-exercised.")


def _paid(decline_code: str, number: str, came: Came) -> Finding:
    expected = f"declined with {decline_code}" if decline_code else "accepted"
    status = came.payment.status if came.payment else None
    accepted = status is GatewayStatus.SUCCEEDED
    declined = came.decline_code != "" and status in (None, GatewayStatus.FAILED)
    if (accepted and not decline_code) or (declined and came.decline_code == decline_code):
        return passed(f"The test card •••• {number[-4:]} was {expected}: {came}.")
    words = f"The test card •••• {number[-4:]} should have been {expected}, and was not: {came}."
    return failed(words, "Is CONTRACT the one that the key belongs to? Ask the gateway's support with the request id.")


@catalogue.IDEMPOTENCY_EXERCISED.probe(Stage.SCENARIOS)
@_test_keys_only
def idempotency(context: Context) -> Iterator[Finding]:
    sent = repeat(context)
    if sent.first.payment is None:
        yield failed(f"The first request failed: {sent.first}.", "See the error-handling lines.")
        return
    first_id = sent.first.payment.id
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
@_test_keys_only
def errors(context: Context) -> Iterator[Finding]:
    attempts: list[tuple[str, Callable[[Context], Came], type[FlowlixError]]] = [
        ("An invalid request", send_invalid, InvalidRequestError),
        ("A payment that does not exist", ask_for_nothing, NotFoundError),
        ("A wrong key", call_with_wrong_key, AuthenticationError),
    ]
    for what, call, expected in attempts:
        yield _refused(what, call(context), expected)
    yield noted("What a 5xx, a 429 and a lost connection lead to is rehearsed: see retry-5xx and retry-after.")


def _refused(what: str, came: Came, expected: type[FlowlixError]) -> Finding:
    if isinstance(came.error, expected) and isinstance(came.error, AnsweredError):
        return passed(f"{what} was refused as it should be: {came}.")
    words = f"{what} did not lead to {expected.__name__}: {came}."
    return failed(words, "Is API_URL the gateway's, and CONTRACT the one of the key?")


@catalogue.HOSTED_CYCLE_EXERCISED.probe(Stage.SCENARIOS)
@_test_keys_only
def hosted_cycle(context: Context) -> Iterator[Finding]:
    yield from context.once(try_cycle).findings
