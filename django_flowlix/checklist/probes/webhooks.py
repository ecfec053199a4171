"""webhooks-verified: whether the contract has any, and what they are verified with."""

from __future__ import annotations

from collections.abc import Iterator

from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, needs_person, noted, skipped


@catalogue.WEBHOOKS_VERIFIED.probe()
def signing_secrets(context: Context) -> Iterator[Finding]:
    account = context.account
    if not account.contract.has_webhooks:
        yield skipped(f"Contract {account.contract_name} has no webhooks: the gateway is asked instead.")
        if account.webhook_secrets:
            yield noted("WEBHOOK_SECRETS is set, and nothing uses it.")
    elif not account.webhook_secrets:
        yield failed(
            "WEBHOOK_SECRETS is empty: nothing can tell the gateway's webhooks from anybody's.",
            "Copy the signing secret from Merchant Portal > Developers > Webhooks.",
        )
    else:
        yield needs_person(
            "WEBHOOK_SECRETS is set.", "Every webhook whose signature does not fit WEBHOOK_SECRETS is refused."
        )
