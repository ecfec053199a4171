"""What must never be shown is found however it is spelled; what is no card number is left alone."""

from __future__ import annotations

import random
import re
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_flowlix.api.redaction import contains_card_number, looks_like_phone, mask, one_line


def luhn_completed(body: str) -> str:
    """Return `body` with its check digit (ISO/IEC 7812-1 annex B), by trying all ten."""
    for check in "0123456789":
        digits = [int(digit) for digit in reversed(body + check)]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        if (sum(digits[::2]) + sum(doubled)) % 10 == 0:
            return body + check
    raise AssertionError("one of ten digits always fits")


# Test numbers as the card schemes and large processors publish them.
PUBLISHED = [
    "4242424242424242", "4111111111111111", "4000000000000002", "4000000000009995",
    "4222222222222", "4635440000002223", "5555555555554444", "5105105105105100",
    "2223003122003222", "2720994326581252", "378282246310005", "371449635398431",
    "30569309025904", "38520000023237", "36227206271667", "6011111111111117", "6011000990139424",
    "3530111333300000", "3566002020360505", "6200000000000005", "6205500000000000004",
    "6304000000000000", "6759649826438453", "5000550000000029", "2200000000000004",
]  # fmt: skip
ISSUERS = [
    "4", "51", "55", "2221", "2300", "2720", "34", "37", "36", "38", "39", "300", "305", "3095",
    "6011", "644", "649", "65", "62", "3528", "3589", "2200", "2204", "50", "56", "57", "58",
    "63", "67",
]  # fmt: skip
FOREIGN = [
    "0", "1", "21", "2199", "2205", "2220", "2721", "29", "31", "306", "3094", "3096", "3527",
    "3590", "59", "60", "6010", "6012", "61", "643", "66", "68", "7", "8", "9",
]  # fmt: skip

cards = st.sampled_from(PUBLISHED)
SEPARATORS = " -./\\\n\t\u00a0\u200b\u2011\u2013\u2212·_*,:;|()[]'\"+#\x00🙂\ufe0f\ud800"
separators = st.text(alphabet=SEPARATORS, min_size=1)
zeros = st.sampled_from([ord("0"), 0x660, 0x6F0, 0x966, 0xFF10, 0x1D7CE])


def written_in(digits: str, zero: int) -> str:
    """Return ASCII digits in another script, whose zero is the code point `zero`."""
    return "".join(chr(zero + int(digit)) for digit in digits)


@pytest.mark.parametrize("number", PUBLISHED)
def test_l3_published_test_numbers_are_found_and_masked(number: str) -> None:
    assert contains_card_number(number)
    assert mask(f"card {number}, thanks") == f"card ****{number[-4:]}, thanks"


@pytest.mark.parametrize("issuer", ISSUERS)
def test_l3_every_issuer_at_every_length(issuer: str) -> None:
    for length in range(13, 20):
        number = luhn_completed(issuer.ljust(length - 1, "7"))
        assert len(number) == length
        assert contains_card_number(number), number
        wrong_check_digit = number[:-1] + str((int(number[-1]) + 1) % 10)
        assert not contains_card_number(wrong_check_digit), wrong_check_digit


@pytest.mark.parametrize("issuer", FOREIGN)
def test_l4_numbers_of_no_issuer_are_left_alone(issuer: str) -> None:
    for length in range(13, 20):
        assert not contains_card_number(luhn_completed(issuer.ljust(length - 1, "7")))


def test_l4_twelve_and_twenty_digits_are_no_card() -> None:
    for length in (12, 20, 40):
        number = luhn_completed("4".ljust(length - 1, "7"))
        assert not contains_card_number(number)
        assert mask(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "4242/4242/4242/4242",
        "4242\u00a04242\u00a04242\u00a04242",
        "4242\u200b4242\u200b4242\u200b4242",
        "4242\u20114242\u20134242\u22124242",
        "4242\n4242\r\n4242\n4242",
        "4242 🙂 4242 🙂 4242 🙂 4242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "4\ufe0f\u20e32 42 4242 4242 4242",
        "4242\uff14\uff12\uff14\uff124242-4242",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "order4242424242424242paid",
        "4242 4242 4242 4242 12/28 123",
        "1 4242424242424242",
        "5 4242-4242-4242-4242 99",
        "12345678901234567890123 4242424242424242",
        "4242424242424242 2025-06-30",
        "2025-06-30 4242424242424242",
        "4242\x004242\ud8004242_4242",
        '{"note": "4242424242424242"}',
    ],
)
def test_l3_spellings(text: str) -> None:
    assert contains_card_number(text)
    assert "****4242" in mask(text)
    assert not contains_card_number(mask(text))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4242 4242 4242 4242 12/27 123", "****4242 12/27 123"),
        ("1 4242-4242-4242-4242", "1 ****4242"),
        ("a4242424242424242b", "a****4242b"),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "****4242"),
        ("4242424242424242, 5555555555554444", "****4242, ****4444"),
    ],
)
def test_l3_only_the_number_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_an_ambiguous_end_shows_neither_reading() -> None:
    whole = luhn_completed("424242424242424212")
    assert mask(f"{whole[:16]} {whole[16:]}") == "****4242"


