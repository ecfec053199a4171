"""The `FLOWLIX` setting: a dict of accounts, as DATABASES and CACHES are, read into frozen dataclasses.

`FLOWLIX = {"default": {"SECRET_KEY": …, "BASE_URL": …}}`. Every key has one entry in `SETTINGS`, which parses it; the
system checks and `account()` use the same parsers, so what passes the check is what runs. Values are read again when
the setting changes (tests).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from ..api.contracts import CONTRACTS, Contract
from ..api.redaction import mask
from ..api.secret import Secret
from .alert_rules import AlertRule
from .environment import read_environment
from .errors import Fault, SettingError
from .retention_rules import Retention
from .rules import SETTINGS, cross_faults

DEFAULT_ALIAS = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One Flowlix account as configured. Times in seconds; addresses without a trailing slash."""

    alias: str
    secret_key: Secret
    base_url: str
    contract_name: str
    api_url: str
    api_version: str
    success_url: str
    failure_url: str
    redirect_hosts: tuple[str, ...]
    hosted_page_hosts: tuple[str, ...]
    idempotency_namespace: str
    timeout_seconds: tuple[float, float]
    retry_budget_seconds: float
    background_retry_budget_seconds: float
    requests_per_minute: int
    currency_exponents: Mapping[str, int] = field(hash=False)
    ca_bundle: str
    proxy: str
    webhook_secrets: tuple[Secret, ...]
    alert_rules: Mapping[str, AlertRule] = field(hash=False)
    retention: Retention

    @property
    def contract(self) -> Contract:
        return CONTRACTS[self.contract_name]

    @property
    def livemode(self) -> bool:
        return self.contract.livemode_of(self.secret_key.reveal()) is True

    @property
    def api_key_fingerprint(self) -> str:
        """Sixteen hex digits that tell keys apart and say nothing about them (SHA-256 of a long random text)."""
        return hashlib.sha256(self.secret_key.reveal().encode()).hexdigest()[:16]


def account(alias: str = DEFAULT_ALIAS) -> Account:
    """Return one account. Raises: ImproperlyConfigured naming every fault of its settings."""
    configured = accounts()
    if alias not in configured:
        raise ImproperlyConfigured(
            f"FLOWLIX has no account {alias!r}: write one of {', '.join(map(repr, configured)) or 'none is set'}"
        )
    return configured[alias]


@cache
def accounts() -> Mapping[str, Account]:
    """Return all accounts by alias. Raises: ImproperlyConfigured naming every fault."""
    found = [fault for fault in faults() if fault.is_error]
    if found:
        raise ImproperlyConfigured("\n".join(f"{fault.message} {fault.hint}".strip() for fault in found))
    return {alias: _account(alias, raw) for alias, raw in settings.FLOWLIX.items()}


def faults() -> Iterator[Fault]:
    """Yield every fault of the FLOWLIX setting, in the order of the settings; nothing secret is quoted."""
    raw_accounts = getattr(settings, "FLOWLIX", None)
    if not isinstance(raw_accounts, Mapping) or not raw_accounts:
        yield Fault("E001", "FLOWLIX is not set.", 'Write FLOWLIX = accounts_from_env(), or {"default": {...}}.')
        return
    for alias, raw in raw_accounts.items():
        yield from _account_faults(alias, raw)
    yield from _shared_key_faults(raw_accounts)


def _account_faults(alias: object, raw: object) -> Iterator[Fault]:
    where = f"FLOWLIX[{_shown(alias)}]"
    if not isinstance(alias, str) or not 0 < len(alias) <= 64 or not isinstance(raw, Mapping):
        hint = 'Write FLOWLIX = {"default": {...}}: account names of 1 to 64 characters, each with its settings.'
        yield Fault("E002", f"{where} is not the settings of an account.", hint)
        return
    for key in raw:
        if key not in SETTINGS:
            near = difflib.get_close_matches(str(key).upper(), SETTINGS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known settings: {', '.join(SETTINGS)}."
            yield Fault("E003", f"{where} has an unknown setting {_shown(key)}.", hint)
    values: dict[str, Any] = {}
    for name, setting in SETTINGS.items():
        try:
            values[name] = setting.parse(raw[name]) if name in raw else setting.absent()
        except SettingError as error:
            yield Fault(setting.check_id, f"{where}[{name!r}] {error}", error.hint)
    if len(values) == len(SETTINGS):
        yield from cross_faults(where, values)


def _shared_key_faults(raw_accounts: Mapping[Any, Any]) -> Iterator[Fault]:
    """Two accounts with one key share one space of idempotency keys: order 7 of one would answer for the other."""
    seen: dict[tuple[str, str], object] = {}
    for alias, raw in raw_accounts.items():
        if not isinstance(raw, Mapping) or not isinstance(raw.get("SECRET_KEY"), str):
            continue
        space = (Secret(raw["SECRET_KEY"]).reveal(), str(raw.get("IDEMPOTENCY_NAMESPACE", "")))
        if space in seen:
            both = f"FLOWLIX[{_shown(alias)}] and FLOWLIX[{_shown(seen[space])}]"
            yield Fault(
                "E020",
                f"{both} have the same SECRET_KEY and IDEMPOTENCY_NAMESPACE.",
                "Give each account its own IDEMPOTENCY_NAMESPACE.",
            )
        seen[space] = alias


def _shown(name: object) -> str:
    """Quote a name for a message; a secret in the wrong place is masked."""
    return repr(mask(str(name))[:40])


def _account(alias: str, raw: Mapping[str, Any]) -> Account:
    values = {
        setting.field: setting.parse(raw[name]) if name in raw else setting.absent()
        for name, setting in SETTINGS.items()
    }
    return Account(alias=alias, **values)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "FLOWLIX":
        accounts.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_flowlix.conf")


def accounts_from_env(prefix: str = "FLOWLIX_", alias: str = DEFAULT_ALIAS) -> dict[str, dict[str, Any]]:
    """Return the FLOWLIX setting from environment variables: `FLOWLIX_SECRET_KEY`, `FLOWLIX_BASE_URL` …

    Every setting has a variable; lists are separated by commas. `FLOWLIX_SECRET_KEY_FILE` names a file that holds the
    value (its surrounding white space is dropped), as container secrets do. Variables that are not set or empty keep
    the default.

    Raises: ImproperlyConfigured for a secret file that cannot be read.
    Source: docs.flowlix.eu/guides/go-live (the live key comes from the environment)
    """
    return {alias: read_environment(prefix)}
