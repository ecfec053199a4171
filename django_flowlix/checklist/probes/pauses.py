"""retry-after: by rehearsal of what a 429 can say, and by what was called while the gateway had asked to stay away.

Source: docs.flowlix.eu/api-reference/rate-limits (Retry-After; without it 1, 2, 4, 8 s)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from email.utils import formatdate

from ...api import RateLimitError
from .. import catalogue, records, tries
from ..context import Context
from ..findings import Finding, failed, noted, passed, warned
from ..items import Stage
from ..rehearsal import ANSWER_SECONDS, BEGINS_AT, PATCHED, accepted, refusal, rehearse

_UNTOLD = (1, 2, 4, 8)


@catalogue.RETRY_AFTER.probe(Stage.STATIC)
def rehearsed_pauses(context: Context) -> Iterator[Finding]:
    faults = [fault for fault in (*_faults_of_waits(context), _fault_of_long_wait(context)) if fault]
    for fault in faults:
        yield failed(
            f"Rehearsed without a network: {fault}.",
            f"Set RETRY_BUDGET to 10 seconds or more, it is {context.account.retry_budget_seconds:g}. {PATCHED}",
        )
    if not faults:
        yield passed(
            "Rehearsed without a network: a 429 is retried after the seconds or the date of its Retry-After, after 1, "
            "2, 4, 8 s without a readable one, and not at all when that is longer than RETRY_BUDGET."
        )


def _faults_of_waits(context: Context) -> Iterator[str]:
    date = formatdate(BEGINS_AT + 3, usegmt=True)
    yield _fault_of(context, "of 2 seconds", "2", [2])
    yield _fault_of(context, "with a date", date, [3 - ANSWER_SECONDS])
    yield _fault_of(context, "that is missing", None, _UNTOLD)
    yield _fault_of(context, "that cannot be read", "a moment", _UNTOLD)


def _fault_of(context: Context, name: str, value: str | None, least: Sequence[float]) -> str:
    """Say what is wrong with the waits after as many 429 as there are `least` waits; the budget may cut them short."""
    headers = {} if value is None else {"Retry-After": value}
    refused = refusal(429, "rate_limit_error", headers=headers)
    waits = rehearse(context.account, *[refused] * len(least), accepted()).waits
    if not waits:
        return f"a 429 with a Retry-After {name} is not retried"
    if any(wait < asked for wait, asked in zip(waits, least, strict=False)):
        return (
            f"a 429 with a Retry-After {name} is retried after {', '.join(f'{wait:.1f}' for wait in waits)} s already"
        )
    return ""


def _fault_of_long_wait(context: Context) -> str:
    asked = math.ceil(context.account.retry_budget_seconds) + 60
    played = rehearse(context.account, refusal(429, "rate_limit_error", headers={"Retry-After": str(asked)}))
    if len(played.tries) > 1 or played.waits:
        return f"a 429 that asks for {asked} s is retried within RETRY_BUDGET"
    if not isinstance(played.error, RateLimitError) or played.error.retry_after_seconds != asked:
        return f"a 429 that asks for {asked} s does not tell the caller so"
    return ""


@catalogue.RETRY_AFTER.probe(Stage.STATIC)
def recorded_pauses(context: Context) -> Iterator[Finding]:
    early = [
        each for each in context.once(tries.repeats_of_refused) if each.earlier_status == 429 and each.is_too_early
    ]
    for each in early[: records.EXAMPLES]:
        yield failed(
            f"On record: {each.operation} of order {each.order_reference} was tried again {_moment(each.began_at)}, "
            "before the time that its 429 had asked for.",
            f"See that the clock of the server is not set back and forth. {PATCHED}",
        )
    meanwhile = tries.calls_in_pauses(context)
    if meanwhile:
        operation, began_at = meanwhile[-1]
        yield warned(
            f"On record: {len(meanwhile)} calls were begun while the gateway had asked everybody who uses the key to "
            f"stay away, the last one {operation} {_moment(began_at)}.",
            "See that the clocks of all servers agree, and that all of them use the same database and this version.",
        )
    if not early and not meanwhile:
        number, sample = len(context.once(tries.pauses)), context.once(records.calls)
        yield noted(
            f"On record: the latest {number} times that a 429 asked to stay away, among {sample.words}; nothing was "
            "called too early."
        )


def _moment(moment: object) -> str:
    return f"at {moment:%Y-%m-%d %H:%M:%S} UTC"
