"""What is on record of the section Testing: trials of earlier runs, and what has happened with the shop's own payments.

A live installation has a database of its own; what was exercised elsewhere is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django_flowlix import __version__

from ...models import ChecklistResult, Payment, Refund, StatusChange
from ...statuses import ChangeSource, PaymentStatus, RefundStatus
from .. import catalogue
from ..attesting import configuration_of
from ..context import Context
from ..findings import Finding, Outcome, needs_person, passed, skipped, warned, worst_of
from ..items import Item, Stage
from ..keeping import findings_of

_STATEMENT = "This was exercised on the test installation with flowlix_check --scenarios; its report is kept."
_TRY = "Run flowlix_check --scenarios with a test key."
_NO_FUNDS, _GENERIC = "insufficient_funds", ("generic_decline", "do_not_honor", "issuer_declined")


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
    """Yield what the shop's own payments prove, or else what the latest trial came to."""
    if of_the_shop:
        yield passed(of_the_shop)
    if Stage.SCENARIOS in context.stages:
        return  # they are tried out now
    result = _latest_trial(context, item)
    if context.account.livemode:
        if not of_the_shop:
            yield needs_person(
                "With a live key nothing can be tried out, and a trial elsewhere is not known here.", _STATEMENT
            )
    elif result is not None:
        yield _trial(result)
    elif not of_the_shop:
        yield skipped("Neither a trial with this key, contract and address nor the shop's payments show it.", _TRY)


def _latest_trial(context: Context, item: Item) -> ChecklistResult | None:
    """Return the latest trial of this very configuration that came to something; an emulator's is another one."""
    configuration = {f"run__{name}": value for name, value in configuration_of(context.account).items()}
    trials = ChecklistResult.objects.filter(
        **configuration, item=item.id, run__stages__contains=Stage.SCENARIOS.value
    ).exclude(outcome=Outcome.SKIP)
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
    return passed(f"Tried out at {run.api_url} on {when} with version {run.version}: {len(found)} looks.")


def _outcomes_of_the_shop(context: Context) -> str:
    """Say that payments of the shop were accepted, declined in both ways and refunded, "" unless all of it happened."""
    payments = Payment.objects.filter(**_of_the_shop(context)).order_by("-created_at")
    codes = set(
        payments.filter(status=PaymentStatus.FAILED, decline_code__in=[_NO_FUNDS, *_GENERIC])
        .order_by()
        .values_list("decline_code", flat=True)
        .distinct()
    )
    refunds = Refund.objects.filter(
        **{f"payment__{name}": value for name, value in _of_the_shop(context).items()}, status=RefundStatus.SUCCEEDED
    )
    declined = _NO_FUNDS in codes and not codes.isdisjoint(_GENERIC)
    if not (declined and payments.filter(status=PaymentStatus.SUCCEEDED).exists() and refunds.exists()):
        return ""
    return "On record are payments of the shop that were accepted, declined in both ways and refunded."


def _cycle_of_the_shop(context: Context) -> str:
    change = (
        StatusChange.objects.filter(
            **{f"payment__{name}": value for name, value in _of_the_shop(context).items()},
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


def _of_the_shop(context: Context) -> dict[str, Any]:
    account = context.account
    return {
        "account": account.alias,
        "livemode": account.livemode,
        "contract": account.contract_name,
        "from_checklist": False,
    }
