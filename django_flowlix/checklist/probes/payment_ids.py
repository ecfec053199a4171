"""payment-id-stored: every payment that the gateway has confirmed is stored with its id, request id and order."""

from __future__ import annotations

from collections.abc import Iterator

from .. import catalogue, records
from ..context import Context
from ..findings import Finding, failed, noted, passed, skipped
from ..items import Stage


@catalogue.PAYMENT_ID_STORED.probe(Stage.STATIC)
def stored_ids(context: Context) -> Iterator[Finding]:
    counts, words = context.once(records.payment_counts), context.once(records.payments).words
    confirmed, incomplete = sum(row.confirmed for row in counts), sum(row.incomplete for row in counts)
    if not confirmed:
        yield skipped(
            "No payment yet: the gateway has confirmed none of the shop in this mode.",
            "Pay for an order, then check again.",
        )
        return
    if incomplete:
        yield failed(
            f"{incomplete} of {confirmed} confirmed payments among {words} lack the payment id, the request id or the "
            f"order, such as order {' and '.join(records.incomplete_orders(context)) or 'without a reference'}.",
            "Does every answer bring Flowlix-Request-Id through your proxies? Use 'Ask the gateway now' in the admin.",
        )
    else:
        yield passed(f"All {confirmed} confirmed payments among {words} have payment id, request id and order.")
    linked, number = sum(row.linked for row in counts), sum(row.payments for row in counts)
    yield noted(f"{linked} of {number} payments are linked to an object of the shop (the payment's `order`).")
