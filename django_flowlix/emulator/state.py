"""Everything the emulator remembers, and the one lock around it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from .clock import Clock
from .contracts.base import Contract
from .delays import Delays
from .faults import FaultQueue
from .idempotency import IdempotencySlots
from .keys import Keyring, masked_key
from .payments import PaymentStore
from .request_log import RequestLog

REFUND_DELAY_SECONDS = 3.0
PAYMENT_DELAY_SECONDS = 2.0


class State:
    """The emulated gateway's memory. Hold `lock` for every look or change that must be of one piece."""

    def __init__(
        self,
        contract: Contract,
        *,
        accepted_keys: Iterable[str] = (),
        requests_per_minute: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.contract = contract
        self.lock = threading.RLock()
        self.delays = Delays()
        self.log = RequestLog()
        self._accepted_keys = tuple(accepted_keys)
        self._requests_per_minute = contract.requests_per_minute if requests_per_minute is None else requests_per_minute
        self.clock = clock or Clock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, as if just started: payments, keys, faults, log, limits; the clock shows real time."""
        with self.lock:
            self.delays.interrupt()
            self.payments = PaymentStore(self.clock)
            self.slots = IdempotencySlots()
            self.faults = FaultQueue(self.contract.operation_names())
            self.keys = Keyring(self.contract.key_prefixes, self._accepted_keys)
            self.rate_limit = self.contract.rate_limiter(self._requests_per_minute)
            self.page_url_field = self.contract.page_url_fields[0]
            self.refund_delay_seconds: float | None = REFUND_DELAY_SECONDS
            self.payment_delay_seconds: float | None = PAYMENT_DELAY_SECONDS
            self.clock.advanced_seconds = 0.0
            self.log.clear()

    def show_page_url_as(self, page_url_field: str) -> None:
        """Choose where the create answer carries the page's address: `both` fields, `hpp_url` or `redirect_url`.

        With `hpp_url` the answer's `redirect_url` echoes the merchant's own address, as one of the pages suggests.
        """
        known = self.contract.page_url_fields
        if page_url_field not in known:
            raise ValueError(f"unknown page_url_field: contract {self.contract.name} has {', '.join(known)}")
        self.page_url_field = page_url_field

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON values; API keys are reduced to prefix and last four characters."""
        with self.lock:
            return {
                "contract": self.contract.name,
                "now": self.clock.now(),
                "advanced_seconds": self.clock.advanced_seconds,
                "requests_per_minute": self.rate_limit.requests_per_minute,
                "page_url_field": self.page_url_field,
                "refund_delay_seconds": self.refund_delay_seconds,
                "payment_delay_seconds": self.payment_delay_seconds,
                "payments": [asdict(payment) for payment in self.payments],
                "idempotency_keys": self._idempotency_keys(),
                "faults": [fault.as_dict() for fault in self.faults.queued()],
                "revoked_keys": sorted(masked_key(key) for key in self.keys.revoked),
                "requests_received": len(self.log.entries()),
            }

    def _idempotency_keys(self) -> list[dict[str, Any]]:
        return [
            {
                "api_key": masked_key(scope),
                "key": key,
                "claimed_at": slot.claimed_at,
                "status": slot.answer.status if slot.answer else None,
            }
            for (scope, key), slot in self.slots.slots.items()
        ]
