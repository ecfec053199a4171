"""Starting a payment for an order, and learning how one stands.

The row is committed before the gateway hears of it; no HTTP happens inside a transaction; one attempt for an order is
one payment at the gateway, however often and from however many workers it is started.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.db.models import Q

from ..api import FlowlixError
from ..api.idempotency import payment_key
from ..conf import account as configured_account
from ..exceptions import AlreadyPaid, PaymentUnavailable, PaymentUnconfirmed
from ..models import Payment
from ..statuses import ChangeSource, PaymentStatus
from . import booking, clock, creation, leases
from .gateway import Gateway, has_room
from .payment_request import Draft, PaymentRequest, draft
from .schedule import ASK_AGAIN_AFTER_SECONDS
from .spans import traced

_LOOK_WHEN_OLDER_THAN_SECONDS = 60.0
_LOOK_DEADLINE_SECONDS = 5.0
_MOST_ROUNDS = 6
_WAIT_FOR_OTHER_SECONDS = 10.0
_FIRST_POLL_SECONDS = 0.1
# Where a new payment can stand when its start took so long that another worker took it over.
_ENDED_BY_OTHERS = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.REJECTED})


@traced("start_payment")
def start_payment(request: PaymentRequest, *, success_url: str = "", failure_url: str = "") -> Payment:
    """Return a payment whose `hosted_page_url` is where to send the customer.

    Called again for the same order and amount it returns the open attempt; for another amount it replaces it; after a
    failed attempt it makes a new one. `success_url` and `failure_url` are where the customer goes afterwards (a path,
    or an address on the shop's own hosts; default: the account's settings, then a page of this app).

    Raises: InvalidPaymentRequest (nothing happened), AlreadyPaid, PaymentRejected, PaymentUnavailable,
        PaymentUnconfirmed (send the customer to `error.payment.get_absolute_url()`); RuntimeError inside `atomic()`.
    Source: docs.flowlix.eu/guides/hosted-payment-page
    """
    account = configured_account(request.account)
    drafted = draft(request, account, success_url=success_url, failure_url=failure_url)
    began = clock.monotonic()
    lost: DatabaseError | None = None
    for _ in range(_MOST_ROUNDS):
        try:
            payment, is_new = _reserve(drafted)
        except (IntegrityError, OperationalError) as error:
            # Another worker was faster, or SQLite is locked: nothing was sent, the next round finds what there is.
            lost = error
            clock.sleep(_FIRST_POLL_SECONDS)
            continue
        gateway = Gateway(account, payment=payment)
        gateway.shorten_deadline(clock.monotonic() - began)  # all rounds together have one request's time
        if is_new:
            creation.submit(payment, gateway, source=ChangeSource.CREATE, is_new=True)
            ready = payment.status not in _ENDED_BY_OTHERS
        else:
            ready = _is_ready(payment, drafted, gateway)
        if ready:
            return payment
    if isinstance(lost, OperationalError):
        raise lost
    latest = Payment.objects.for_order(request.order_reference, request.account).first()
    raise PaymentUnconfirmed("the payment is being changed by others; try again", latest)


@traced("resume_payment")
def resume_payment(payment: Payment) -> Payment:
    """Go on with a start whose outcome is unknown, under the same key; any other payment is left as it is.

    So is an attempt that another amount has replaced: nobody is to pay it.

    Raises: PaymentRejected, PaymentUnavailable, PaymentUnconfirmed; RuntimeError inside `atomic()`.
    """
    if payment.status == PaymentStatus.CREATED and payment.superseded_at is None:
        account = configured_account(payment.account)
        _finish_start(payment, Gateway(account, payment=payment))
    return payment


@traced("sync_payment")
def sync_payment(
    payment: Payment,
    *,
    source: ChangeSource = ChangeSource.SYNC,
    min_age_seconds: float = 0.0,
    deadline_seconds: float | None = None,
    can_wait: bool = False,
) -> Payment:
    """Ask the gateway how a payment stands and book the answer; the instance is up to date afterwards.

    The gateway is not asked when it was within `min_age_seconds`, nor, if the look `can_wait`, while the rest of the
    key's requests of this minute belongs to the checkout. A payment without an id (outcome of the start unknown) is
    left to `flowlix_sync` and the next start.

    Raises: FlowlixError when the gateway cannot be asked; PaymentUnavailable when the configured key is of the other
        mode; RuntimeError inside `atomic()`.
    Source: docs.flowlix.eu/guides/hosted-payment-page (verify on the server)
    """
    account = configured_account(payment.account)
    has_to_wait = can_wait and not has_room(account)
    if payment.gateway_id is None or has_to_wait or not _claim_look(payment, min_age_seconds):
        payment.refresh_from_db()
        return payment
    if payment.livemode is not account.livemode:
        raise PaymentUnavailable("the payment belongs to the other mode's key", payment, retry_after_seconds=3600)
    gateway = Gateway(account, payment=payment, deadline_seconds=deadline_seconds)
    try:
        answer = gateway.client().retrieve_payment(payment_id=payment.gateway_id)
    except FlowlixError as error:
        booking.book_failure(payment, error, source=source, gateway=gateway)
        raise
    return booking.book(payment, answer, source=source, gateway=gateway)


def _reserve(drafted: Draft) -> tuple[Payment, bool]:
    """Return the order's open attempt, or a new one committed, and whether it is new. Raises: AlreadyPaid"""
    reference, alias = drafted.request.order_reference, drafted.account.alias
    with transaction.atomic(durable=True):
        attempts = list(Payment.objects.for_order(reference, alias))
        for attempt in attempts:
            if attempt.status == PaymentStatus.SUCCEEDED:
                raise AlreadyPaid(f"order {reference} is paid", attempt)
        for attempt in attempts:
            if attempt.open_order_reference is not None:
                return attempt, False
        return _insert(drafted, attempts[0].attempt + 1 if attempts else 1), True


