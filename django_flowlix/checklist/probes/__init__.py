"""Who looks for the lines of the catalogue; importing this package gives each its probes."""

from __future__ import annotations

from . import (
    alerts,
    background,
    cache,
    declines,
    errors,
    gateway,
    going_live,
    idempotency,
    migrations,
    money,
    pauses,
    payment_ids,
    request_ids,
    retries,
    shop,
    system_checks,
    watching,
)

__all__ = [
    "alerts",
    "background",
    "cache",
    "declines",
    "errors",
    "gateway",
    "going_live",
    "idempotency",
    "migrations",
    "money",
    "pauses",
    "payment_ids",
    "request_ids",
    "retries",
    "shop",
    "system_checks",
    "watching",
]
