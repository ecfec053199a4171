"""What a contract decides: its operations, words, limits and test cards. The machinery around it is common to all."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ..answers import Answer, RefusalError
from ..cards import ScriptedCard
from ..ids import random_id
from ..listing import LIST_PARAMETERS, QueryCheck, one_of
from ..payments import Payment
from ..rate_limit import RateLimiter, RollingLimiter

if TYPE_CHECKING:
    from ..state import State


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to the work it asks for."""

    operation: Operation
    state: State
    livemode: bool
    base_url: str
    query: Sequence[tuple[str, str]]
    payment_id: str = ""
    parameters: Any = field(default_factory=dict)

    @property
    def now(self) -> float:
        return self.state.clock.now()


@dataclass(frozen=True)
class Operation:
    """One endpoint; `name` is what faults and the log call it, `path` may contain `{payment_id}`."""

    name: str
    method: str
    path: str
    work: Callable[[Call], Answer]

    def match(self, method: str, path: str) -> str | None:
        """Return the payment id of a matching request ("" where the path has none), None if it does not match."""
        if method != self.method:
            return None
        before, _, after = self.path.partition("{payment_id}")
        pattern = re.escape(before) + ("([^/]+)" + re.escape(after) if before != self.path else "()")
        found = re.fullmatch(pattern, path)
        return found[1] if found else None


@dataclass(frozen=True)
class RefundOrder:
    """What a refund shall be: `amount_minor` None is the rest, `delay_seconds` None lets it end only when told."""

    amount_minor: int | None
    reason: str
    now: float
    delay_seconds: float | None


class Contract(ABC):
    name: ClassVar[str]
    key_prefixes: ClassVar[Mapping[str, bool]]
    """Key prefix -> livemode of the objects its keys create and see."""
    request_id_header: ClassVar[str]
    requests_per_minute: ClassVar[int]
    rate_limiter: ClassVar[type[RateLimiter]] = RollingLimiter
    test_cards: ClassVar[tuple[ScriptedCard, ...]]
    """The first one succeeds."""
    statuses: ClassVar[tuple[str, ...]]
    """What the list can be filtered by."""
    page_url_fields: ClassVar[tuple[str, ...]]
    """Where the create answer can carry the page's address; the first one is the default."""
    errors_url: ClassVar[str | None] = None

    @property
    @abstractmethod
    def operations(self) -> tuple[Operation, ...]: ...

    @abstractmethod
    def check_headers(self, headers: Mapping[str, str]) -> None:
        """Raise a RefusalError for a header (names in lower case) that the contract does not accept."""

    @abstractmethod
    def stores(self, answer: Answer) -> bool:
        """Tell whether a finished answer is kept for a repeated Idempotency-Key."""

    @abstractmethod
    def render(self, payment: Payment, page_url_field: str) -> dict[str, Any]:
        """Return the payment object of the wire."""

    @abstractmethod
    def cancel(self, payment: Payment, now: float) -> None:
        """Do what the contract does when the customer cancels on the hosted page."""

    @abstractmethod
    def expire(self, payment: Payment) -> None:
        """Do what the contract does when nobody has completed the payment in time.

        Raises: ValueError if it has no such end.
        """

    @abstractmethod
    def refund(self, payment: Payment, order: RefundOrder) -> None:
        """Start or make a refund.

        Raises: RefundNotAllowedError if a rule of the contract forbids it.
        """

    def new_payment_id(self) -> str:
        return random_id("pay_")

    @property
    def list_parameters(self) -> Mapping[str, QueryCheck]:
        return {**LIST_PARAMETERS, "status": one_of(self.statuses)}

    def operation_names(self) -> list[str]:
        return [operation.name for operation in self.operations]

    def find_operation(self, method: str, path: str) -> tuple[Operation, str]:
        """Return the operation of a request and the payment id in its path.

        Raises: RefusalError (404) for an address the contract does not have.
        """
        for operation in self.operations:
            payment_id = operation.match(method, path)
            if payment_id is not None:
                return operation, payment_id
        raise RefusalError(404, "invalid_request_error", "resource_missing", f"Unknown address: {method} {path[:200]}")
