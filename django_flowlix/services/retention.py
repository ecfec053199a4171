"""Pruning: what is older than an account's `RETENTION` goes, in batches of short transactions.

Rows are found by position in an index, the oldest first, and go by primary key. What belongs to a payment on legal
hold, or to one whose story is not over, stays and is counted. Calls and changes go only when their hour is tallied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from ..conf import Account
from ..models import Alert, AlertDelivery, ApiCall, Payment, Refund, StatusChange
from . import clock, keeping
from .erasure import Erased, erase
from .keeping import WhyKept
from .monitoring.counts import tallied_until
from .monitoring.tallies import close_hours
from .personal_data import OF_A_REFUND
from .transitions import MOST_RACES_LOST, is_lost_race

# SQLite may take no more than 999 parameters in a statement.
BATCH_SIZE = 500


@dataclass(slots=True)
class Count:
    """How many rows of a kind went (or, in a dry run, would go), and how many stay: on legal hold, or not over."""

    gone: int = 0
    held: int = 0
    unsettled: int = 0


@dataclass(slots=True)
class PruneReport:
    """What a run did by kind; `personal_data` counts payments."""

    calls: Count = field(default_factory=Count)
    changes: Count = field(default_factory=Count)
    alerts: Count = field(default_factory=Count)
    personal_data: Count = field(default_factory=Count)


@dataclass(frozen=True, slots=True)
class _Task:
    """Rows of one kind and account that are old enough, with a column `why` (they are kept, "" or NULL: they go)."""

    kind: str
    rows: QuerySet[Any]
    dated_by: str
    remove: Callable[[list[int]], int]


@dataclass(slots=True, kw_only=True)
class Prune:
    """One run over some accounts; `on_progress` is told how many rows were looked at. Any number may run at once."""

    accounts: Sequence[Account]
    dry_run: bool = False
    on_progress: Callable[[int], None] = lambda count: None
    report: PruneReport = field(default_factory=PruneReport)

    def count(self) -> int:
        """Count the rows that are old enough, those that stay included."""
        now = clock.now()
        return sum(task.rows.count() for account in self.accounts for task in _tasks(account, now, None))

    def execute(self) -> PruneReport:
        """Delete and erase what is old enough; in a dry run count it. Raises: RuntimeError inside `atomic()`"""
        now, counted_until = clock.now(), None
        if not self.dry_run and any(_deletes_what_is_tallied(account) for account in self.accounts):
            # Every age is a day or more, so the hours that go are over: a dry run finds the same rows without this.
            close_hours(now)
            counted_until = tallied_until() or now - timedelta(days=36_500)
        for account in self.accounts:
            for task in _tasks(account, now, counted_until):
                self._perform(task)
        return self.report

    def _perform(self, task: _Task) -> None:
        count: Count = getattr(self.report, task.kind)
        for batch in _batches(task):
            leaving = [key for key, why in batch if not why]
            count.gone += len(leaving) if self.dry_run else task.remove(leaving)
            count.held += sum(why == WhyKept.LEGAL_HOLD for _, why in batch)
            count.unsettled += sum(why not in (None, "", WhyKept.LEGAL_HOLD) for _, why in batch)
            self.on_progress(len(batch))


def _deletes_what_is_tallied(account: Account) -> bool:
    return account.retention.calls_days is not None or account.retention.changes_days is not None


def _tasks(account: Account, now: datetime, counted_until: datetime | None) -> Iterator[_Task]:
    """Yield what there is to do for an account; `counted_until` bounds what the tallies must have counted before."""
    ages = account.retention
    if ages.calls_days is not None:
        for livemode in (False, True):  # the index begins with the mode
            old = _before(now, ages.calls_days, counted_until)
            yield _Task("calls", _old_calls(account, livemode, old, now), "created_at", _delete_calls)
    if ages.changes_days is not None:
        rows = _old_changes(account, _before(now, ages.changes_days, counted_until))
        yield _Task("changes", rows, "created_at", _delete_changes)
    if ages.alerts_days is not None:
        yield _Task("alerts", _old_alerts(account, _before(now, ages.alerts_days)), "began_at", _delete_alerts)
    if ages.personal_data_days is not None:
        rows = _old_payments(account, _before(now, ages.personal_data_days))
        yield _Task("personal_data", rows, "created_at", _erase)


def _before(now: datetime, days: int, counted_until: datetime | None = None) -> datetime:
    age = now - timedelta(days=days)
    return age if counted_until is None else min(age, counted_until)


def _batches(task: _Task) -> Iterator[list[tuple[int, str | None]]]:
    """Yield primary keys, and why they are kept, by position: what stays is not read twice, and no cursor is held."""
    at = task.dated_by
    rows = task.rows.order_by(at, "pk").values_list("pk", at, "why")
    batch = list(rows[:BATCH_SIZE])
    while batch:
        yield [(key, why) for key, _, why in batch]
        last_key, last_at, _ = batch[-1]
        # Two conditions, because databases find the place in the index by the first one alone.
        later = rows.filter(**{f"{at}__gte": last_at}).exclude(**{at: last_at, "pk__lte": last_key})
        batch = list(later[:BATCH_SIZE])


# --- What is old ------------------------------------------------------------------------------------------------------


def _old_calls(account: Account, livemode: bool, old: datetime, now: datetime) -> QuerySet[Any]:
    rows = ApiCall.objects.filter(account=account.alias, livemode=livemode, created_at__lt=old)
    # A pause that the gateway asked for is kept by all processes until it is over.
    over = Q(paused_until__isnull=True) | Q(paused_until__lte=now)
    return rows.filter(over).annotate(why=keeping.reason_of_its_payment())


def _old_changes(account: Account, old: datetime) -> QuerySet[Any]:
    rows = StatusChange.objects.filter(payment__account=account.alias, created_at__lt=old)
    return rows.annotate(why=keeping.reason_of_its_payment())


def _old_alerts(account: Account, old: datetime) -> QuerySet[Any]:
    rows = Alert.objects.filter(account=account.alias, active__isnull=True, began_at__lt=old)
    to_tell = AlertDelivery.objects.filter(alert=OuterRef("pk"), deliver_at__isnull=False)
    why = Case(When(Exists(to_tell), then=Value(WhyKept.UNTOLD.value)), default=Value(""), output_field=CharField())
    return rows.exclude(resolved_at__gte=old).annotate(why=why)


def _old_payments(account: Account, old: datetime) -> QuerySet[Any]:
    """Return the payments whose personal data are old enough, and those that got new ones after they were erased.

    The age is that of the payment or, if that is less, of its last refund: a customer who gets money back may ask about
    it. It is not `updated_at`, which every look at the gateway moves, for 400 days in the case of a paid payment.
    """
    rows = Payment.objects.filter(account=account.alias, created_at__lt=old)
    of_it = Refund.objects.filter(payment=OuterRef("pk"))
    since = Q(created_at__gt=OuterRef("personal_data_erased_at"))
    texts = of_it.filter(since).exclude(**OF_A_REFUND)
    notes = StatusChange.objects.filter(since, payment=OuterRef("pk")).exclude(Q(actor="") | Q(note=""))
    rows = rows.filter(Q(personal_data_erased_at__isnull=True) | Exists(texts) | Exists(notes))
    return rows.exclude(Exists(of_it.filter(created_at__gte=old))).annotate(why=keeping.reason())


# --- How it goes ------------------------------------------------------------------------------------------------------


def _delete_calls(keys: list[int]) -> int:
    return _delete(ApiCall.objects.filter(~keeping.its_payment_is_kept(), pk__in=keys))


def _delete_changes(keys: list[int]) -> int:
    return _delete(StatusChange.objects.filter(~keeping.its_payment_is_kept(), pk__in=keys))


def _delete_alerts(keys: list[int]) -> int:
    return _delete(Alert.objects.filter(pk__in=keys))


def _delete(rows: QuerySet[Any]) -> int:
    """Delete in one transaction, unless a payment has been put on hold since they were read; returns how many."""
    for _ in range(MOST_RACES_LOST):
        try:
            with transaction.atomic(durable=True):
                return rows.delete()[1].get(rows.model._meta.label, 0)
        except OperationalError as error:
            if not is_lost_race(error):
                raise
    raise RuntimeError("rows are being deleted too fast by others")


def _erase(keys: list[int]) -> int:
    payments = Payment.objects.in_bulk(keys)
    return sum(result is Erased.NOW for result in erase([payments[key] for key in keys if key in payments]))
