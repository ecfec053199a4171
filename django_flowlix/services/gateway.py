"""The gateway as one unit of work sees it: a client with a deadline, the pause all processes share, and the record.

Exchanges are kept until the caller writes them with its result, so that no statement runs while the socket is open.
A try that will be repeated is written before the wait, so that a process that dies waiting leaves its trace.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Max

from ..api import Exchange, FlowlixClient, RateLimitError
from ..api.transport import is_loopback
from ..conf import Account
from ..models import ApiCall, Payment, Refund
from . import clock, event_log, leases, spans

_CHECKOUT_SHARE = 0.2
_FEW_REQUESTS = 10
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][!-\[\]-~]*)?")


class Gateway:
    """Talks to Flowlix for one account, about one payment or refund if given; `deadline_seconds` bounds each call."""

    def __init__(
        self,
        account: Account,
        *,
        payment: Payment | None = None,
        refund: Refund | None = None,
        deadline_seconds: float | None = None,
    ) -> None:
        self.account = account
        self._payment = refund.payment if refund is not None else payment
        self._refund = refund
        self._unwritten: list[ApiCall] = []
        self._deadline_seconds = deadline_seconds or account.retry_budget_seconds

    def client(self) -> FlowlixClient:
        """Return the client, having waited for the pause the gateway asked of this key.

        Raises: RateLimitError when the pause is longer than the deadline; nothing was sent.
        """
        pause_seconds = self.wait_out_pause()
        return _client(self.account).observed(self, deadline_seconds=self._deadline_seconds - pause_seconds)

    def wait_out_pause(self) -> float:
        """Wait for the pause the gateway asked of this key; returns its seconds. Raises: RateLimitError if too long"""
        pause_seconds = self._pause_seconds()
        if pause_seconds >= self._deadline_seconds:
            raise RateLimitError("the gateway asked all callers to wait", retry_after_seconds=pause_seconds)
        if pause_seconds > 0:
            self._hold_lease(pause_seconds)
            clock.sleep(pause_seconds)
        return pause_seconds

    def exchanged(self, exchange: Exchange) -> None:
        """Keep one HTTP try for the record, and tell log and trace (called by the client)."""
        pause = exchange.retry_after_seconds if exchange.http_status == 429 else None
        call = ApiCall(
            account=self.account.alias,
            livemode=self.account.livemode,
            api_key_fingerprint=self.account.api_key_fingerprint,
            payment=self._payment,
            refund=self._refund,
            operation=exchange.operation,
            method=exchange.method,
            path=exchange.path,
            try_number=exchange.try_number,
            idempotency_key=exchange.idempotency_key,
            http_status=exchange.http_status,
            request_id=exchange.request_id,
            outcome=exchange.outcome,
            error_type=exchange.error_type,
            error_code=exchange.error_code,
            decline_code=exchange.decline_code,
            duration_ms=exchange.duration_ms,
            rate_limit_remaining=exchange.rate_limit_remaining,
            paused_until=None if pause is None else clock.now() + timedelta(seconds=pause),
            created_at=clock.now(),
        )
        self._unwritten.append(call)
        event_log.exchanged(call)
        spans.exchanged(call, self.account)

    def waiting(self, seconds: float) -> None:
        """Write what is kept before a wait, and hold the row's lease over it (called by the client)."""
        self.record()
        self.recorded()
        self._hold_lease(seconds)

    def _hold_lease(self, seconds: float) -> None:
        leased = self._refund or self._payment
        if leased is not None:
            leases.extend(leased, self.account, seconds)

    def shorten_deadline(self, seconds: float) -> None:
        """Take time that has been spent already off the deadline of the calls, leaving at least a second."""
        self._deadline_seconds = max(self._deadline_seconds - seconds, 1.0)

    def record(self) -> None:
        """Write the exchanges kept so far; called inside the transaction that books their result."""
        for call in self._unwritten:
            call.pk = None  # the transaction before may have been rolled back
            call.save(force_insert=True)

    def recorded(self) -> None:
        """Forget the exchanges that are written; called when the transaction is committed."""
        self._unwritten.clear()

    def _pause_seconds(self) -> float:
        now = clock.now()
        until = ApiCall.objects.filter(
            api_key_fingerprint=self.account.api_key_fingerprint, paused_until__gt=now
        ).aggregate(until=Max("paused_until"))["until"]
        return (until - now).total_seconds() if until else 0.0


def has_room(account: Account) -> bool:
    """Tell whether work that can wait may ask the gateway now; the rest of the key's limit is left to the checkout.

    Counts the requests that all processes made with this key in the last 60 seconds, and believes the gateway when it
    says that few are left. Source: docs.flowlix.eu/api-reference/rate-limits (slow down below 10)
    """
    limit = account.requests_per_minute or account.contract.requests_per_minute
    since = clock.now() - timedelta(seconds=60)
    recent = ApiCall.objects.filter(api_key_fingerprint=account.api_key_fingerprint, created_at__gt=since)
    if recent.count() >= limit * (1 - _CHECKOUT_SHARE):
        return False
    remaining = recent.order_by("-created_at").values_list("rate_limit_remaining", flat=True).first()
    return remaining is None or remaining >= _FEW_REQUESTS


def is_trusted_page(account: Account, url: str) -> bool:
    """Tell whether a customer may be sent to this hosted page: https on the gateway's own domains.

    HOSTED_PAGE_HOSTS adds hosts. A gateway on loopback (emulator, test key) may have its page on loopback too.
    """
    if not _PLAIN_ADDRESS.fullmatch(url):
        return False  # browsers read a backslash as a slash, and what they read decides where the customer goes
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password or not host or parts.netloc == urlsplit(account.base_url).netloc:
        return False  # an address of the shop itself is an echo of our return page, and would loop
    if parts.scheme == "http":
        api_host = urlsplit(account.api_url or account.contract.api_url).hostname or ""
        return not account.livemode and is_loopback(api_host) and is_loopback(host)
    domains = account.contract.hosted_page_domains
    known = host in account.hosted_page_hosts or any(host == d or host.endswith(f".{d}") for d in domains)
    return parts.scheme == "https" and known


@lru_cache(maxsize=32)
def _client(account: Account) -> FlowlixClient:
    """Return the process's client for an account: it keeps the connections alive between requests."""
    return new_client(account)


def new_client(account: Account, **seams: Any) -> FlowlixClient:
    """Return a client of its own for an account; `seams` replace what it takes from outside, such as its transport."""
    settings: dict[str, Any] = {
        "contract": account.contract_name,
        "api_url": account.api_url,
        "api_version": account.api_version,
        "timeout_seconds": account.timeout_seconds,
        "ca_bundle": account.ca_bundle,
        "proxy": account.proxy,
        # Looked up at each call: the client outlives a test's clock.
        "sleep": lambda seconds: clock.sleep(seconds),
        "monotonic": lambda: clock.monotonic(),
        "now": lambda: clock.now().timestamp(),
    }
    return FlowlixClient(account.secret_key, **settings | seams)
