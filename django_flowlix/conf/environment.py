"""Reading one account's settings from `FLOWLIX_*` environment variables; django-environ splits lists and dicts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from ..api.secret import Secret
from .rules import SETTINGS


def _texts(raw: str) -> list[str]:
    return [text.strip() for text in environ.Env.parse_value(raw, list)]


def _numbers(raw: str) -> list[float]:
    # Not environ's float: it drops what it does not understand, and reads 1e2 as 12.
    return [float(text) for text in _texts(raw)]


def _secrets(raw: str) -> list[Secret]:
    return [Secret(text) for text in _texts(raw)]


def _exponents(raw: str) -> dict[str, int]:
    return {currency.strip(): int(exponent) for currency, exponent in environ.Env.parse_value(raw, dict).items()}


def _alerts(raw: str) -> dict[str, dict[str, float] | None]:
    rules: dict[str, dict[str, float] | None] = {}
    for entry in _texts(raw):
        name, _, number = entry.partition("=")
        rule, _, parameter = name.strip().partition(".")
        if not parameter:
            if number.strip() != "off" or rules.get(rule):
                raise ValueError(entry)
            rules[rule] = None
            continue
        parameters = rules.setdefault(rule, {})
        if parameters is None:
            raise ValueError(entry)
        parameters[parameter] = _number(number)
    return rules


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _ages(raw: str) -> dict[str, int | None]:
    pairs = (entry.partition("=") for entry in _texts(raw))
    return {name.strip(): None if days.strip() == "never" else int(days) for name, _, days in pairs}


# What is not plain text: how it is read, and how a person writes it.
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "SECRET_KEY": (Secret, "fl_live_sk_…"),
    "REDIRECT_HOSTS": (_texts, "shop.example,www.shop.example"),
    "HOSTED_PAGE_HOSTS": (_texts, "pay.example"),
    "TIMEOUT": (_numbers, "3.05,8"),
    "RETRY_BUDGET": (float, "20"),
    "BACKGROUND_RETRY_BUDGET": (float, "60"),
    "REQUESTS_PER_MINUTE": (int, "100"),
    "CURRENCY_EXPONENTS": (_exponents, "HUF=0,ISK=0"),
    "WEBHOOK_SECRETS": (_secrets, "whsec_…,whsec_…"),
    "ALERTS": (_alerts, "decline_rate.threshold=0.4,latency=off"),
    "RETENTION": (_ages, "calls_days=180,changes_days=never"),
}


def read_environment(prefix: str) -> dict[str, Any]:
    """Return the settings whose variables are set; `NAME_FILE` names a file that holds the value of `NAME`.

    Raises: ImproperlyConfigured for a value that cannot be read; the value is not quoted.
    """
    return {name: _read(prefix, name, raw) for name in SETTINGS if (raw := _raw(prefix + name)) is not None}


def _read(prefix: str, name: str, raw: str) -> Any:
    if name not in _READERS:
        return raw
    reader, form = _READERS[name]
    try:
        return reader(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{prefix}{name} cannot be read. Write it like {form}.") from None


def _raw(variable: str) -> str | None:
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if not path:
        return value or None
    if value:
        raise ImproperlyConfigured(f"{variable} and {variable}_FILE are both set. Remove one of them.")
    try:
        text = Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError) as error:
        # The path is not quoted: somebody may have written the secret itself there.
        name = type(error).__name__
        raise ImproperlyConfigured(f"{variable}_FILE cannot be read ({name}). Write a file's path.") from None
    if not text:
        raise ImproperlyConfigured(f"{variable}_FILE names an empty file. Write the value into it.")
    return text
