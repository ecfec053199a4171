"""The background's work: finish what a crash, a timeout or an absent customer left open. Nothing is lost.

Many workers on many machines may run it: every payment is taken by lease. Open payments are re-checked by listing, a
hundred per call; what the list did not show, and every unknown create, is asked about singly. A part of the rate limit
is left to the checkout.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

from ..api import AuthenticationError, FlowlixError, GatewayPayment, NotSentError, RateLimitError
from ..api.client import PAGE_SIZE
from ..api.idempotency import may_replay
from ..conf import Account
from ..conf import account as configured_account
from ..exceptions import PaymentError
from ..models import Payment, StatusChange
from ..models.payment import PaymentQuerySet
from ..statuses import ChangeSource, PaymentStatus
from . import booking, clock, creation, notifications, payments
from .gateway import Gateway, has_room

logger = logging.getLogger("django_flowlix")

BATCH_SIZE = 100
_LIST_FROM = 5
"""From so many open payments on, a list call pays."""
_PACE_SECONDS = 1.0
_CLOCK_SKEW_SECONDS = 600


@dataclass(slots=True)
class SyncReport:
    """What one run did; `errors` are lines for a person, each said once."""

    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    delivered: int = 0
    undelivered: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: which payments it may take, whom it tells of progress, when it has to stop, what it did."""

    limit: int | None = None
    since: datetime | None = None
    on_progress: Callable[[], None] = lambda: None
    should_stop: Callable[[], bool] = lambda: False
    report: SyncReport = field(default_factory=SyncReport)
    _given_up: set[str] = field(default_factory=set)

    def count(self) -> int:
        """Count what the run would take up: payments to look at and changes to deliver."""
        now = clock.now()
        due = self._due(now).count()
        return (due if self.limit is None else min(self.limit, due)) + StatusChange.objects.undelivered(now).count()

    def plan(self) -> Iterator[str]:
        """Say what the run would do, without doing it."""
        now = clock.now()
        for payment in self._due(now)[: self.limit]:
            yield f"{payment.order_reference} (attempt {payment.attempt}): {_intention(payment, now)}"
        for change in StatusChange.objects.undelivered(now).select_related("payment"):
            yield f"{change.payment.order_reference}: call the receivers of {change.signal}"

    def execute(self) -> SyncReport:
        """Take up everything that is due.

        An account that cannot be reached or whose key is refused is left alone for the rest of the run.
        """
        for batch in self._batches():
            for alias, group in groupby(sorted(batch, key=lambda payment: payment.account), lambda p: p.account):
                self._sync_account(alias, list(group))
        self._deliver_outstanding()
        return self.report

    def _due(self, now: datetime) -> PaymentQuerySet:
        due = Payment.objects.due(now)
        return due if self.since is None else due.filter(created_at__gte=self.since)

    def _batches(self) -> Iterator[list[Payment]]:
        """Yield what is due, newest first, by position, so that a row that stays due is not taken twice."""
        now, taken, older = clock.now(), 0, Q()
        while not self.should_stop():
            size = BATCH_SIZE if self.limit is None else min(BATCH_SIZE, self.limit - taken)
            batch = list(self._due(now).filter(older)[: max(size, 0)])
            if not batch:
                return
            yield batch
            taken, last = taken + len(batch), batch[-1]
            older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)

    def _sync_account(self, alias: str, batch: list[Payment]) -> None:
        try:
            account = configured_account(alias)
        except ImproperlyConfigured as error:
            self._fail(alias, len(batch), error)
            return
        listed = self._listed(account, batch)
        for payment in batch:
            if self.should_stop():
                return
            if alias in self._given_up:
                self.report.failed += 1
            else:
                self._sync_payment(payment, account, listed)
            self.on_progress()

    def _listed(self, account: Account, batch: list[Payment]) -> dict[str, GatewayPayment]:
        """Return what the gateway's list says of the open payments, for a quarter of the calls of single looks."""
        wanted = {payment.gateway_id: payment for payment in batch if payment.gateway_id}
        found: dict[str, GatewayPayment] = {}
        if len(wanted) < _LIST_FROM:
            return found
        gateway = Gateway(account, deadline_seconds=account.background_retry_budget_seconds)
        times = [payment.created_at.timestamp() for payment in wanted.values()]
        most = PAGE_SIZE * max(1, len(wanted) // 4)
        try:
            self._keep_pace(account)
            listed = gateway.client().list_payments(
                created_from=int(min(times)) - _CLOCK_SKEW_SECONDS, created_before=int(max(times)) + _CLOCK_SKEW_SECONDS
            )
            for answer in islice(listed, most):
                if answer.id in wanted:
                    found[answer.id] = answer
                if len(found) == len(wanted):
                    break
        except FlowlixError as error:
            self._note(account.alias, error)
        gateway.record()
        gateway.recorded()
        return found

    def _sync_payment(self, payment: Payment, account: Account, listed: dict[str, GatewayPayment]) -> None:
        before = payment.status
        if not creation.take_lease(payment, account, while_due=True):
            return
        gateway = Gateway(account, payment=payment, deadline_seconds=account.background_retry_budget_seconds)
        try:
            if payment.livemode is not account.livemode:
                booking.postpone(payment, gateway)
            elif payment.gateway_id in listed:
                booking.book(payment, listed[payment.gateway_id], source=ChangeSource.SYNC, gateway=gateway)
            else:
                self._keep_pace(account)
                _ask(payment, gateway)
        except (FlowlixError, PaymentError) as error:
            self.report.failed += 1
            self._note(account.alias, error)
        except Exception as error:  # one broken row must not keep the others from being looked at
            logger.exception("payment %s could not be synchronised", payment.pk)
            self._fail(payment.account, 1, error)
        else:
            moved = payment.status != before
            self.report.changed += moved
            self.report.unchanged += not moved

    def _keep_pace(self, account: Account) -> None:
        """Wait while the background has used its part of the key's requests."""
        while not has_room(account) and not self.should_stop():
            clock.sleep(_PACE_SECONDS)

    def _note(self, alias: str, error: Exception) -> None:
        """Keep an error for the report; one that concerns the whole account ends its turn in this run."""
        cause = error.__cause__ if isinstance(error, PaymentError) else error
        if isinstance(cause, AuthenticationError | NotSentError | RateLimitError):
            self._given_up.add(alias)
        line = f"{alias}: {cause or error}"
        if line not in self.report.errors:
            self.report.errors.append(line)

    def _fail(self, alias: str, count: int, error: Exception) -> None:
        self.report.failed += count
        self.report.errors.append(f"{alias}: {type(error).__name__}: {error}")

    def _deliver_outstanding(self) -> None:
        for change in StatusChange.objects.undelivered(clock.now()).select_related("payment")[: self.limit]:
            if self.should_stop():
                return
            if notifications.deliver(change):
                self.report.delivered += 1
            else:
                self.report.undelivered += 1
            self.on_progress()


def _ask(payment: Payment, gateway: Gateway) -> None:
    if payment.status != PaymentStatus.CREATED:
        deadline_seconds = gateway.account.background_retry_budget_seconds
        payments.sync_payment(payment, source=ChangeSource.SYNC, deadline_seconds=deadline_seconds)
    elif payment.first_sent_at is None:
        booking.reject(payment, note="never sent, given up", source=ChangeSource.SYNC, gateway=gateway)
    else:
        creation.submit(payment, gateway, source=ChangeSource.SYNC)


def _intention(payment: Payment, now: datetime) -> str:
    if payment.status != PaymentStatus.CREATED:
        return f"ask the gateway about {payment.gateway_id}"
    if payment.first_sent_at is None:
        return "give up, it was never sent"
    if may_replay(payment.first_sent_at, now):
        return "send the create again under its key"
    return "look for it in the gateway's list"
