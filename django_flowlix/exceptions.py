"""What `django_flowlix.services` raises.

PaymentError
├── InvalidPaymentRequest   the request is wrong: every fault at once, no row, no network
├── AlreadyPaid             the order has a successful payment
├── PaymentRejected         the gateway refused to create the payment for good
├── PaymentUnavailable      certainly not started: gateway unreachable, over its limit, or our key refused
├── PaymentUnconfirmed      not known yet whether the gateway has the payment; never a failure to the customer
└── RefundError
    ├── InvalidRefundRequest  the refund is not possible: every fault by field, no row, no network
    └── RefundRejected        the gateway refused the refund for good
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Payment, Refund


class PaymentError(Exception):
    """Something a caller of the services has to answer to."""

    def __init__(self, message: str, payment: Payment | None = None) -> None:
        super().__init__(message)
        self.payment = payment


class InvalidPaymentRequest(PaymentError, ValueError):  # noqa: N818  reads as what it is at the call site
    """The request breaks the contract or our rules; `faults` are sentences that never quote personal data."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class AlreadyPaid(PaymentError):  # noqa: N818
    """The order is paid; `payment` is the successful one."""


class PaymentRejected(PaymentError):  # noqa: N818
    """The gateway refused; `payment` is the rejected row and its exchanges say why."""


class PaymentUnavailable(PaymentError):  # noqa: N818
    """Nothing was started and nothing charged; worth another try after `retry_after_seconds`."""

    def __init__(self, message: str, payment: Payment | None, *, retry_after_seconds: float) -> None:
        super().__init__(message, payment)
        self.retry_after_seconds = retry_after_seconds


class PaymentUnconfirmed(PaymentError):  # noqa: N818
    """The outcome is unknown; `payment` stays open and is resolved by `flowlix_sync` or the next click."""


class RefundError(PaymentError):
    """A refund that did not happen; `refund` is its row if there is one."""

    def __init__(self, message: str, payment: Payment | None = None, refund: Refund | None = None) -> None:
        super().__init__(message, payment)
        self.refund = refund


class InvalidRefundRequest(RefundError, ValueError):  # noqa: N818
    """The refund is not possible as asked for.

    `fields` has the sentences by field: `amount`, `reason`, or `payment` for what no other entry would mend; `faults`
    has all of them.
    """

    def __init__(self, fields: Mapping[str, tuple[str, ...]], payment: Payment | None = None) -> None:
        self.fields = dict(fields)
        self.faults = tuple(fault for faults in self.fields.values() for fault in faults)
        super().__init__("; ".join(self.faults), payment)


class RefundRejected(RefundError):  # noqa: N818
    """The gateway refused; `refund` is the failed row and its exchanges say why. The amount is free again."""
