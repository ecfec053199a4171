"""System checks: static, no network, one id per fault, `flowlix.E…` for what is refused, `flowlix.W…` for what runs.

The settings' own rules stand in `conf.rules`; here are the rules about the project around them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's name
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.http.request import split_domain_port, validate_host
from django.urls import NoReverseMatch, reverse

from .conf import Account, accounts, faults


@register(Tags.security)
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report every fault of the FLOWLIX setting: E001 to E026."""
    return [_message(fault.check_id, fault.message, fault.hint) for fault in faults()]


@register(Tags.urls)
def check_urls(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E030: without our URLs there is no address to send the customer back to."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []  # a project without pages, such as a worker
    try:
        reverse("django_flowlix:return", args=["token"])
    except NoReverseMatch:
        hint = 'Add path("flowlix/", include("django_flowlix.urls")) to your root URLconf.'
        return [_message("E030", "The URLs of django_flowlix are not included.", hint)]
    return []


@register(Tags.security)
def check_mode(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E031: a live key with DEBUG; error pages show more than customers and strangers should see."""
    hint = "Set DEBUG = False, or use a test key."
    return [
        _message("E031", f"FLOWLIX[{account.alias!r}] has a live key while DEBUG is on.", hint)
        for account in _accounts()
        if account.livemode and settings.DEBUG
    ]


@register(Tags.security, deploy=True)
def check_deployed_mode(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W032: a test key in a deployed project takes orders without taking money."""
    hint = "Set the live key in the environment; a staging system may silence this check."
    return [
        _message("W032", f"FLOWLIX[{account.alias!r}] has a test key.", hint)
        for account in _accounts()
        if not account.livemode
    ]


@register(deploy=True)
def check_admins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W039: alerts are mailed to ADMINS."""
    hint = "Set ADMINS and Django's mail settings; silence this if a receiver of alert_opened tells somebody."
    return [] if settings.ADMINS else [_message("W039", "ADMINS is empty: nobody gets alerts by mail.", hint)]


@register(Tags.security)
def check_time_zone(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E036: keys live for hours and leases for seconds; local times repeat an hour in autumn."""
    hint = "Set USE_TZ = True, Django's default."
    return [] if settings.USE_TZ else [_message("E036", "USE_TZ is off.", hint)]


@register(Tags.models)  # Tags.database checks run on request only, and this one opens no connection
def check_database(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W033: SQLite without IMMEDIATE transactions fails at once when two processes write."""
    options = connections["default"].settings_dict.get("OPTIONS", {})
    if connections["default"].vendor != "sqlite" or options.get("transaction_mode") in ("IMMEDIATE", "EXCLUSIVE"):
        return []
    hint = 'Set DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}.'
    return [_message("W033", "SQLite begins transactions without the write lock.", hint)]


@register(Tags.security)
def check_allowed_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W035: a customer who comes back to a host that Django does not serve gets an error page."""
    hint = "Add the host to ALLOWED_HOSTS, or correct BASE_URL; silence this behind a proxy that rewrites Host."
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    return [
        _message("W035", f"The host of FLOWLIX[{account.alias!r}]['BASE_URL'] is not in ALLOWED_HOSTS.", hint)
        for account in _accounts()
        if not validate_host(split_domain_port(urlsplit(account.base_url).netloc)[0], allowed)
    ]


@register(Tags.security)
def check_worker_timeout(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """W034: web servers usually kill a worker after 30 s, which must not happen between sending and booking."""
    hint = "Keep RETRY_BUDGET at 25 or less, or raise the web server's worker timeout well above it."
    return [
        _message("W034", f"FLOWLIX[{account.alias!r}]['RETRY_BUDGET'] may outlive a web worker.", hint)
        for account in _accounts()
        if account.retry_budget_seconds > 25
    ]


def _accounts() -> Iterator[Account]:
    """Yield the accounts, none when the setting is at fault: that is reported once, by `check_settings`."""
    try:
        yield from accounts().values()
    except ImproperlyConfigured:
        return


def _message(check_id: str, message: str, hint: str) -> CheckMessage:
    kind = Error if check_id.startswith("E") else Warning
    return kind(message, hint=hint, id=f"flowlix.{check_id}")
