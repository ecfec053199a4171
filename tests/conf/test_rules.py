"""Every setting's rule: values that pass, values that do not, and what the message must and must not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from django_flowlix import conf
from django_flowlix.conf.retention_rules import Retention
from django_flowlix.conf.rules import SETTINGS

TEST_KEY = "_".join(["fl", "test", "sk", "rulesOnly0123456789"])
LIVE_KEY = "_".join(["fl", "live", "sk", "rulesOnly0123456789"])
SIGNING_SECRET = "_".join(["whsec", "rulesOnly0123456789"])
VALID = {"SECRET_KEY": TEST_KEY, "BASE_URL": "https://shop.example"}

RULES = [
    "decline_rate",
    "server_errors",
    "no_answers",
    "latency",
    "rate_limited",
    "credentials_refused",
    "unconfirmed",
    "stuck",
    "needs_review",
    "notifications_failing",
    "sync_overdue",
    "no_sales",
]

GOOD: dict[str, list[tuple[object, object]]] = {
    "SECRET_KEY": [(TEST_KEY, TEST_KEY), (LIVE_KEY, LIVE_KEY)],
    "BASE_URL": [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost", "http://localhost"),
    ],
    "CONTRACT": [("eu", "eu"), ("dev", "dev")],
    "API_URL": [
        ("https://proxy.example/flowlix/", "https://proxy.example/flowlix"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
        ("", ""),
    ],
    "API_VERSION": [("2026-01-31", "2026-01-31"), ("", "")],
    "SUCCESS_URL": [("/thanks/", "/thanks/"), ("/o/{order_reference}/", "/o/{order_reference}/"), ("", "")],
    "FAILURE_URL": [("https://shop.example/sorry/", "https://shop.example/sorry/")],
    "REDIRECT_HOSTS": [
        (["www.shop.example", "Shop.Example:8443"], ("www.shop.example", "shop.example:8443")),
        ((), ()),
    ],
    "HOSTED_PAGE_HOSTS": [(["Pay.Example"], ("pay.example",)), (("pay.example",), ("pay.example",))],
    "IDEMPOTENCY_NAMESPACE": [("staging_2", "staging_2"), ("", ""), ("a" * 32, "a" * 32)],
    "TIMEOUT": [((2, 5), (2.0, 5.0)), ([3.05, 27], (3.05, 27.0)), (4, (4.0, 4.0)), ([4.0], (4.0, 4.0))],
    "RETRY_BUDGET": [(20, 20.0), (1, 1.0), (300, 300.0)],
    "BACKGROUND_RETRY_BUDGET": [(900, 900.0), (2.5, 2.5)],
    "REQUESTS_PER_MINUTE": [(0, 0), (250, 250)],
    "CURRENCY_EXPONENTS": [({"HUF": 0, "KWD": 2}, {"HUF": 0, "KWD": 2}), ({}, {})],
    "CA_BUNDLE": [(__file__, __file__), ("", "")],
    "PROXY": [("http://proxy.example:3128", "http://proxy.example:3128"), ("", "")],
    "WEBHOOK_SECRETS": [([SIGNING_SECRET], (SIGNING_SECRET,)), ([], ())],
    "ALERTS": [(dict.fromkeys(RULES), {})],
    "RETENTION": [
        ({}, Retention(calls_days=400, changes_days=None, alerts_days=400, personal_data_days=None)),
        (
            {"calls_days": 30, "changes_days": 3650, "alerts_days": None, "personal_data_days": 1},
            Retention(calls_days=30, changes_days=3650, alerts_days=None, personal_data_days=1),
        ),
    ],
}

TEXT_ONLY = [None, 7, b"bytes", ["list"]]
ADDRESSES = ["shop.example", "ftp://shop.example", "https://", "https://shop.example:port", "https://[::1"]
BAD: dict[str, list[object]] = {
    "SECRET_KEY": [
        *TEXT_ONLY,
        "",
        "  ",
        f"{TEST_KEY}\n",
        f" {TEST_KEY}",
        f"Bearer {TEST_KEY}",
        f"'{TEST_KEY}'",
        f'"{TEST_KEY}"',
        f"{TEST_KEY}\u200b",
        f"{TEST_KEY}\x00",
        "fl_test_sk_",
    ],
    "BASE_URL": [
        *TEXT_ONLY,
        *ADDRESSES,
        "",
        "http://shop.example",
        "https://shop.example/shop",
        "https://shop.example?x=1",
        "https://shop.example?",
        "https://shop.example#",
        "https://me:secret@shop.example",
        "https://@shop.example",
        "https://shop .example",
        "https://shop.example\n",
        "https://shop.example\\@evil.example",
        "https://bücher.example",
        "//shop.example",
    ],
    "CONTRACT": [None, ["eu"], {}, "EU", "g1", ""],
    "API_URL": [*TEXT_ONLY, *ADDRESSES, "https://api.example/?v=1"],
    "API_VERSION": [None, "2026-1-1", "latest", "2026-01-31\n", "\u0662\u0660\u0662\u0666-01-31"],
    "SUCCESS_URL": [
        None,
        "thanks",
        "javascript:alert(1)",
        "/o/{order}/",
        "/o/{order_reference!r}/",
        "/o/{",
        "/o/\r\nX: y",
        "/o o/",
    ],
    "FAILURE_URL": [None, "sorry", "/o/{0}/", "/o/}"],
    "REDIRECT_HOSTS": ["shop.example", None, ["*.shop.example"], ["https://shop.example"], [""], [" a"], [7], {"a": 1}],
    "HOSTED_PAGE_HOSTS": ["pay.example", ["pay.example:443"], ["pay.example/x"], (host for host in ["pay.example"])],
    "IDEMPOTENCY_NAMESPACE": [None, "a b", "a-b", "ü", "a" * 33, "a\n"],
    "TIMEOUT": ["8", (1, 2, 3), (), (0, 8), (3, 61), (True, 8), (3, float("nan")), None],
    "RETRY_BUDGET": [0, 301, "20", True, float("inf"), None],
    "BACKGROUND_RETRY_BUDGET": [0.5, 901, "60"],
    "REQUESTS_PER_MINUTE": [-1, 1.5, True, "100", 100_001],
    "CURRENCY_EXPONENTS": ["HUF=0", {"HUF": "0"}, {"HUF": 7}, {"HUF": True}, {"XYZ": 2}, {"huf": 0}, {5: 2}, {"": 1}],
    "CA_BUNDLE": [None, "/no/such/file.pem"],
    "PROXY": ["proxy.example", "http://user:password@proxy.example", "socks5://proxy.example", None],
    "WEBHOOK_SECRETS": [SIGNING_SECRET, ["not-a-signing-secret"], [7], None],
    "ALERTS": [
        None,
        [],
        "decline_rate",
        {"decline_rates": {}},
        {7: {}},
        {"decline_rate": 0.4},
        {"decline_rate": {"treshold": 0.4}},
        {"decline_rate": {"threshold": "0.4"}},
        {"decline_rate": {"threshold": 40}},
        {"decline_rate": {"threshold": 0}},
        {"decline_rate": {"threshold": float("nan")}},
        {"decline_rate": {"threshold": True}},
        {"decline_rate": {"minimum": 2.5}},
        {"decline_rate": {"window_minutes": 1}},
        {"decline_rate": {"clear_ratio": 1.1}},
        {"rate_limited": {"spike_factor": 2}},
        {"unconfirmed": {"window_minutes": 15}},
        {"latency": {"threshold": float("inf")}},
        {"latency": {"threshold": 31}},
        {"decline_rate": {"spike_floor": 0}},
    ],
    "RETENTION": [
        None,
        400,
        {"calls": 30},
        {"calls_days": 0},
        {"calls_days": 1.5},
        {"calls_days": True},
        {"calls_days": "30"},
        {"calls_days": 40000},
    ],
}


def faults_of(settings: Any, **changes: object) -> list[conf.Fault]:
    settings.FLOWLIX = {"default": VALID | changes}
    return list(conf.faults())


def account_with(settings: Any, **changes: object) -> conf.Account:
    settings.FLOWLIX = {"default": VALID | changes}
    return conf.account()


def cases(table: Mapping[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, value, id=f"{name}-{number}")
        for name, values in table.items()
        for number, value in enumerate(values)
    ]


def test_every_setting_has_good_and_bad_values_here() -> None:
    assert set(GOOD) == set(BAD) == set(SETTINGS)


def test_every_setting_has_a_check_id_of_its_own() -> None:
    ids = [setting.check_id for setting in SETTINGS.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("name", "case"), cases(GOOD))
def test_a_good_value_is_read(settings: Any, name: str, case: tuple[object, object]) -> None:
    value, expected = case
    account = account_with(settings, **{name: value})
    found = getattr(account, SETTINGS[name].field)
    assert found == expected
    assert type(found) is type(expected) or name in ("SECRET_KEY", "CURRENCY_EXPONENTS")


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_k4_a_bad_value_is_refused_under_its_id_and_never_quoted(settings: Any, name: str, value: object) -> None:
    (fault,) = faults_of(settings, **{name: value})
    assert fault.check_id == SETTINGS[name].check_id
    assert fault.is_error
    assert fault.message.startswith(f"FLOWLIX['default']['{name}'] ")
    assert len(fault.hint) > 10
    shown = f"{fault.message} {fault.hint}"
    for secret in ("rulesOnly", "password", "me:secret", "not-a-signing-secret"):
        assert secret not in shown


@pytest.mark.parametrize("name", ["SECRET_KEY", "BASE_URL"])
def test_a_required_setting_that_is_missing(settings: Any, name: str) -> None:
    settings.FLOWLIX = {"default": {key: value for key, value in VALID.items() if key != name}}
    (fault,) = conf.faults()
    assert fault.check_id == SETTINGS[name].check_id
    assert "is missing" in fault.message


def test_what_is_left_out_has_a_default(settings: Any) -> None:
    account = account_with(settings)
    assert (account.contract_name, account.livemode) == ("eu", False)
    assert (account.timeout_seconds, account.retry_budget_seconds) == ((3.05, 8.0), 20.0)
    assert account.background_retry_budget_seconds == 60.0
    assert (account.success_url, account.redirect_hosts, account.webhook_secrets) == ("", (), ())


@pytest.mark.parametrize(
    ("changes", "check_id", "words"),
    [
        ({"SECRET_KEY": "api_test_sk_" + "x" * 16}, "E023", "fl_test_sk_ or fl_live_sk_"),
        ({"SECRET_KEY": "sk_test_" + "x" * 16}, "E023", "check CONTRACT"),
        ({"API_URL": "http://api.example"}, "E024", "Write https"),
        ({"SECRET_KEY": LIVE_KEY, "API_URL": "http://127.0.0.1:8900"}, "E024", "Write https"),
        ({"SECRET_KEY": LIVE_KEY, "BASE_URL": "http://127.0.0.1:8000"}, "E025", "public https address"),
        ({"SUCCESS_URL": "https://evil.example/thanks/"}, "E026", "REDIRECT_HOSTS"),
        ({"FAILURE_URL": "//evil.example/"}, "E026", "REDIRECT_HOSTS"),
        ({"FAILURE_URL": "/\\evil.example/"}, "E026", "https://shop.example"),
        ({"SUCCESS_URL": "http://shop.example/thanks/"}, "E026", "plain http"),
        ({"SUCCESS_URL": "https://shop.example.evil.example/"}, "E026", "FLOWLIX['default']['SUCCESS_URL']"),
    ],
)
def test_k2_settings_that_do_not_go_together(
    settings: Any, changes: dict[str, object], check_id: str, words: str
) -> None:
    (fault,) = faults_of(settings, **changes)
    assert fault.check_id == check_id
    assert words in f"{fault.message} {fault.hint}"
    assert "rulesOnly" not in f"{fault.message} {fault.hint}"


@pytest.mark.parametrize(
    "changes",
    [
        {"SECRET_KEY": LIVE_KEY},
        {"API_URL": "http://localhost:8900", "BASE_URL": "http://localhost:8000"},
        {"SUCCESS_URL": "https://www.shop.example/thanks/", "REDIRECT_HOSTS": ["www.shop.example"]},
        {"BASE_URL": "http://127.0.0.1:8000", "SUCCESS_URL": "http://127.0.0.1:8000/thanks/"},
    ],
)
def test_settings_that_go_together(settings: Any, changes: dict[str, object]) -> None:
    assert faults_of(settings, **changes) == []
