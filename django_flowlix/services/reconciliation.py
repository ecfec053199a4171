"""The background's work: finish what a crash, a timeout or an absent customer left open. Nothing is lost.

Many workers on many machines may run it: every payment and refund is taken by lease. Payments are re-checked by
listing, a hundred per call; what the list did not show, every unknown create and every unknown refund is asked about
singly. A part of the rate limit is left to the checkout.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

from .. import tracing
from ..api import AuthenticationError, FlowlixError, GatewayPayment, NotSentError, RateLimitError
from ..api.client import PAGE_SIZE
from ..api.idempotency import may_replay
from ..conf import Account
from ..conf import account as configured_account
from ..exceptions import PaymentError
from ..models import Payment, Refund, StatusChange
from ..models.payment import PaymentQuerySet
from ..models.refund import RefundQuerySet
from ..statuses import ChangeSource, PaymentStatus
from . import booking, clock, creation, leases, notifications, payments, refund_sending
from .gateway import Gateway, has_room
from .schedule import NEVER_SENT_GIVES_UP_AFTER
from .spans import traced

logger = logging.getLogger("django_flowlix")

BATCH_SIZE = 100
_LIST_FROM = 5
"""From so many open payments on, a list call pays."""
_PACE_SECONDS = 1.0
_CLOCK_SKEW_SECONDS = 600
_COUNTS = ("changed", "unchanged", "failed", "delivered", "undelivered")


@dataclass(slots=True)
class SyncReport:
    """What one run did with payments and refunds; `errors` are lines for a person, each said once."""

    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    delivered: int = 0
    undelivered: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Run:
    """One run: what it may take up, whom it tells of progress, when it has to stop, what it did.

    `limit` and `since` bound the payments; with `only` nothing else is taken up but these payments (by primary key) and
    their refunds. `call_seconds` bounds each call (default: the account's BACKGROUND_RETRY_BUDGET).
    """

    limit: int | None = None
    since: datetime | None = None
    only: frozenset[int] | None = None
    source: ChangeSource = ChangeSource.SYNC
    call_seconds: float | None = None
    on_progress: Callable[[], None] = lambda: None
    should_stop: Callable[[], bool] = lambda: False
    report: SyncReport = field(default_factory=SyncReport)
    taken: int = 0
    """How many payments it has come to, whatever became of them."""
    _given_up: set[str] = field(default_factory=set)

    def count(self) -> int:
        """Count what the run would take up: payments and refunds to look at and changes to deliver."""
        return self.count_due() + StatusChange.objects.undelivered(clock.now()).count()

    def count_due(self) -> int:
        """Count the payments and refunds to look at."""
        now = clock.now()
        due = self.due_payments(now).count()
        due = due if self.limit is None else min(self.limit, due)
        return due + self._due_refunds(now).count()

    def plan(self) -> Iterator[str]:
        """Say what the run would do, without doing it."""
        now = clock.now()
        for payment in self.due_payments(now)[: self.limit]:
            yield f"{payment.order_reference} (attempt {payment.attempt}): {_intention(payment, now)}"
        for refund in self._due_refunds(now):
            order = refund.payment.order_reference
            yield f"{order} (refund {refund.sequence} over {refund.amount}): {_refund_intention(refund, now)}"
        for change in StatusChange.objects.undelivered(now).select_related("payment"):
            yield f"{change.payment.order_reference}: call the receivers of {change.signal}"

    @traced("sync")
    def execute(self) -> SyncReport:
        """Take up everything that is due.

        An account that cannot be reached or whose key is refused is left alone for the rest of the run.
        """
        for batch in self._batches():
            for alias, group in groupby(sorted(batch, key=lambda payment: payment.account), lambda p: p.account):
                self._sync_account(alias, list(group))
        for refund in self._due_refunds(clock.now()):
            if self.should_stop():
                break
            self._sync_refund(refund)
            self.on_progress()
        if self.only is None:
            self._deliver_outstanding()
        self._tell_span()
        return self.report

    def _tell_span(self) -> None:
        span = tracing.current()
        span.set({f"flowlix.sync.{name}": getattr(self.report, name) for name in _COUNTS})
        span.set({"flowlix.sync.source": self.source})
        if self.report.failed:
            span.fail("not_settled")

    def due_payments(self, now: datetime) -> PaymentQuerySet:
        """Return the payments that the run may take up."""
        due = Payment.objects.due(now)
        due = due if self.only is None else due.filter(pk__in=self.only)
        return due if self.since is None else due.filter(created_at__gte=self.since)

    def _due_refunds(self, now: datetime) -> RefundQuerySet:
        """Return the refunds to be sent, sent again or looked for: few, because most end with their first request."""
        due = Refund.objects.due(now).select_related("payment")
        return due if self.only is None else due.filter(payment__in=self.only)

    def _batches(self) -> Iterator[list[Payment]]:
        """Yield what is due, newest first, by position, so that a row that stays due is not taken twice."""
        now, taken, older = clock.now(), 0, Q()
        while not self.should_stop():
            size = BATCH_SIZE if self.limit is None else min(BATCH_SIZE, self.limit - taken)
            batch = list(self.due_payments(now).filter(older)[: max(size, 0)])
            if not batch:
                return
            yield batch
            taken, last = taken + len(batch), batch[-1]
            older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)

    def _sync_account(self, alias: str, batch: list[Payment]) -> None:
        try:
            account = configured_account(alias)
        except ImproperlyConfigured as error:
            self.taken += len(batch)
            self._fail(alias, len(batch), error)
            return
        listed = self._listed(account, batch)
        for payment in batch:
            if self.should_stop():
                return
            self.taken += 1
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
        gateway = Gateway(account, deadline_seconds=self._call_seconds(account))
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
        if not leases.take_lease(payment, account, while_due=True):
            return
        before = _story(payment)
        gateway = Gateway(account, payment=payment, deadline_seconds=self._call_seconds(account))
        answer = listed.get(payment.gateway_id or "")
        if answer is not None and answer.refunds is None and payment.status == PaymentStatus.SUCCEEDED:
            answer = None  # a paid payment is looked at for its refunds, and this list does not show them

        def look() -> bool:
            if payment.livemode is not account.livemode:
                booking.postpone(payment, gateway)
            elif answer is not None:
                booking.book(payment, answer, source=self.source, gateway=gateway)
            else:
                self._keep_pace(account)
                self._ask(payment, gateway)
            return _story(payment) != before

        self._report(account.alias, payment, look)

    def _sync_refund(self, refund: Refund) -> None:
        if refund.account in self._given_up:
            self.report.failed += 1
            return
        try:
            account = configured_account(refund.account)
        except ImproperlyConfigured as error:
            self._fail(refund.account, 1, error)
            return
        before = refund.status
        if not leases.take_lease(refund, account, while_due=True):
            return
        gateway = Gateway(account, refund=refund, deadline_seconds=self._call_seconds(account))

        def send() -> bool:
            if refund_sending.is_of(refund, account):
                self._keep_pace(account)
                refund_sending.submit(refund, gateway, source=self.source)
            else:
                refund_sending.postpone(refund)
            return refund.status != before

        self._report(account.alias, refund, send)

    def _report(self, alias: str, row: Payment | Refund, work: Callable[[], bool]) -> None:
        """Do a piece of work and count what came of it: it returns whether the row has moved."""
        try:
            moved = work()
        except (FlowlixError, PaymentError) as error:
            self.report.failed += 1
            self._note(alias, error)
        except Exception as error:  # one broken row must not keep the others from being looked at
            logger.exception("%s %s could not be synchronised", row._meta.model_name, row.pk)
            self._fail(alias, 1, error)
        else:
            self.report.changed += moved
            self.report.unchanged += not moved

    def _ask(self, payment: Payment, gateway: Gateway) -> None:
        if payment.status != PaymentStatus.CREATED:
            payments.sync_payment(payment, source=self.source, deadline_seconds=self._call_seconds(gateway.account))
        elif payment.first_sent_at is None:
            booking.reject(payment, note="never sent, given up", source=self.source, gateway=gateway)
        else:
            creation.submit(payment, gateway, source=self.source)

    def _call_seconds(self, account: Account) -> float:
        return self.call_seconds or account.background_retry_budget_seconds

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


def _story(payment: Payment) -> tuple[str, int]:
    """Return what tells whether a look has changed anything; of a paid payment it may be a refund that has moved."""
    paid = payment.status == PaymentStatus.SUCCEEDED
    return payment.status, payment.status_changes.count() if paid else 0


def _intention(payment: Payment, now: datetime) -> str:
    if payment.status != PaymentStatus.CREATED:
        purpose = " (for refunds)" if payment.status == PaymentStatus.SUCCEEDED else ""
        return f"ask the gateway about {payment.gateway_id}{purpose}"
    if payment.first_sent_at is None:
        return "give up, it was never sent"
    if may_replay(payment.first_sent_at, now):
        return "send the create again under its key"
    return "look for it in the gateway's list"


def _refund_intention(refund: Refund, now: datetime) -> str:
    if refund.first_sent_at is None:
        given_up = now - refund.created_at >= NEVER_SENT_GIVES_UP_AFTER
        return "give up, it was never sent" if given_up else "send it"
    return "send it again under its key" if may_replay(refund.first_sent_at, now) else "read what became of it"
