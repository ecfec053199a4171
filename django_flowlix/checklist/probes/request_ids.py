"""request-ids-stored: the gateway's support asks for the request id, so each answer must have left one."""

from __future__ import annotations

from collections.abc import Iterator

from .. import catalogue, records
from ..context import Context
from ..findings import Finding, failed, noted, passed, skipped
from ..items import Stage


@catalogue.REQUEST_IDS_STORED.probe(Stage.STATIC)
def stored_request_ids(context: Context) -> Iterator[Finding]:
    counts, words = context.once(records.call_counts), context.once(records.calls).words
    nameless = counts.nameless
    if nameless:
        counts, words = context.once(records.recent_call_counts), context.once(records.recent_calls).words
    asked = counts.answered - counts.foreign - counts.nameless_5xx
    if counts.nameless:
        yield failed(
            f"{counts.nameless} of {asked} answers among {words} left no request id, such as "
            f"{', '.join(records.nameless_answers(context))}.",
            "Do your proxies let Flowlix-Request-Id through? If so, ask the gateway's support why it is missing.",
        )
    elif asked:
        yield passed(f"Each of {asked} answers among {words} has left its request id.")
    else:
        yield skipped("No answer on record yet in this mode.", "Make a payment, or run flowlix_check --network.")
    if nameless > counts.nameless:
        yield noted(f"Earlier, {nameless - counts.nameless} answers left no request id: that counts no more.")
    if counts.nameless_5xx:
        yield noted(
            f"{counts.nameless_5xx} answers of 5xx brought no request id: they may come from before the gateway."
        )
    if counts.foreign:
        yield noted(
            f"{counts.foreign} answers brought neither a request id nor a type of the gateway's: they come from a "
            "proxy or a firewall before it."
        )
