"""retry-5xx and no-retry-4xx: by rehearsal of the waits, and by what the recorded tries say.

Source: docs.flowlix.eu/guides/go-live
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import catalogue, records, tries
from ..context import Context
from ..findings import Finding, failed, noted, passed, warned
from ..items import Stage
from ..rehearsal import PATCHED, Rehearsal, accepted, refusal, rehearse

_WAITS = (1, 2, 4)
_JITTER = (0.0, 0.999)
"""Chance at its shortest and at its longest."""
_FINAL = (
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "card_error"),
    (403, "authentication_error"),
    (404, "invalid_request_error"),
    (422, "invalid_request_error"),
)
_TEMPORARY = frozenset({408, 409, 421, 425, 429})
"""Answers of 4xx with rules of their own."""


@catalogue.RETRY_5XX.probe(Stage.STATIC)
def rehearsed_waits(context: Context) -> Iterator[Finding]:
    account = context.account
    yield _waits_within(context, "RETRY_BUDGET", account.retry_budget_seconds)
    yield _waits_within(context, "BACKGROUND_RETRY_BUDGET", account.background_retry_budget_seconds)
    if not account.contract.keeps_failed_answers:
        yield noted(
            "A refund of which the outcome is unknown is not sent again before its payment has been read: in this "
            "contract the gateway keeps no answer of a request that failed."
        )


def _waits_within(context: Context, name: str, seconds: float) -> Finding:
    rehearsed = f"Rehearsed without a network, with {name} = {seconds:g}"
    refused, broken = refusal(503, "api_error"), refusal(500, "api_error")
    for chance in _JITTER:
        replies = (refused, refused, broken, accepted())
        played = rehearse(context.account, *replies, chance=chance, deadline_seconds=seconds)
        if fault := _fault_of(played):
            # What the background does not finish now, its next run does.
            bad = failed if name == "RETRY_BUDGET" else warned
            return bad(
                f"{rehearsed}: a create answered with 5xx {fault}.",
                f"Set {name} to 10 seconds or more, and TIMEOUT to a second or more. {PATCHED}",
            )
    return passed(
        f"{rehearsed}: a create answered with 503, 503 and 500 is sent again after 1, 2 and 4 s (and up to a tenth "
        "more), with the same key and body."
    )


def _fault_of(played: Rehearsal) -> str:
    if len(played.tries) != 4 or len(played.waits) != 3:
        return f"is tried {_times(len(played.tries))}, not 4 times"
    if any(not least <= wait < 2 * least for least, wait in zip(_WAITS, played.waits, strict=True)):
        return f"is tried again after {', '.join(f'{wait:.1f}' for wait in played.waits)} s, not 1, 2 and 4 s"
    return _fault_of_sameness(played) or (
        "" if played.error is None else "ends in an error although the last try did not"
    )


def _fault_of_sameness(played: Rehearsal) -> str:
    if len({each.idempotency_key for each in played.tries}) != 1:
        return "is sent again under another key"
    bodies = {"" if each.body is None else each.body.reveal() for each in played.tries}
    return "" if len(bodies) == 1 else "is sent again with another body"


@catalogue.RETRY_5XX.probe(Stage.STATIC)
def rehearsed_silence(context: Context) -> Iterator[Finding]:
    """A create without an answer is sent again too, if the budget outlasts the time-out."""
    account = context.account
    played = rehearse(account, None, accepted(), chance=_JITTER[1])
    if len(played.tries) == 2 and played.error is None and not _fault_of_sameness(played):
        yield passed("Rehearsed without a network: a create that gets no answer in time is sent again the same way.")
        return
    yield warned(
        f"Rehearsed without a network: a create that gets no answer within TIMEOUT ({account.timeout_seconds[1]:g} s) "
        f"is not sent again within RETRY_BUDGET ({account.retry_budget_seconds:g} s), but by flowlix_sync alone.",
        "Set RETRY_BUDGET to TIMEOUT and 3 seconds, or more.",
    )


@catalogue.RETRY_5XX.probe(Stage.STATIC)
def recorded_keys(context: Context) -> Iterator[Finding]:
    if orders := tries.orders_with_several_keys(context):
        yield failed(
            f"On record: a payment was created under more than one key, of order {' and '.join(orders)}.",
            "Look at the timelines of these payments: each further key may have made a charge of its own.",
        )
        return
    number, sample = context.once(records.call_counts).server_errors, context.once(records.calls)
    yield noted(f"On record: {number} answers of 5xx among {sample.words}; all tries of a create had one key.")


@catalogue.NO_RETRY_4XX.probe(Stage.STATIC)
def rehearsed_refusals(context: Context) -> Iterator[Finding]:
    tried = {status: len(rehearse(context.account, refusal(status, kind)).tries) for status, kind in _FINAL}
    again = {status: number for status, number in tried.items() if number != 1}
    for status, number in again.items():
        yield failed(
            f"Rehearsed without a network: a create answered with {status} is tried {_times(number)}.", PATCHED
        )
    if not again:
        yield passed(
            "Rehearsed without a network: a create answered with 400 to 404 or with 422 is tried once. "
            "408, 409, 421, 425 and 429 are temporary, and have rules of their own."
        )


@catalogue.NO_RETRY_4XX.probe(Stage.STATIC)
def recorded_refusals(context: Context) -> Iterator[Finding]:
    found = [each for each in context.once(tries.repeats_of_refused) if each.earlier_status not in _TEMPORARY]
    for each in found[: records.EXAMPLES]:
        yield failed(
            f"On record: {each.operation} of order {each.order_reference} was tried again after {each.earlier_status}.",
            f"See who else in this project calls the gateway and writes its record. {PATCHED}",
        )
    if not found:
        number, sample = context.once(records.call_counts).refused, context.once(records.calls)
        yield noted(f"On record: {number} answers of 4xx among {sample.words}; none that is final was tried again.")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
