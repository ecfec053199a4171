"""The words for where a payment or a refund stands, and which word may follow which."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PaymentStatus(models.TextChoices):
    """Where an attempt stands, as far as our own database knows.

    `created` means that the row is committed and the gateway has not confirmed it; once `first_sent_at` is set its
    outcome is unknown. `rejected` means that the gateway refused to create it, or that it is proven absent there.
    """

    CREATED = "created", _("being prepared")
    PENDING = "pending", _("waiting for the customer")
    REQUIRES_ACTION = "requires_action", _("waiting for the customer's confirmation")
    PROCESSING = "processing", _("being processed")
    SUCCEEDED = "succeeded", _("paid")
    FAILED = "failed", _("declined")
    CANCELED = "canceled", _("canceled")
    EXPIRED = "expired", _("expired")
    REJECTED = "rejected", _("not started")


_S = PaymentStatus

WAITING = frozenset({_S.PENDING, _S.REQUIRES_ACTION, _S.PROCESSING})
"""The gateway has the payment and has not decided."""
OPEN = WAITING | {_S.CREATED}
"""The attempt may still become a payment."""
ENDED_UNPAID = frozenset({_S.FAILED, _S.CANCELED, _S.EXPIRED})

# A success replaces anything but itself, because money that arrived must be booked however late (P2), and nothing
# replaces a success (P4). `rejected` is included: a "definitive" refusal that was none must not hide a payment.
_ALLOWED: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    _S.CREATED: WAITING | ENDED_UNPAID | {_S.SUCCEEDED, _S.REJECTED},
    **{waiting: (WAITING - {waiting}) | ENDED_UNPAID | {_S.SUCCEEDED} for waiting in WAITING},
    **{ended: frozenset({_S.SUCCEEDED}) for ended in ENDED_UNPAID},
    _S.REJECTED: frozenset({_S.SUCCEEDED}),
    _S.SUCCEEDED: frozenset(),
}


def may_follow(current: str, following: str) -> bool:
    """Tell whether a payment may go from one status to another; staying is not a transition."""
    return PaymentStatus(following) in _ALLOWED[PaymentStatus(current)]


class RefundStatus(models.TextChoices):
    """Where a refund stands, as far as our own database knows.

    `created` means that the row is committed, its amount reserved, and the gateway has not confirmed it; once
    `first_sent_at` is set its outcome is unknown. `failed` releases the amount.
    """

    CREATED = "created", _("being confirmed")
    PENDING = "pending", _("under way")
    SUCCEEDED = "succeeded", _("refunded")
    FAILED = "failed", _("refund failed")


REFUND_OPEN = frozenset({RefundStatus.CREATED, RefundStatus.PENDING})
"""The refund may still be paid out."""

# Money that went out must be booked, even after a failure that was none; nothing undoes it.
_REFUND_ALLOWED: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.CREATED: frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset({RefundStatus.SUCCEEDED}),
    RefundStatus.SUCCEEDED: frozenset(),
}


def refund_may_follow(current: str, following: str) -> bool:
    """Tell whether a refund may go from one status to another; staying is not a transition."""
    return RefundStatus(following) in _REFUND_ALLOWED[RefundStatus(current)]


class RefundSource(models.TextChoices):
    """Where a refund was asked for."""

    ADMIN = "admin", _("staff")
    API = "api", _("the shop's own code")
    GATEWAY = "gateway", _("the gateway's dashboard")


class ReviewReason(models.TextChoices):
    """Why a person must look at a payment."""

    MISMATCH = "mismatch", _("the gateway's answer does not match what was asked for")
    SECOND_SUCCESS = "second_success", _("the order was paid twice: refund one of the payments")
    SUPERSEDED_SUCCESS = "superseded_success", _("paid on an attempt that had been replaced by another amount")
    REFUNDED_EARLY = "refunded_early", _("already refunded at the gateway when the payment was first seen")
    UNKNOWN_STATUS = "unknown_status", _("the gateway uses a status that this version does not know")
    NOT_FOUND = "not_found", _("the gateway does not know the payment: wrong key, mode or account?")
    UNPROVEN = "unproven", _("it cannot be proven whether the gateway created the payment: look in its dashboard")
    REFUND_MISMATCH = "refund_mismatch", _("the gateway's refunds do not match the ones recorded here")
    KEY_CONFLICT = "key_conflict", _("the idempotency key was used with another request: set IDEMPOTENCY_NAMESPACE")


SETTLED_BY_AN_ANSWER = frozenset(
    {
        ReviewReason.MISMATCH,
        ReviewReason.UNKNOWN_STATUS,
        ReviewReason.NOT_FOUND,
        ReviewReason.KEY_CONFLICT,
        ReviewReason.UNPROVEN,
    }
)
"""A matching answer settles these; what concerns the order, or money paid twice, stays until a person has looked."""


class ChangeSource(models.TextChoices):
    """What made us look at the gateway, or act."""

    CREATE = "create", _("start of the payment")
    RETURN = "return", _("return of the customer")
    WEBHOOK = "webhook", _("notification from the gateway")
    SYNC = "sync", _("background check")
    ADMIN = "admin", _("staff")
    API = "api", _("the shop's own code")
