"""What merchants connect to. Receivers get `payment` (the Payment) and `change` (the StatusChange behind it), those of
the refund signals also `refund` (the Refund); `sender` is the class of what has changed.

Each receiver runs in a database transaction of its own together with the note that it ran, so its database effects
happen exactly once per change; one that raises is called again by `flowlix_sync`, the others are not held up.
"""

from __future__ import annotations

from django.dispatch import Signal

payment_succeeded = Signal()
"""The order is paid: verified at the gateway, amount and currency as asked, the order's first success."""
payment_failed = Signal()
"""Declined for good; `payment.decline` says what to tell the customer. A new attempt may be started."""
payment_canceled = Signal()
"""Canceled before it was completed."""
payment_expired = Signal()
"""Not completed in time."""
payment_needs_review = Signal()
"""A person must look; `payment.review_reason` says why. Sent in place of the signal of the status it came with."""
refund_succeeded = Signal()
"""Money was given back, whoever asked for it; `payment.amount_refunded` is the sum so far."""
refund_failed = Signal()
"""A refund did not happen: refused by the gateway, failed there, or never sent. Its amount can be refunded again."""

SIGNALS: dict[str, Signal] = {
    "payment_succeeded": payment_succeeded,
    "payment_failed": payment_failed,
    "payment_canceled": payment_canceled,
    "payment_expired": payment_expired,
    "payment_needs_review": payment_needs_review,
    "refund_succeeded": refund_succeeded,
    "refund_failed": refund_failed,
}

alert_opened = Signal()
"""Operators have to know: `alert` says what, since when and how bad. `sender` is Alert, `event` is "opened"."""
alert_resolved = Signal()
"""The alert is over; `alert.resolution` says why; `event` is "resolved"."""

ALERT_SIGNALS: dict[str, Signal] = {"opened": alert_opened, "resolved": alert_resolved}
"""Receivers of these run in `flowlix_monitor`, outside of a transaction and at least once."""