def test_the_four_digits_that_stay_form_no_number_with_what_follows() -> None:
    tail = luhn_completed("424212345678")[4:]
    text = f"4242424242424242 {tail}"
    assert mask(text) == "****4242"
    assert mask(f"4242424242424242 {tail[:-1]}x") == f"****4242 {tail[:-1]}x"


def test_a_card_number_may_begin_end_or_run_through_what_looks_like_a_date() -> None:
    begins = luhn_completed("3012202412345")
    ends = luhn_completed("424242423012202")
    assert contains_card_number(f"30-12-2024-{begins[8:]}")
    assert contains_card_number(f"4242-4242-30-12-{ends[12:]}")
    assert contains_card_number("2223-0-03-12-2003-222")


@given(cards, st.data(), zeros)
def test_l3_any_grouping_any_separators_any_script(number: str, data: st.DataObject, zero: int) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(number) - 1), max_size=len(number))))
    groups = [number[start:end] for start, end in zip([0, *cuts], [*cuts, len(number)], strict=True)]
    text = groups[0] + "".join(data.draw(separators) + group for group in groups[1:])
    text = "".join(written_in(char, zero) if char in "0123456789" else char for char in text)
    assert contains_card_number(text)
    assert not contains_card_number(mask(text))


@given(st.text(alphabet="0123456789 -.a*", max_size=120))
@example("4242424242424242 4242424242424242 4242424242424242")
@example("****4242 4242 4242 4242")
@example("4242****4242****4242****4242")
def test_masking_leaves_no_card_number_and_masks_once(text: str) -> None:
    masked = mask(text)
    assert not contains_card_number(masked)
    assert mask(masked) == masked
    assert (masked == text) == (not contains_card_number(text))


@given(st.text() | st.text(alphabet="\ud800\udfff\x00٣4🙂 -", max_size=60))
def test_total_over_every_text(text: str) -> None:
    assert isinstance(contains_card_number(text), bool)
    assert isinstance(looks_like_phone(text), bool)
    assert not contains_card_number(mask(text))
    assert len(one_line(text, 40)) <= 40


def test_l4_random_order_numbers_match_rarely() -> None:
    chance = random.Random(20_250_330)
    numbers = [f"{chance.randrange(10**16):016}" for _ in range(20_000)]
    # Prefixes cover 34.9 % of all numbers and the check digit lets one in ten of them pass.
    assert 0.031 < sum(map(contains_card_number, numbers)) / len(numbers) < 0.039


def test_l4_epoch_milliseconds_never_match() -> None:
    for year in range(2001, 2036):
        start = int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)
        assert not any(contains_card_number(f"at {start + step * 86_399_989} ms") for step in range(365))


def test_l4_uuids_never_match() -> None:
    chance = random.Random(4)
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(30_000)]
    digits_only = ["".join(chance.choice("0123456789") for _ in range(32)) for _ in range(5_000)]
    ids += [str(uuid.UUID(text, version=4)) for text in digits_only]
    assert [text for text in ids if contains_card_number(text) or mask(text) != text] == []


@pytest.mark.parametrize(
    "written",
    [
        lambda t: t.isoformat(),
        lambda t: str(t),
        lambda t: t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        lambda t: f"{t:%Y-%m-%d}  /  {t + timedelta(days=400):%Y-%m-%d}",
        lambda t: f"{t:%d.%m.%Y %H:%M:%S}",
        lambda t: f"{t:%d/%m/%Y} - {t + timedelta(days=400):%d/%m/%Y}",
        lambda t: f"{t:%Y%m%d%H%M%S}",
        lambda t: f"[{t:%Y-%m-%d %H:%M:%S,%f}]",
    ],
)
def test_l4_dates_and_times_never_match(written: Callable[[datetime], str]) -> None:
    chance = random.Random(7)
    zone = timezone(timedelta(hours=2))
    start, years = datetime(2000, 1, 1, tzinfo=zone), timedelta(days=35 * 365)
    times = [start + years * chance.random() for _ in range(3_000)]
    assert [text for text in map(written, times) if contains_card_number(text)] == []


TAIL = "Ab3" * 8


