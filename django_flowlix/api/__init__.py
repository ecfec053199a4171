"""The Flowlix REST client: values in, frozen dataclasses out, no Django, no globals."""

from __future__ import annotations

from .client import FlowlixClient
from .declines import Decline, decline_for
from .errors import (
    AnsweredError,
    ApiError,
    AuthenticationError,
    CardError,
    FlowlixError,
    IdempotencyError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    RateLimitError,
    RequestInvalidError,
    UnreadableAnswerError,
)
from .money import Money, MoneyError
from .objects import (
    Card,
    Customer,
    DirectPaymentRequest,
    Exchange,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundStatus,
    GatewayStatus,
    HostedPaymentRequest,
    RefundRequest,
    TestCard,
)
from .secret import Secret

__all__ = [
    "AnsweredError",
    "ApiError",
    "AuthenticationError",
    "Card",
    "CardError",
    "Customer",
    "Decline",
    "DirectPaymentRequest",
    "Exchange",
    "FlowlixClient",
    "FlowlixError",
    "GatewayPayment",
    "GatewayRefund",
    "GatewayRefundStatus",
    "GatewayStatus",
    "HostedPaymentRequest",
    "IdempotencyError",
    "InvalidRequestError",
    "Money",
    "MoneyError",
    "NoAnswerError",
    "NotFoundError",
    "NotSentError",
    "RateLimitError",
    "RefundRequest",
    "RequestInvalidError",
    "Secret",
    "TestCard",
    "UnreadableAnswerError",
    "decline_for",
]
