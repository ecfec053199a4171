"""`accounts_from_env`: variables, files that hold secrets, and values nobody can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_flowlix import conf
from django_flowlix.api import Secret
from django_flowlix.conf.rules import SETTINGS

KEY = "_".join(["fl", "test", "sk", "fromTheEnvironment"])


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(f"FLOWLIX_{name}", raising=False)
        monkeypatch.delenv(f"FLOWLIX_{name}_FILE", raising=False)


def test_nothing_set_reads_nothing_and_the_check_names_what_is_missing(settings: Any) -> None:
    settings.FLOWLIX = conf.accounts_from_env()
    assert settings.FLOWLIX == {"default": {}}
    assert [fault.check_id for fault in conf.faults()] == ["E004", "E005"]


def test_every_setting_has_a_variable(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {
        "SECRET_KEY": KEY,
        "BASE_URL": "https://shop.example",
        "CONTRACT": "eu",
        "API_URL": "https://proxy.example/flowlix",
        "API_VERSION": "2026-01-31",
        "SUCCESS_URL": "/thanks/{order_reference}/",
        "FAILURE_URL": "/sorry/",
        "REDIRECT_HOSTS": "www.shop.example, m.shop.example",
        "HOSTED_PAGE_HOSTS": "pay.example",
        "IDEMPOTENCY_NAMESPACE": "staging",
        "TIMEOUT": "2.5, 9",
        "RETRY_BUDGET": "15",
        "BACKGROUND_RETRY_BUDGET": "1e2",
        "REQUESTS_PER_MINUTE": "250",
        "CURRENCY_EXPONENTS": "HUF=0,ISK=0",
        "CA_BUNDLE": __file__,
        "PROXY": "http://proxy.example:3128",
        "WEBHOOK_SECRETS": "whsec_new,whsec_old",
        "ALERTS": "decline_rate.threshold=0.4, decline_rate.minimum=50,latency=off",
        "RETENTION": "calls_days=180,alerts_days=never",
    }
    assert set(written) == set(SETTINGS)
    for name, text in written.items():
        monkeypatch.setenv(f"FLOWLIX_{name}", text)
    settings.FLOWLIX = conf.accounts_from_env()
    account = conf.account()
    assert account.secret_key == KEY
    assert account.redirect_hosts == ("www.shop.example", "m.shop.example")
    assert account.timeout_seconds == (2.5, 9.0)
    assert (account.retry_budget_seconds, account.background_retry_budget_seconds) == (15.0, 100.0)
    assert (account.requests_per_minute, account.currency_exponents) == (250, {"HUF": 0, "ISK": 0})
    assert account.webhook_secrets == ("whsec_new", "whsec_old")
    assert (account.idempotency_namespace, account.ca_bundle) == ("staging", __file__)
    assert (account.alert_rules["decline_rate"].threshold, account.alert_rules["decline_rate"].minimum) == (0.4, 50)
    assert "latency" not in account.alert_rules
    assert (account.retention.calls_days, account.retention.alerts_days) == (180, None)


def test_secrets_are_wrapped_as_soon_as_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", KEY)
    monkeypatch.setenv("FLOWLIX_WEBHOOK_SECRETS", "whsec_fromTheEnvironment")
    values = conf.accounts_from_env()["default"]
    assert isinstance(values["SECRET_KEY"], Secret)
    assert "fromTheEnvironment" not in repr(values)


def test_a_variable_that_is_empty_keeps_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWLIX_TIMEOUT", "")
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", "")
    assert conf.accounts_from_env() == {"default": {}}


def test_a_file_holds_the_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"\ufeff{KEY}\r\n", encoding="utf-8")
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", str(file))
    assert conf.accounts_from_env()["default"]["SECRET_KEY"].reveal() == KEY


def test_two_prefixes_make_two_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWLIX_BASE_URL", "https://shop.example")
    monkeypatch.setenv("FLOWLIX_BERLIN_BASE_URL", "https://berlin.example")
    both = conf.accounts_from_env() | conf.accounts_from_env("FLOWLIX_BERLIN_", "berlin")
    assert both == {
        "default": {"BASE_URL": "https://shop.example"},
        "berlin": {"BASE_URL": "https://berlin.example"},
    }


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("TIMEOUT", "3s,8s", "3.05,8"),
        ("TIMEOUT", "3;8", "3.05,8"),
        ("RETRY_BUDGET", "20s", "20"),
        ("RETRY_BUDGET", "1,5", "20"),
        ("BACKGROUND_RETRY_BUDGET", "one minute", "60"),
        ("REQUESTS_PER_MINUTE", "100.0", "100"),
        ("REQUESTS_PER_MINUTE", "hundred", "100"),
        ("CURRENCY_EXPONENTS", "HUF", "HUF=0,ISK=0"),
        ("CURRENCY_EXPONENTS", "HUF=none", "HUF=0,ISK=0"),
        ("CURRENCY_EXPONENTS", "HUF=0;ISK=0", "HUF=0,ISK=0"),
    ],
)
def test_rubbish_is_refused_with_the_form_to_write(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, form: str
) -> None:
    monkeypatch.setenv(f"FLOWLIX_{name}", text)
    with pytest.raises(ImproperlyConfigured) as raised:
        conf.accounts_from_env()
    assert str(raised.value) == f"FLOWLIX_{name} cannot be read. Write it like {form}."
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "FileNotFoundError"), (b"\xff\xfe\x00", "UnicodeDecodeError"), (b"", "empty file"), (b" \n", "empty file")],
)
def test_a_secret_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "fl_test_sk_writtenHereByMistake"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match=words) as raised:
        conf.accounts_from_env()
    assert str(raised.value).startswith("FLOWLIX_SECRET_KEY_FILE ")
    assert "writtenHereByMistake" not in str(raised.value)


def test_a_value_and_a_file_are_one_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWLIX_SECRET_KEY", KEY)
    monkeypatch.setenv("FLOWLIX_SECRET_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ImproperlyConfigured, match="FLOWLIX_SECRET_KEY and FLOWLIX_SECRET_KEY_FILE are both set"):
        conf.accounts_from_env()
