"""What is taken for a key: one of any contract, configured ones above all; not what only looks like one."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from django_flowlix.checklist.project.keys import Found, KeySearch, reads_made_up
from django_flowlix.conf import account, accounts
from tests.checklist.project.keys import HOOK, LIVE_KEY, NEW_LIVE_KEY, NEW_TEST_KEY, TEST_KEY


def found_in(text: str) -> list[Found]:
    return list(KeySearch(account(), accounts()).keys_in(text))


@pytest.fixture(autouse=True)
def _configured(emulator: Any) -> None:
    """The account has another key than the texts here."""


@pytest.mark.parametrize(
    ("key", "live"),
    [(TEST_KEY, False), (LIVE_KEY, True), (NEW_TEST_KEY, False), (NEW_LIVE_KEY, True), (HOOK, None)],
)
def test_keys_of_every_contract_are_found_with_their_line_and_mode(key: str, live: bool | None) -> None:
    (found,) = found_in(f'first\nsecond\nSECRET = "{key}";\n')
    assert (found.line, found.live, found.is_own, found.is_made_up) == (3, live, False, False)
    assert found.is_webhook_secret is (key is HOOK)


@pytest.mark.parametrize("key", [TEST_KEY, LIVE_KEY, NEW_LIVE_KEY, HOOK])
@pytest.mark.parametrize("beside", ["", "\n", ":"])
def test_keys_are_found_in_base64(key: str, beside: str) -> None:
    encoded = base64.b64encode(f"{key}{beside}".encode()).decode()
    (found,) = found_in(f"data:\n  key: {encoded}\n")
    assert (found.line, found.is_made_up) == (2, False)


def test_all_keys_of_a_line_are_found() -> None:
    assert [found.live for found in found_in(f"{TEST_KEY},{LIVE_KEY}")] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key at all",
        "fl_live_sk_…",
        "fl_live_sk_...",
        "fl_live_sk_****",
        "fl_test_sk_<your key>",
        "fl_test_sk_{tail}",
        "fl_live_sk_",
        "fl_live_sk_%s",
        "whsec_…,whsec_…",
        "starts with fl_test_sk_ or api_live_sk_",
        base64.b64encode(b"fl_live_sk_...").decode(),
        "FL_LIVE_SK_Xv3T8bYw6KsPd1QmJr5g",
    ],
)
def test_prefixes_alone_are_no_keys(text: str) -> None:
    assert found_in(text) == []


@pytest.mark.parametrize(
    "tail",
    [
        *("xxxxxxxxxxxxxxxxxxxxxxxx", "XXXXXXXX", "0000000000000000", "ababababab", "123456789012", "abcdefghijklmnop"),
        *("0123456789abcdef", "for_the_emulator_only", "onlyForTheEmulator", "YOUR_KEY_HERE", "your-secret-key-2024"),
        *("placeholder", "changeme123", "anySixteenCharactersOrMore"),
        *("YOURLIVEKEYYOURLIVEKEY", "yoursecretkeyhere", "51HxxxxxxxxxxxxxxxY", "ABC123XYZ789ABC123XYZ789"),
        *("insertkeyhere", "INSERTLIVEKEY2024", "YourKeyFromTheDashboard", "replaceThisByYours1", "myApiKey1234567890"),
    ],
)
def test_what_a_person_made_up_is_known(tail: str) -> None:
    assert reads_made_up(tail)


@pytest.mark.parametrize(
    "tail",
    [
        *("q7Zp2LmW9xKc4RtB8nHd", "4eC39HqLyjWDarjtT1zdp7dc", "a8f5f167f44f4964e6c998dee827110c", "kqzvwxrtplmn"),
        *("aHxEreqT7Zp2LmW9xKc4", "k3y0urS3cr3tP7Lm2wQz", "eeeeeee7Zp2LmW9xKc4R"),
        *("Xv3T8bYw", "uH-3_kPq9Lz", "QWRTPSDFGHJKLZXC", "zk4j2h9d8s7f6g5q", "aVeryLongSinglewordthatgoesonandon7"),
    ],
)
def test_what_is_drawn_at_random_is_not(tail: str) -> None:
    assert not reads_made_up(tail)


@pytest.mark.parametrize(("tail", "is_made_up"), [("q7Zp2LmW9xKc4Rt", True), ("q7Zp2LmW9xKc4RtB", False)])
def test_what_is_shorter_than_any_key_is_none(tail: str, is_made_up: bool) -> None:
    assert [found.is_made_up for found in found_in(f"fl_live_sk_{tail}")] == [is_made_up]


def test_a_configured_key_may_be_short(settings: Any) -> None:
    key = "_".join(["fl", "test", "sk", "q7Zp2LmW9"])
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": key}}
    assert [found.is_made_up for found in found_in(key)] == [False]


@pytest.mark.parametrize("text", ['"fl_live_" "sk_" + "{}"', '"_".join(["fl", "live", "sk", "{}"])', "KEY_END={}"])
def test_a_configured_key_in_pieces_is_found_by_its_end(settings: Any, text: str) -> None:
    assert found_in(text.format(LIVE_KEY[-20:])) == []
    settings.FLOWLIX = {"default": {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example"}}
    assert [(found.is_own, found.live) for found in found_in(text.format(LIVE_KEY[-20:]))] == [(True, True)]


def test_words_are_not_taken_for_the_end_of_a_key() -> None:
    """The account's key ends in words here."""
    assert found_in(account().secret_key.reveal().removeprefix("fl_test_sk_")) == []


