"""The retry table: which answer is tried again, and after how long at least."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_flowlix.api import errors
from django_flowlix.api.retry import rate_limit_backoff, retry_after_seconds, wait_before_next_try, with_jitter

# Sun, 06 Nov 1994 08:49:37 GMT is the example of RFC 9110 §5.6.7.
EXAMPLE = 784111777
ONE_HOUR = 3600.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("30", 30), ("0", 0), (" 7 ", 7), ("007", 7), ("000000000005", 5), ("3600", 3600)],
)
def test_r1_seconds(value, seconds):
    assert retry_after_seconds(value, now=0) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_r2_the_three_date_forms_are_read_as_utc_wherever_the_server_stands(value, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after_seconds(value, now=EXAMPLE - 90) == 90
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("value", ["0", "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_r3_zero_and_past_dates_mean_at_once(value):
    assert retry_after_seconds(value, now=EXAMPLE + 1) == 0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-5",
        "+5",
        "1.5",
        "1e3",
        "soon",
        "30, 60",
        "30 seconds",
        "2026-01-01T00:00:00Z",
        "٣٠",
        "\uff13\uff10",
        "²",
        "Sun",
        "Sun, 06 Nov 1994",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "Sun, 99 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37\r\nX: y",
        "never, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_r4_rubbish_says_nothing(value):
    assert retry_after_seconds(value, now=EXAMPLE) is None


@pytest.mark.parametrize("value", ["1000000000", "9" * 400, "9" * 60_000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_r5_absurd_demands_are_cut_to_six_hours(value):
    assert retry_after_seconds(value, now=EXAMPLE) == ONE_HOUR


DAY_NAMES = st.sampled_from(["Sun, ", "Sunday, ", "Mon ", "Sat,"])


@given(
    st.one_of(st.text(), st.builds("{}{} 08:49:37 {}".format, DAY_NAMES, st.text(max_size=20), st.text(max_size=20)))
)
@example("Sun, 06 Nov -1 08:49:37 GMT")
@example("Sun, 0 Nov 0 08:49:37 -9999999999999999")
@example("Sun,  08:49:37 ")
def test_r4_no_header_whatever_it_holds_raises_or_asks_for_too_much(value):
    seconds = retry_after_seconds(value, now=EXAMPLE)
    assert seconds is None or 0 <= seconds <= ONE_HOUR


@given(st.integers(31_536_000, 3_000_000_000))
def test_r2_every_date_comes_out_as_its_distance(moment):
    written = format_datetime(datetime.fromtimestamp(moment, UTC), usegmt=True)
    seconds = retry_after_seconds(written, now=moment - 60)
    assert seconds == 60


BACKED_OFF = [
    errors.NotSentError("x"),
    errors.NoAnswerError("x"),
    errors.UnreadableAnswerError("x"),
    errors.UnreadableAnswerError("x", status=200),
    errors.UnreadableAnswerError("x", status=204),
    errors.IdempotencyError("x", status=409),
    *(errors.ApiError("x", status=status) for status in (408, 421, 425, 500, 502, 503, 504, 599)),
]


@pytest.mark.parametrize("error", BACKED_OFF, ids=repr)
def test_n5_i7_n8_one_two_four_seconds_then_no_more(error):
    assert [wait_before_next_try(error, tries_made=n) for n in range(1, 7)] == [1, 2, 4, None, None, None]


DEFINITE = [
    errors.RequestInvalidError("x"),
    errors.CardError("x", status=402),
    errors.InvalidRequestError("x", status=400),
    errors.InvalidRequestError("x", status=422),
    errors.NotFoundError("x", status=404),
    errors.AuthenticationError("x", status=401),
    *(errors.UnreadableAnswerError("x", status=status) for status in (301, 302, 303, 304, 307, 308)),
]


@pytest.mark.parametrize("error", DEFINITE, ids=repr)
def test_m14_what_cannot_help_is_not_tried_again(error):
    assert wait_before_next_try(error, tries_made=1) is None


def test_r8_a_429_without_a_usable_header_doubles_up_to_thirty_seconds():
    error = errors.RateLimitError("x", status=429)
    waits = [wait_before_next_try(error, tries_made=n) for n in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 30, None, None]
    assert [rate_limit_backoff(n) for n in (1, 4, 6, 7, 100)] == [1, 8, 30, 30, 30]


@pytest.mark.parametrize("asked", [0.0, 3.0, 120.0])
def test_r1_r3_a_429_with_a_header_waits_what_it_says_and_is_counted(asked):
    error = errors.RateLimitError("x", status=429, retry_after_seconds=asked)
    assert [wait_before_next_try(error, tries_made=n) for n in range(1, 8)] == [asked] * 6 + [None]


@pytest.mark.parametrize("asked", [None, 0.0, 60.0])
def test_retry_after_counts_on_429_only(asked):
    error = errors.ApiError("x", status=503, retry_after_seconds=asked)
    assert [wait_before_next_try(error, tries_made=n) for n in range(1, 5)] == [1, 2, 4, None]


@given(st.floats(0, ONE_HOUR), st.floats(0, 1, exclude_max=True))
def test_jitter_is_only_added(seconds, chance):
    assert seconds <= with_jitter(seconds, chance=chance) <= seconds + max(seconds / 10, 0.1)


def test_r3_even_a_wait_of_nothing_is_spread():
    assert with_jitter(0.0, chance=0.5) == pytest.approx(0.05)
    assert with_jitter(4.0, chance=0.5) == pytest.approx(4.2)
