"""What each setting of an account must look like: one parser and one check id per setting.

A parser returns the value to run with or raises SettingError, whose text never quotes a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

from ..api.contracts import CONTRACTS
from ..api.idempotency import NAMESPACE_PATTERN
from ..api.money import MoneyError, exponent_of
from ..api.secret import Secret
from ..api.transport import is_loopback
from .alert_rules import alert_rules
from .errors import Fault, SettingError
from .retention_rules import retention

_REQUIRED = object()
PLACEHOLDER = "{order_reference}"
_HOST = re.compile(r"[a-z0-9._-]+")
_HOST_AND_PORT = re.compile(r"[a-z0-9._-]+(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is read: into which field of Account, under which check id, by which parser."""

    field: str
    check_id: str
    parse: Callable[[Any], Any]
    default: Any = None

    def absent(self) -> Any:
        if self.default is _REQUIRED:
            raise SettingError("is missing.", "Set it in FLOWLIX or in the environment.")
        return self.parse(self.default)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise SettingError("is not text.", f"Write a string, not {type(value).__name__}.")
    return value


def _secret_key(value: object) -> Secret:
    text = Secret(_text(value))
    plain = text.reveal()
    if not plain.strip():
        raise SettingError("is empty.", "Set FLOWLIX_SECRET_KEY in the environment of the server.")
    if plain.lower().startswith("bearer"):
        raise SettingError("begins with 'Bearer'.", "Write the key alone; the word is added when it is sent.")
    if plain[0] in "'\"" or plain[-1] in "'\"":
        raise SettingError("has quotation marks around it.", "Remove them; some .env readers keep them.")
    if any(character.isspace() for character in plain):
        raise SettingError("contains white space or a line break.", "Copy the key again, or use a *_FILE variable.")
    if not plain.isascii() or not plain.isprintable() or plain.endswith("_sk_"):
        raise SettingError("is not a Flowlix key.", "Copy it from Dashboard > Settings > API Keys.")
    return text


def _contract(value: object) -> str:
    if _text(value) not in CONTRACTS:
        raise SettingError("is not a contract this version speaks.", f"Write one of: {', '.join(CONTRACTS)}.")
    return _text(value)


def _address(value: object) -> str:
    """Return an absolute address with its host in small letters and without a slash at the end."""
    text = _text(value).rstrip("/")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise SettingError("is not an address.", "Write it like https://shop.example.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not _is_plain(text):
        raise SettingError("is not an absolute http(s) address.", "Write it like https://shop.example, in ASCII.")
    if "?" in text or "#" in text or "@" in parts.netloc:
        raise SettingError("has a query, a fragment or credentials.", "Write the address alone.")
    return parts._replace(netloc=parts.netloc.lower()).geturl()


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and "\\" not in text


def _origin(value: object) -> str:
    text = _address(value)
    if urlsplit(text).path:
        raise SettingError("has a path.", "Write scheme and host only; the paths come from your URLconf.")
    if urlsplit(text).scheme == "http" and not is_loopback(urlsplit(text).hostname or ""):
        raise SettingError("is plain http.", "Write https; plain http is for loopback addresses with a test key.")
    return text


def _target(value: object) -> str:
    text = _text(value)
    without = text.replace(PLACEHOLDER, "")
    if "{" in without or "}" in without:
        raise SettingError("has an unknown placeholder.", f"Only {PLACEHOLDER} is filled in.")
    if text and not text.startswith("/") and not urlsplit(text).netloc:
        raise SettingError("is neither a path nor an address.", f"Write it like /orders/{PLACEHOLDER}/.")
    if not text.isprintable() or " " in text:
        raise SettingError("contains white space or control characters.", f"Write it like /orders/{PLACEHOLDER}/.")
    return text


def _namespace(value: object) -> str:
    if value != "" and not NAMESPACE_PATTERN.fullmatch(_text(value)):
        raise SettingError("is not a namespace.", "Use 1 to 32 letters, digits and underscores.")
    return _text(value)


def _version(value: object) -> str:
    if value != "" and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _text(value)):
        raise SettingError("is not an API version.", "Write it like 2026-01-31, or leave it out.")
    return _text(value)


