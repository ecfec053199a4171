"""Reading counts: closed hours from the tallies, the rest from the rows themselves, in one statement per table.

So the figures are right at every moment, whether hours have been closed or not; closing makes them fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Count,
    F,
    Max,
    Model,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from ...models import ApiCall, CallTally, ChangeTally, StatusChange, TalliedHour
from ...statuses import WAITING, PaymentStatus
from .call_result import DURATION_CLASS, RESULT, CallResult
from .grains import SLOT, Grain, slot_of, start_of

HOUR = timedelta(hours=1)

CALL_FACTS = ("account", "livemode", "operation", "result", "duration_class")
CHANGE_FACTS = (
    "account",
    "livemode",
    "of_refunds",
    "status",
    "decline_code",
    "card_brand",
    "card_country",
    "currency",
    "exponent",
)
DECIDED = (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED)
"""The bank has said yes or no: what the decline rate is a share of."""


class CallCount(NamedTuple):
    """So many calls that share these facts; `at` is the start of their hour or day (UTC)."""

    at: datetime
    account: str
    livemode: bool
    operation: str
    result: CallResult
    duration_class: int
    number: int


class ChangeCount(NamedTuple):
    """So many payments (or refunds) that came to a status; `amount_minor` is the sum in minor units of `currency`.

    Coming to `pending` is counted once, when the gateway has taken the payment.
    """

    at: datetime
    account: str
    livemode: bool
    of_refunds: bool
    status: str
    decline_code: str
    card_brand: str
    card_country: str
    currency: str
    exponent: int
    number: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures: one mode, or both with None; one account, or all with ""."""

    livemode: bool | None = None
    account: str = ""

    def filters(self, prefix: str = "") -> Q:
        # Written as `livemode=False`, it would be NOT livemode, for which SQLite uses no index.
        found = Q() if self.livemode is None else Q(**{f"{prefix}livemode__in": (self.livemode,)})
        return found & Q(**{f"{prefix}account": self.account}) if self.account else found

    def indexed_filters(self) -> Q:
        """Return the filters for a table whose index begins with the mode.

        Both modes are named where neither is asked for: without a word about the mode, databases read the whole table.
        """
        return self.filters() & Q(livemode__in=(False, True)) if self.livemode is None else self.filters()


EVERYTHING = Scope()


def tallied_until() -> datetime | None:
    """Return the end of the last closed hour, None when none is."""
    last: datetime | None = TalliedHour.objects.aggregate(last=Max("hour"))["last"]
    return last + HOUR if last else None


def count_calls(
    since: datetime, until: datetime, scope: Scope, *, closed_until: datetime | None, grain: Grain = "hour"
) -> list[CallCount]:
    """Count the calls from `since` (inclusive) to `until` (exclusive). One statement."""
    closed, rest = spans(since, until, closed_until)
    parts = [raw_calls(*span, scope, grain) for span in rest]
    if closed:
        parts.insert(0, _tallied(CallTally, closed, scope, CALL_FACTS, {"total": Sum("number")}, grain))
    return list(map(_call_count, _together(parts)))


def count_changes(
    since: datetime, until: datetime, scope: Scope, *, closed_until: datetime | None, grain: Grain = "hour"
) -> list[ChangeCount]:
    """Count what payments and refunds came to from `since` (inclusive) to `until` (exclusive). One statement."""
    closed, rest = spans(since, until, closed_until)
    parts = [part for span in rest for part in raw_changes(*span, scope, grain)]
    if closed:
        sums = {"total": Sum("number"), "total_minor": Sum("amount_minor")}
        parts.insert(0, _tallied(ChangeTally, closed, scope, CHANGE_FACTS, sums, grain))
    return list(map(_change_count, _together(parts)))


# In a UNION no column says that it is a boolean, and a sum may be a Decimal.


def _call_count(row: Any) -> CallCount:
    day, quarter, account, livemode, operation, result, duration_class, number = row
    at = start_of(day, quarter)
    return CallCount(at, account, bool(livemode), operation, CallResult(result), int(duration_class), int(number))


def _change_count(row: Any) -> ChangeCount:
    day, quarter, account, livemode, of_refunds, *facts, number, amount_minor = row
    at, sums = start_of(day, quarter), (int(number), int(amount_minor))
    return ChangeCount._make((at, account, bool(livemode), bool(of_refunds), *facts, *sums))


