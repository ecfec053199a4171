"""pci-scope and error-types, by the project's own source: does it touch cards, and does it answer what can go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...models import ApiCall
from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, judge_of, needs_person, noted, passed, skipped, warned
from ..project.source import ServiceCall
from ..project.survey import Place, Survey, named, survey

_HOSTED = "Send customers to the hosted page: HostedPaymentView or start_payment()."


@catalogue.PCI_SCOPE.probe()
def no_cards_in_source(context: Context) -> Iterator[Finding]:
    found = context.once(survey)
    judge = judge_of(context.account.livemode)
    if found.direct_payments:
        yield judge(f"create_direct_payment() is called: {named(found.direct_payments)}.", _HOSTED)
    if found.card_fields:
        yield judge(f"There are fields for card data: {named(found.card_fields)}.", f"Remove them. {_HOSTED}")
    if not found.modules and not found.pages:
        yield skipped("No source of the project was found.", "Set BASE_DIR to the project's directory.")
    elif not found.direct_payments and not found.card_fields:
        yield passed(
            "No field for card data and no call of create_direct_payment() in the project's own Python files "
            f"({found.modules} searched) and pages and scripts ({found.pages} searched)."
        )
    yield from _not_understood(found)


@catalogue.PCI_SCOPE.probe()
def no_direct_payments_made(context: Context) -> Iterator[Finding]:
    calls = ApiCall.objects.filter(account=context.account.alias, livemode=True, operation="create_direct")
    latest = calls.order_by("-created_at").values_list("created_at", flat=True).first()
    if latest is not None:
        day = f"{latest:%Y-%m-%d}"
        yield failed(f"Card data was sent to the gateway directly, in live mode, the last time on {day}.", _HOSTED)
    else:
        yield noted("No direct payment in live mode is on record.")


@catalogue.ERROR_TYPES.probe()
def errors_are_caught(context: Context) -> Iterator[Finding]:
    """Look around every call of our services; HostedPaymentView answers each of them itself."""
    found = context.once(survey)
    open_calls = [(place, call) for place, call in found.service_calls if call.uncaught]
    yield from _loose([(place, call) for place, call in open_calls if not call.function])
    yield from _left_to_callers([(place, call) for place, call in open_calls if call.function])
    if found.uses_hosted_view:
        yield passed("HostedPaymentView is used: it answers every error of a start.")
    if found.service_calls and not open_calls:
        places = named(place for place, _ in found.service_calls)
        yield passed(f"Every call of a service catches what can come: {places}.")
    if not found.service_calls and not found.uses_hosted_view:
        yield skipped(
            "No call of start_payment() and no HostedPaymentView was found in the project's Python files.",
            "Let a checkout of the project use one of them.",
        )
    yield from _not_understood(found)


def _loose(calls: Sequence[tuple[Place, ServiceCall]]) -> Iterator[Finding]:
    for place, call in calls[:10]:
        yield warned(
            f"{place} uses {call.service}() and does not catch {', '.join(call.uncaught)}.",
            "Catch PaymentError around it, FlowlixError too around sync_payment(), and answer each kind.",
        )
    if len(calls) > 10:
        yield warned(f"{len(calls) - 10} more calls are like that.", "Begin with those above.")


def _left_to_callers(calls: Sequence[tuple[Place, ServiceCall]]) -> Iterator[Finding]:
    """Ask a person about functions that are no views: whether those who call them catch is not read here."""
    functions = sorted({f"{call.function}() in {place.file}" for place, call in calls})
    if functions:
        yield needs_person(
            "A function leaves what can come out of a service to whoever calls it: "
            f"{named(place for place, _ in calls)}.",
            "Whoever calls these functions answers every PaymentError and FlowlixError that comes out of them: "
            f"{', '.join(functions)}.",
        )


def _not_understood(found: Survey) -> Iterator[Finding]:
    if found.unparsed:
        yield noted(f"Could not be read as Python: {named(found.unparsed)}.")
    missed = [*found.too_long, *(name for name in found.unread if name.endswith(".py"))]
    if missed:
        yield skipped(
            f"Not searched: {named(missed)}.", "Look at these files yourself, or take them out of the project."
        )
