"""idempotency-keys: how keys are made, that they go out with every try, and that the recorded POSTs had theirs."""

from __future__ import annotations

from collections.abc import Iterator

from ...api.idempotency import payment_key, refund_key
from .. import catalogue, records
from ..context import Context
from ..findings import Finding, failed, noted, passed
from ..items import Stage
from ..rehearsal import PATCHED, Rehearsal, accepted, refund, refusal, rehearse

_ENOUGH_SECONDS = 60.0
"""How many tries the budget allows is looked at elsewhere."""
_LONG_REFERENCE = "№" * 255


@catalogue.IDEMPOTENCY_KEYS.probe(Stage.STATIC)
def rehearsed_keys(context: Context) -> Iterator[Finding]:
    account = context.account
    busy, limited = refusal(503, "api_error"), refusal(429, "rate_limit_error", headers={"Retry-After": "1"})
    created = rehearse(account, busy, limited, accepted(), deadline_seconds=_ENOUGH_SECONDS)
    # Some contracts do not repeat a refund after a 503; a 429 says that nothing was done.
    refunded = rehearse(account, limited, limited, accepted(200), act=refund, deadline_seconds=_ENOUGH_SECONDS)
    faults = [*_faults_of("create", created), *_faults_of("refund", refunded), *_faults_of_derivation(context)]
    for fault in faults:
        yield failed(f"Rehearsed without a network: {fault}.", PATCHED)
    if not faults:
        yield passed(
            "Rehearsed without a network: a create and a refund carry an Idempotency-Key, the same on each of three "
            "tries; it is made from the order and the number of the attempt alone."
        )


def _faults_of(operation: str, played: Rehearsal) -> Iterator[str]:
    keys = {each.idempotency_key for each in played.tries}
    if "" in keys or not keys:
        yield f"a {operation} is sent without an Idempotency-Key"
    elif len(played.tries) != 3 or len(keys) != 1:
        yield f"a {operation} of {len(played.tries)} tries has {len(keys)} keys, not 3 tries under one key"


def _faults_of_derivation(context: Context) -> Iterator[str]:
    namespace = context.account.idempotency_namespace
    pairs = [("1001", 1), ("1001", 2), ("1002", 1), ("1001-1", 1), (_LONG_REFERENCE, 1), (_LONG_REFERENCE, 2)]
    keys = [make(order, number, namespace) for make in (payment_key, refund_key) for order, number in pairs]
    again = [make(order, number, namespace) for make in (payment_key, refund_key) for order, number in pairs]
    if keys != again:
        yield "the same order and attempt has another key each time"
    if len(set(keys)) != len(keys):
        yield "two orders, or two attempts, have the same key"
    if any(not 1 <= len(key) <= 255 or not key.isascii() for key in keys):
        yield "a key is empty, longer than 255 characters or not ASCII"


@catalogue.IDEMPOTENCY_KEYS.probe(Stage.STATIC)
def recorded_keys(context: Context) -> Iterator[Finding]:
    counts, sample = context.once(records.call_counts), context.once(records.calls)
    if not counts.for_shop:
        yield noted("On record: nothing yet, no POST for a payment of the shop has been sent in this mode.")
    if others := counts.posts - counts.for_shop:
        yield noted(
            f"On record besides: {counts.for_checklist} POSTs for payments of flowlix_check and "
            f"{others - counts.for_checklist} for no payment on record, as --scenarios sends them."
        )
    if counts.keyless:
        yield failed(
            f"On record: {counts.keyless} of {counts.posts} POSTs among {sample.words} had no Idempotency-Key.",
            f"Whatever sent them may have charged twice: let django_flowlix's services send all POSTs. {PATCHED}",
        )
    if orders := records.wrong_keys(context):
        yield failed(
            f"On record: requests went out under another key than that of their payment or refund, of order "
            f"{' and '.join(orders)}.",
            "Keys must not be changed in the database once they have been sent: look at these payments' timelines.",
        )
    elif counts.for_shop and not counts.keyless:
        yield passed(
            f"On record: each of {counts.for_shop} POSTs for payments of the shop, among {sample.words}, had the key "
            "of its payment or refund."
        )


@catalogue.IDEMPOTENCY_KEYS.probe(Stage.STATIC)
def stored_keys(context: Context) -> Iterator[Finding]:
    keyless = sum(row.keyless for row in context.once(records.payment_counts))
    if keyless:
        yield failed(
            f"{keyless} payments among {context.once(records.payments).words} are stored without an idempotency key.",
            "Make payments with start_payment alone, which derives and stores the key before anything is sent.",
        )
