"""What is on record of the section Testing: trials of earlier runs, and what has happened with the shop's own payments.

A live installation has a database of its own; what was exercised elsewhere is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_flowlix import __version__

from ...models import ChecklistResult, Payment, Refund, StatusChange
from ...statuses import ChangeSource, PaymentStatus, RefundStatus
from .. import catalogue
from ..context import Context
from ..findings import Finding, Outcome, needs_person, passed, skipped, warned, worst_of
from ..items import Item, Stage
from ..keeping import findings_of

_STATEMENT = "This was exercised on the test installation with flowlix_check --scenarios; its report is kept."
_TRY = "Run flowlix_check --scenarios with a test key."


@catalogue.OUTCOMES_EXERCISED.probe()
def outcomes(context: Context) -> Iterator[Finding]:
    yield from _on_record(context, catalogue.OUTCOMES_EXERCISED, _outcomes_of_the_shop(context))


@catalogue.IDEMPOTENCY_EXERCISED.probe()
def idempotency(context: Context) -> Iterator[Finding]:
    yield from _on_record(context, catalogue.IDEMPOTENCY_EXERCISED, "")


@catalogue.ERRORS_EXERCISED.probe()
def errors(context: Context) -> Iterator[Finding]:
    yield from _on_record(context, catalogue.ERRORS_EXERCISED, "")


@catalogue.HOSTED_CYCLE_EXERCISED.probe()
def hosted_cycle(context: Context) -> Iterator[Finding]:
    yield from _on_record(context, catalogue.HOSTED_CYCLE_EXERCISED, _cycle_of_the_shop(context))


def _on_record(context: Context, item: Item, of_the_shop: str) -> Iterator[Finding]:
    """Yield what earlier trials of this contract came to, or else what the shop's own payments prove."""
    if of_the_shop:
        yield passed(of_the_shop)
    if Stage.SCENARIOS in context.stages:
        return  # they are tried out now
    result = _latest_trial(context, item)
    if result is not None:
        yield _trial(result)
    elif not of_the_shop and context.account.livemode:
        yield needs_person("This database has no trial on record: a live installation cannot make one.", _STATEMENT)
    elif not of_the_shop:
        yield skipped("There is no trial on record, and the shop's own payments do not show it.", _TRY)


def _latest_trial(context: Context, item: Item) -> ChecklistResult | None:
    account = context.account
    trials = ChecklistResult.objects.filter(
        item=item.id,
        run__account=account.alias,
        run__contract=account.contract_name,
        run__livemode=False,
        run__stages__contains=Stage.SCENARIOS.value,
    )
    return trials.select_related("run").order_by("-run__started_at", "-pk").first()


def _trial(result: ChecklistResult) -> Finding:
    run = result.run
    found = [finding for finding in findings_of(result) if finding.stage == Stage.SCENARIOS]
    outcome, when = worst_of(found), f"{run.started_at:%Y-%m-%d}"
    worst = max(found, key=lambda finding: finding.outcome.weight, default=None)
    if outcome is not Outcome.PASS or worst is None:
        words = worst.looked_at if worst else "nothing was tried out."
        return Finding(outcome, f"The last trial, on {when}: {words}", _TRY)
    if run.version != __version__:
        return warned(f"The last trial, on {when}, was with version {run.version}; this is {__version__}.", _TRY)
    return passed(f"Tried out on {when} with version {run.version}, contract {run.contract}: {len(found)} looks.")


def _outcomes_of_the_shop(context: Context) -> str:
    """Say that payments of the shop were accepted, declined and refunded, "" unless all three happened."""
    scope = {"account": context.account.alias, "livemode": context.account.livemode}
    payments = Payment.objects.filter(**scope).order_by("-created_at")
    refunds = Refund.objects.filter(
        account=context.account.alias, payment__livemode=context.account.livemode, status=RefundStatus.SUCCEEDED
    )
    accepted = payments.filter(status=PaymentStatus.SUCCEEDED).exists()
    declined = payments.filter(status=PaymentStatus.FAILED).exists()
    if not (accepted and declined and refunds.exists()):
        return ""
    return "On record are payments of the shop that were accepted, declined and refunded."


def _cycle_of_the_shop(context: Context) -> str:
    change = (
        StatusChange.objects.filter(
            payment__account=context.account.alias,
            payment__livemode=context.account.livemode,
            payment__from_checklist=False,
            refund=None,
            to_status=PaymentStatus.SUCCEEDED,
            source=ChangeSource.RETURN,
        )
        .order_by("-created_at")
        .first()
    )
    if change is None:
        return ""
    return f"On record is a customer who came back and was verified, on {change.created_at:%Y-%m-%d}."