def _number(value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise SettingError("is not a number in range.", f"Write a number of seconds from {least:g} to {most:g}.")
    return float(value)


def _timeout(value: object) -> tuple[float, float]:
    pair = value if isinstance(value, list | tuple) else (value,)
    if len(pair) == 1:
        pair = (pair[0], pair[0])
    if len(pair) != 2:
        raise SettingError("is not a timeout.", "Write (connect seconds, answer seconds).")
    return _number(pair[0], 0.1, 60), _number(pair[1], 0.1, 60)


def _requests_per_minute(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 100_000:
        raise SettingError("is not a number of requests.", "Write an integer; 0 takes the contract's limit.")
    return value


def _entries(value: object, hint: str) -> list[str]:
    # A generator would be empty the second time it is read, and a string is a list of letters.
    if not isinstance(value, list | tuple | set | frozenset):
        raise SettingError("is not a list.", hint)
    return [_text(entry) for entry in value]


def _redirect_hosts(value: object) -> tuple[str, ...]:
    return _hosts(value, _HOST_AND_PORT, "Write names such as shop.example or shop.example:8443, no wildcards.")


def _hosted_page_hosts(value: object) -> tuple[str, ...]:
    return _hosts(value, _HOST, "Write names such as pay.example, no ports and no wildcards.")


def _hosts(value: object, pattern: re.Pattern[str], hint: str) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in _entries(value, 'Write a list of host names, such as ["shop.example"].'))
    if not all(pattern.fullmatch(host) for host in hosts):
        raise SettingError("has an entry that is not a host name.", hint)
    return hosts


def _webhook_secrets(value: object) -> tuple[Secret, ...]:
    secrets = tuple(Secret(entry) for entry in _entries(value, "Write a list of signing secrets, newest first."))
    if not all(entry.reveal().startswith("whsec_") for entry in secrets):
        raise SettingError("has an entry that is not a signing secret.", "Signing secrets begin with whsec_.")
    return secrets


def _exponents(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise SettingError("is not a dict.", 'Write it like {"HUF": 0}.')
    for currency, exponent in value.items():
        if type(exponent) is not int or not 0 <= exponent <= 6:
            raise SettingError("has an exponent that is not 0 to 6.", 'Write it like {"HUF": 0}.')
        try:
            exponent_of(currency)
        except MoneyError as error:
            raise SettingError(f"names a currency that is none: {error}.", "Use ISO 4217 codes.") from None
        if currency != currency.upper():
            raise SettingError("has a currency that is not in capitals.", 'Write it like {"HUF": 0}.')
    return dict(value)


def _ca_bundle(value: object) -> str:
    if _text(value) and not Path(_text(value)).exists():
        raise SettingError("names a file that does not exist.", "Write the path of a PEM file, or leave it out.")
    return _text(value)


def _optional_address(value: object) -> str:
    return "" if value == "" else _address(value)


SETTINGS: dict[str, Setting] = {
    "SECRET_KEY": Setting("secret_key", "E004", _secret_key, _REQUIRED),
    "BASE_URL": Setting("base_url", "E005", _origin, _REQUIRED),
    "CONTRACT": Setting("contract_name", "E006", _contract, "eu"),
    "API_URL": Setting("api_url", "E007", _optional_address, ""),
    "API_VERSION": Setting("api_version", "E008", _version, ""),
    "SUCCESS_URL": Setting("success_url", "E009", _target, ""),
    "FAILURE_URL": Setting("failure_url", "E010", _target, ""),
    "REDIRECT_HOSTS": Setting("redirect_hosts", "E011", _redirect_hosts, ()),
    "HOSTED_PAGE_HOSTS": Setting("hosted_page_hosts", "E012", _hosted_page_hosts, ()),
    "IDEMPOTENCY_NAMESPACE": Setting("idempotency_namespace", "E013", _namespace, ""),
    "TIMEOUT": Setting("timeout_seconds", "E014", _timeout, (3.05, 8.0)),
    "RETRY_BUDGET": Setting("retry_budget_seconds", "E015", lambda value: _number(value, 1, 300), 20.0),
    "BACKGROUND_RETRY_BUDGET": Setting(
        "background_retry_budget_seconds", "E016", lambda value: _number(value, 1, 900), 60.0
    ),
    "REQUESTS_PER_MINUTE": Setting("requests_per_minute", "E017", _requests_per_minute, 0),
    "CURRENCY_EXPONENTS": Setting("currency_exponents", "E018", _exponents, {}),
    "CA_BUNDLE": Setting("ca_bundle", "E019", _ca_bundle, ""),
    "PROXY": Setting("proxy", "E021", _optional_address, ""),
    "WEBHOOK_SECRETS": Setting("webhook_secrets", "E022", _webhook_secrets, ()),
    "ALERTS": Setting("alert_rules", "E037", alert_rules, {}),
    "RETENTION": Setting("retention", "E038", retention, {}),
}


def cross_faults(where: str, values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults between settings that are fine on their own."""
    contract = CONTRACTS[values["CONTRACT"]]
    livemode = contract.livemode_of(values["SECRET_KEY"].reveal())
    if livemode is None:
        prefixes = f"{contract.test_key_prefix} or {contract.live_key_prefix}"
        yield Fault(
            "E023",
            f"{where}['SECRET_KEY'] is not a key of contract {contract.name!r}.",
            f"Its keys begin with {prefixes}; check CONTRACT.",
        )
    api_url = values["API_URL"] or contract.api_url
    api = urlsplit(api_url)
    if api.scheme == "http" and (livemode or not is_loopback(api.hostname or "")):
        yield Fault(
            "E024", f"{where}['API_URL'] is plain http.", "Write https; http is for loopback with a test key only."
        )
    if livemode and urlsplit(values["BASE_URL"]).scheme == "http":
        yield Fault("E025", f"{where}['BASE_URL'] is plain http with a live key.", "Write the public https address.")
    yield from _target_faults(where, values)


def _target_faults(where: str, values: Mapping[str, Any]) -> Iterator[Fault]:
    for name in ("SUCCESS_URL", "FAILURE_URL"):
        target = values[name]
        if target and not is_own_address(target, base_url=values["BASE_URL"], hosts=values["REDIRECT_HOSTS"]):
            yield Fault(
                "E026",
                f"{where}[{name!r}] leads to a foreign host or to plain http.",
                f"Write a path, an address that begins with {values['BASE_URL']}, or add the host to REDIRECT_HOSTS.",
            )


def is_own_address(url: str, *, base_url: str, hosts: Iterable[str]) -> bool:
    """Tell whether a customer may be sent there: a path, or the shop's own hosts, https if the shop is."""
    base = urlsplit(base_url)
    # A relative path would lead to different places from the return view and from the waiting page.
    return url.lower().startswith(("/", "http://", "https://")) and url_has_allowed_host_and_scheme(
        url, allowed_hosts={base.netloc, *hosts}, require_https=base.scheme == "https"
    )