def _insert(drafted: Draft, attempt: int) -> Payment:
    account, request = drafted.account, drafted.request
    token = secrets.token_urlsafe(32)
    key = payment_key(request.order_reference, attempt, account.idempotency_namespace)
    now = clock.now()
    return Payment.objects.create(
        account=account.alias,
        contract=account.contract_name,
        livemode=account.livemode,
        api_key_fingerprint=account.api_key_fingerprint,
        order_reference=request.order_reference,
        **({} if request.order is None else {"order": request.order}),
        attempt=attempt,
        open_order_reference=request.order_reference,
        amount_minor=drafted.amount.amount_minor,
        currency=drafted.amount.currency,
        exponent=drafted.amount.exponent,
        description=request.description,
        metadata=dict(request.metadata),
        request_body=drafted.body(token, key).reveal(),  # some database drivers would store what str() shows
        idempotency_key=key,
        first_sent_at=now,
        from_checklist=drafted.request.from_checklist,
        return_token=token,
        success_url=drafted.success_url,
        failure_url=drafted.failure_url,
        next_sync_at=now,
        lease_until=leases.lease_until(account),
        created_at=now,
        updated_at=now,
    )


def _is_ready(payment: Payment, drafted: Draft, gateway: Gateway) -> bool:
    """Bring the order's open attempt to where the customer can pay; False when the order has to be looked at anew."""
    same = _is_same(payment, drafted)
    if payment.status == PaymentStatus.CREATED and same:
        _finish_start(payment, gateway)
    elif payment.is_waiting:
        _look(payment, _LOOK_WHEN_OLDER_THAN_SECONDS if same else ASK_AGAIN_AFTER_SECONDS)
    if payment.status == PaymentStatus.PROCESSING:
        raise PaymentUnconfirmed("the order's payment is being processed", payment)
    if not same or (payment.is_waiting and not payment.hosted_page_url):
        _supersede(payment)
        return False
    if payment.is_waiting:
        _update_targets(payment, drafted)
    return payment.is_waiting


def _is_same(payment: Payment, drafted: Draft) -> bool:
    return (payment.amount, payment.livemode, payment.contract) == (
        drafted.amount,
        drafted.account.livemode,
        drafted.account.contract_name,
    )


def _finish_start(payment: Payment, gateway: Gateway) -> None:
    """Send the open attempt again under its key, unless another worker is about to bring it there.

    A worker that takes too long may be dead: sending the same body under the same key a second time does no harm.
    Where that is not possible any more, its lease is respected.

    Raises: PaymentUnconfirmed
    """
    waited, pause = 0.0, _FIRST_POLL_SECONDS
    while not leases.take_lease(payment, gateway.account):
        if payment.status != PaymentStatus.CREATED:
            return
        if waited >= _WAIT_FOR_OTHER_SECONDS:
            if creation.take_over(payment, gateway.account):
                break
            raise PaymentUnconfirmed("another worker is starting the payment", payment)
        clock.sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, 1.0)
    gateway.shorten_deadline(waited)
    creation.submit(payment, gateway, source=ChangeSource.CREATE)


def _look(payment: Payment, min_age_seconds: float) -> None:
    """Ask how an open attempt stands; without an answer the customer is still better off on the page than here."""
    if (payment.last_synced_at or payment.created_at) > clock.now() - timedelta(seconds=min_age_seconds):
        return
    try:
        sync_payment(
            payment,
            source=ChangeSource.CREATE,
            min_age_seconds=min_age_seconds,
            deadline_seconds=_LOOK_DEADLINE_SECONDS,
        )
    except (FlowlixError, PaymentUnavailable):
        payment.refresh_from_db()


def _supersede(payment: Payment) -> None:
    """Make room for another attempt; this one stays watched, because it can still be paid."""
    now = clock.now()
    Payment.objects.filter(pk=payment.pk, status=payment.status, open_order_reference__isnull=False).update(
        superseded_at=now, open_order_reference=None, updated_at=now
    )
    payment.refresh_from_db()


def _update_targets(payment: Payment, drafted: Draft) -> None:
    targets = {"success_url": drafted.success_url, "failure_url": drafted.failure_url}
    if targets != {name: getattr(payment, name) for name in targets}:
        Payment.objects.filter(pk=payment.pk).update(**targets)
        payment.success_url, payment.failure_url = drafted.success_url, drafted.failure_url


def _claim_look(payment: Payment, min_age_seconds: float) -> bool:
    """Take the right to ask the gateway now; of many workers one gets it."""
    now = clock.now()
    looks = Payment.objects.filter(pk=payment.pk)
    if min_age_seconds:
        old = Q(last_synced_at__isnull=True) | Q(last_synced_at__lte=now - timedelta(seconds=min_age_seconds))
        looks = looks.filter(old)
    return bool(looks.update(last_synced_at=now))
