"""The FLOWLIX setting as a whole: its shape, its accounts, and what is never shown of them."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings
from django.views.debug import get_exception_reporter_filter

from django_flowlix import conf

SENTINEL = "neverShownAnywhere42"
TEST_KEY = "_".join(["fl", "test", "sk", SENTINEL])
OTHER_KEY = "_".join(["fl", "test", "sk", "other" + SENTINEL])
ONE = {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}


@pytest.mark.parametrize("value", [None, {}, [], "default", 7])
def test_e001_the_setting_is_missing_or_no_dict(settings: Any, value: object) -> None:
    settings.FLOWLIX = value
    (fault,) = conf.faults()
    assert fault.check_id == "E001"
    assert "accounts_from_env()" in fault.hint


def test_e001_the_setting_does_not_exist(settings: Any) -> None:
    del settings.FLOWLIX
    assert [fault.check_id for fault in conf.faults()] == ["E001"]


@pytest.mark.parametrize("accounts", [{"SECRET_KEY": TEST_KEY}, {7: ONE}, {"": ONE}, {"a" * 65: ONE}, {"default": []}])
def test_e002_an_account_is_no_dict_of_settings(settings: Any, accounts: dict[Any, object]) -> None:
    settings.FLOWLIX = accounts
    (fault,) = conf.faults()
    assert fault.check_id == "E002"
    assert '{"default": {...}}' in fault.hint
    assert SENTINEL not in fault.message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("SUCESS_URL", "Did you mean SUCCESS_URL?"),
        ("secret_key", "Did you mean SECRET_KEY?"),
        ("COLOUR", "Known settings: SECRET_KEY, "),
        (7, "Known settings: "),
    ],
)
def test_e003_an_unknown_setting_gets_a_suggestion(settings: Any, name: object, hint: str) -> None:
    settings.FLOWLIX = {"default": ONE | {name: "x"}}
    (fault,) = conf.faults()
    assert fault.check_id == "E003"
    assert repr(str(name)) in fault.message
    assert fault.hint.startswith(hint)


def test_e003_a_secret_written_as_a_name_is_masked(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE | {TEST_KEY: "x"}}
    (fault,) = conf.faults()
    assert fault.check_id == "E003"
    assert SENTINEL not in fault.message


def test_e020_two_accounts_with_one_key_need_namespaces(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE, "berlin": dict(ONE)}
    (fault,) = conf.faults()
    assert fault.check_id == "E020"
    assert "'berlin'" in fault.message
    assert "'default'" in fault.message
    assert "IDEMPOTENCY_NAMESPACE" in fault.hint
    settings.FLOWLIX = {"default": ONE, "berlin": ONE | {"IDEMPOTENCY_NAMESPACE": "berlin"}}
    assert list(conf.faults()) == []


def test_every_fault_is_named_at_once(settings: Any) -> None:
    settings.FLOWLIX = {"default": {"SECRET_KEY": f"{TEST_KEY} ", "TIMEOUT": 0, "COLOUR": "red"}, "berlin": None}
    with pytest.raises(ImproperlyConfigured) as raised:
        conf.account()
    text = str(raised.value)
    for word in ("SECRET_KEY", "white space", "BASE_URL", "is missing", "TIMEOUT", "COLOUR", "berlin"):
        assert word in text
    assert SENTINEL not in text


def test_accounts_are_found_by_name(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE, "berlin": {"SECRET_KEY": OTHER_KEY, "BASE_URL": "https://berlin.example"}}
    assert list(conf.accounts()) == ["default", "berlin"]
    assert conf.account("berlin").base_url == "https://berlin.example"
    with pytest.raises(ImproperlyConfigured, match="no account 'paris': write one of 'default', 'berlin'"):
        conf.account("paris")


def test_the_setting_is_read_again_when_it_changes() -> None:
    with override_settings(FLOWLIX={"default": ONE}):
        assert conf.account().base_url == "https://shop.example"
        with override_settings(FLOWLIX={"default": ONE | {"BASE_URL": "https://new.example"}}):
            assert conf.account().base_url == "https://new.example"
        assert conf.account().base_url == "https://shop.example"


def test_the_mode_follows_from_the_key(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE}
    assert conf.account().livemode is False
    settings.FLOWLIX = {"default": ONE | {"SECRET_KEY": TEST_KEY.replace("test", "live")}}
    assert conf.account().livemode is True


def test_a_fingerprint_tells_keys_apart_and_says_nothing(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE, "berlin": ONE | {"SECRET_KEY": OTHER_KEY}}
    first, second = (conf.account(alias).api_key_fingerprint for alias in ("default", "berlin"))
    assert first != second
    assert len(first) == 16
    assert SENTINEL not in first


def test_l2_an_account_shows_no_secret(settings: Any) -> None:
    settings.FLOWLIX = {"default": ONE | {"WEBHOOK_SECRETS": [f"whsec_{SENTINEL}"]}}
    account = conf.account()
    shown = [repr(account), str(account), f"{account}", repr(account.webhook_secrets), str(account.secret_key)]
    assert SENTINEL not in "".join(shown)
    assert account.secret_key.reveal() == TEST_KEY


def test_l7_neither_diffsettings_nor_an_error_page_shows_secrets_from_the_environment(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET_KEY", TEST_KEY)
    monkeypatch.setenv("SHOP_WEBHOOK_SECRETS", f"whsec_{SENTINEL},whsec_2{SENTINEL}")
    settings.FLOWLIX = conf.accounts_from_env("SHOP_")
    printed = StringIO()
    call_command("diffsettings", all=True, stdout=printed)
    assert "FLOWLIX = " in printed.getvalue()
    assert SENTINEL not in printed.getvalue()
    error_page = get_exception_reporter_filter(None).get_safe_settings()  # type: ignore[arg-type]
    assert SENTINEL not in repr(error_page["FLOWLIX"])
    assert SENTINEL not in json.dumps(error_page["FLOWLIX"], default=repr)