def spans(
    since: datetime, until: datetime, closed_until: datetime | None
) -> tuple[tuple[datetime, datetime] | None, list[tuple[datetime, datetime]]]:
    """Cut a window into whole closed hours (None without any) and the rest before and after them."""
    first = hour_of(since) if hour_of(since) == since else hour_of(since) + HOUR
    last = min(hour_of(until), closed_until or first)
    if first >= last:
        return None, [(since, until)]
    around = [(since, first), (last, until)]
    return (first, last), [(begin, end) for begin, end in around if begin < end]


def hour_of(moment: datetime) -> datetime:
    """Return the start of a moment's hour in UTC: clocks that are set back repeat an hour in no other zone than it."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def raw_calls(since: datetime, until: datetime, scope: Scope, grain: Grain = "hour") -> QuerySet[Any, Any]:
    rows = ApiCall.objects.filter(scope.indexed_filters(), created_at__gte=since, created_at__lt=until)
    rows = rows.annotate(**slot_of("created_at", grain), result=RESULT, duration_class=DURATION_CLASS)
    counted: QuerySet[Any, Any] = rows.order_by().values(*SLOT, *CALL_FACTS).annotate(total=Count("pk"))
    return counted.values_list(*SLOT, *CALL_FACTS, "total")


def raw_changes(since: datetime, until: datetime, scope: Scope, grain: Grain = "hour") -> list[QuerySet[Any, Any]]:
    """Return the parts of a UNION: one of payments and one of refunds, because to join both would read both tables."""
    rows = StatusChange.objects.filter(scope.filters("payment__"), created_at__gte=since, created_at__lt=until)
    # Reviews are changes to the same status; a payment that waits may go from one kind of waiting to another.
    rows = rows.exclude(from_status=F("to_status")).exclude(from_status__in=WAITING, to_status__in=WAITING)
    is_declined, is_decided = Q(to_status=PaymentStatus.FAILED), Q(to_status__in=DECIDED)
    of_payment: dict[str, Any] = {
        "decline_code": _text_if(is_declined, "payment__decline_code"),
        "card_brand": _text_if(is_decided, "payment__card_brand"),
        "card_country": _text_if(is_decided, "payment__card_country"),
    }
    of_refund = {name: Value("", output_field=CharField(max_length=64)) for name in of_payment}
    return [
        _raw_changes(rows.filter(refund__isnull=True), of_payment, "payment__amount_minor", grain, of_refunds=False),
        _raw_changes(rows.filter(refund__isnull=False), of_refund, "refund__amount_minor", grain, of_refunds=True),
    ]


def _raw_changes(
    rows: QuerySet[Any], facts: dict[str, Any], amount: str, grain: Grain, *, of_refunds: bool
) -> QuerySet[Any, Any]:
    rows = rows.annotate(
        **slot_of("created_at", grain),
        account=F("payment__account"),
        livemode=F("payment__livemode"),
        of_refunds=Value(of_refunds, output_field=BooleanField()),
        status=F("to_status"),
        currency=F("payment__currency"),
        exponent=F("payment__exponent"),
        **facts,
    )
    sums = {"total": Count("pk"), "total_minor": Sum(amount, output_field=BigIntegerField())}
    counted: QuerySet[Any, Any] = rows.order_by().values(*SLOT, *CHANGE_FACTS).annotate(**sums)
    return counted.values_list(*SLOT, *CHANGE_FACTS, *sums)


def _text_if(condition: Q, column: str) -> Case:
    return Case(When(condition, then=F(column)), default=Value(""), output_field=CharField(max_length=64))


def _tallied(
    model: type[Model], span: tuple[datetime, datetime], scope: Scope, facts: tuple[str, ...], sums: Any, grain: Grain
) -> QuerySet[Any, Any]:
    rows = model._default_manager.filter(scope.indexed_filters(), hour__gte=span[0], hour__lt=span[1])
    rows = rows.annotate(**slot_of("hour", grain))
    grouped: QuerySet[Any, Any] = rows.order_by().values(*SLOT, *facts).annotate(**sums)
    return grouped.values_list(*SLOT, *facts, *sums)


def _together(parts: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
