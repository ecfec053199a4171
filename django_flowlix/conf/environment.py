"""Reading one account's settings from `FLOWLIX_*` environment variables, with django-environ's casts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from ..api.secret import Secret
from .rules import SETTINGS

# What is not plain text: the cast in django-environ's notation, and how a person writes it.
_CASTS: dict[str, tuple[Any, str]] = {
    "REDIRECT_HOSTS": ([str], "shop.example,www.shop.example"),
    "HOSTED_PAGE_HOSTS": ([str], "pay.example"),
    "TIMEOUT": ([float], "3.05,8"),
    "RETRY_BUDGET": (float, "20"),
    "BACKGROUND_RETRY_BUDGET": (float, "60"),
    "REQUESTS_PER_MINUTE": (int, "100"),
    "CURRENCY_EXPONENTS": ({"value": int}, "HUF=0,ISK=0"),
    "WEBHOOK_SECRETS": ([str], "whsec_…,whsec_…"),
}


def read_environment(prefix: str) -> dict[str, Any]:
    """Return the settings whose variables are set; `NAME_FILE` names a file that holds the value of `NAME`.

    Raises: ImproperlyConfigured for a value that cannot be read; the value is not quoted.
    """
    values: dict[str, Any] = {}
    for name in SETTINGS:
        raw = _raw(prefix + name)
        if raw is not None:
            values[name] = Secret(raw) if name == "SECRET_KEY" else _cast(prefix, name, raw)
    return values


def _cast(prefix: str, name: str, raw: str) -> Any:
    if name not in _CASTS:
        return raw
    cast, form = _CASTS[name]
    try:
        return environ.Env.parse_value(raw, cast)
    except (ValueError, TypeError, KeyError):
        raise ImproperlyConfigured(f"{prefix}{name} cannot be read. Write it like {form}.") from None


def _raw(variable: str) -> str | None:
    if value := os.environ.get(variable):
        return value
    path = os.environ.get(f"{variable}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{variable}_FILE cannot be read: {type(error).__name__}.") from None