def test_the_accounts_own_key_is_known(settings: Any) -> None:
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": TEST_KEY}}
    assert [found.is_own for found in found_in(f"{TEST_KEY}\n{TEST_KEY}x\n{LIVE_KEY}")] == [True, True, False]


def test_a_configured_live_key_is_one_whatever_it_reads_like(settings: Any) -> None:
    key = "_".join(["fl", "live", "sk", "for_the_shop_only"])
    assert [found.is_made_up for found in found_in(key)] == [True]
    settings.FLOWLIX = {"default": {"SECRET_KEY": key, "BASE_URL": "https://shop.example"}}
    assert [(found.is_made_up, found.live) for found in found_in(key)] == [(False, True)]


def test_a_configured_key_is_found_though_it_has_another_form(settings: Any) -> None:
    key = "_".join(["fl", "test", "sk", "a+b/c"])
    assert found_in(key) == []
    settings.FLOWLIX = {"default": settings.FLOWLIX["default"] | {"SECRET_KEY": key}}
    assert [found.is_own for found in found_in(f"key={key}")] == [True]


def test_the_secrets_of_other_accounts_have_their_mode(settings: Any) -> None:
    other = {"SECRET_KEY": LIVE_KEY, "BASE_URL": "https://shop.example", "WEBHOOK_SECRETS": [HOOK]}
    settings.FLOWLIX = settings.FLOWLIX | {"berlin": other}
    assert [(found.is_own, found.live) for found in found_in(f"{HOOK} {LIVE_KEY}")] == [(False, True), (False, True)]


COMMENTS = ["# flowlix: allow-key", "// flowlix:allow-key", "<!-- Pragma: allowlist secret -->"]


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_comment_lets_a_test_key_pass(comment: str) -> None:
    assert [found.is_allowed for found in found_in(f"{TEST_KEY} {comment}")] == [True]
    assert [found.is_allowed for found in found_in(f"{comment}\n{TEST_KEY}")] == [True]
    assert [found.is_allowed for found in found_in(f"{comment}\n\n{TEST_KEY}\n{comment}")] == [False]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("key", [LIVE_KEY, NEW_LIVE_KEY])
def test_no_comment_lets_a_live_key_pass(comment: str, key: str) -> None:
    assert [found.is_allowed for found in found_in(f"{key} {comment}")] == [False]


def test_a_find_does_not_hold_the_key() -> None:
    (found,) = found_in(LIVE_KEY)
    assert LIVE_KEY[-20:] not in repr(found)