@pytest.mark.parametrize("prefix", ["fl_test_sk_", "fl_live_sk_", "api_test_sk_", "api_live_sk_", "whsec_"])
def test_l6_keys_keep_their_prefix_only(prefix: str) -> None:
    assert mask(f"bad key '{prefix}{TAIL}'!") == f"bad key '{prefix}****'!"
    assert mask(f"x{prefix}{TAIL}+/=.-_~9 end") == f"x{prefix}**** end"
    assert TAIL not in mask(f"[{prefix}{TAIL}, {prefix}4242424242424242]")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_l6_bearer_tokens_are_masked_whatever_they_look_like(scheme: str) -> None:
    assert mask(f"Authorization: {scheme} {TAIL}") == f"Authorization: {scheme} ****"
    assert mask(f"b'{scheme}  fl_test_sk_{TAIL}'") == f"b'{scheme}  ****'"


def test_l6_masked_secrets_stay_as_they_are() -> None:
    for text in ("Bearer ****", "fl_test_sk_****", "whsec_", "card ****4242", "the fl_test_sk_ prefix", ""):
        assert mask(text) == text


PIECES = ["Bearer ", "bearer\t", "fl_live_sk_", "api_test_sk_", "whsec_", "4242424242424242", "4242 ", "ab", "****"]
PIECES += [" ", ",", "'", "-", "2025-06-30", "\n", "7"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_l6_masking_twice_changes_nothing(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    assert not re.search(r"(_sk_|whsec_|\b[Bb]earer\s+)[A-Za-z0-9]", masked)
    assert not contains_card_number(masked)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+4930901820", True),
        ("+49 (30) 901-820", True),
        ("+49\u00a030\u00a0901820", True),
        ("+491234567890123", True),
        ("+4912345678901234", False),
        ("+4242424242424242", False),
        ("4930901820", False),
        ("+0930901820", False),
        ("++4930901820", False),
        ("+49", False),
        ("+49 30 901820\n4242424242424242", False),
        ("+٤٩٣٠٩٠١٨٢٠", False),
        ("", False),
    ],
)
def test_l4_phone_numbers_are_told_by_their_form(text: str, phone: bool) -> None:
    assert looks_like_phone(text) is phone


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\r\ntwo", r"one\r\ntwo"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("tab\there\x00\x07\x7f\x9b", r"tab\there\x00\x07\x7f\x9b"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("half \ud800 pair", r"half \ud800 pair"),
        ("Grüße 🙂 你好", "Grüße 🙂 你好"),
        ("", ""),
    ],
)
def test_l5_a_line_stays_one_line(text: str, line: str) -> None:
    assert one_line(text, 100) == line


def test_l5_a_line_is_masked_before_it_is_cut_or_escaped() -> None:
    assert one_line("card 4242424242424242", 15) == "card ****4242"
    assert one_line("4242\n4242\r\n4242\n4242", 40) == "****4242"
    assert one_line(f"Bearer\n{TAIL}", 40) == r"Bearer\n****"
    assert "4242" not in one_line("123456789 4242424242424242", 17)


def test_l5_long_texts_are_cut_with_an_ellipsis() -> None:
    assert one_line("x" * 100_000, 10) == "xxxxxxxxx…"
    assert one_line("x" * 10, 10) == "x" * 10
    assert one_line("\n" * 10, 10) == r"\n\n\n\n\…"
    assert one_line("xx", 1) == "…"


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_l5_no_text_breaks_the_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(f"{line}.".splitlines()) == 1
    assert line.encode("utf-8").decode("utf-8") == line
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


def lines_executed(call: Callable[[str], Any], text: str) -> int:
    """Count the lines of Python that a call runs: a measure of work that no busy machine can disturb."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        call(text)
    finally:
        sys.settrace(earlier)
    return count


HARD = ["4", "4 ", "4242424242424242 ", "4242 ", "a1", "2024-0", "fl_test_sk_", "Bearer ", "0a0a0a0a-"]


@pytest.mark.parametrize("unit", HARD)
@pytest.mark.parametrize("function", [contains_card_number, mask])
def test_work_grows_with_the_length_only(function: Callable[[str], Any], unit: str) -> None:
    short, long = (lines_executed(function, unit * (size // len(unit))) for size in (2_000, 16_000))
    assert long <= 9 * short + 100


@pytest.mark.parametrize("unit", ["4", "4 ", " ", "-", "4242 ", "Bearer ", "x", "0a0a0a0a-", "\ud800"])
def test_a_megabyte_is_read_to_its_end(unit: str) -> None:
    text = unit * (1_000_000 // len(unit)) + " x 5555555555554444"
    assert mask(text).endswith(" ****4444")
