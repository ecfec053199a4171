"""What must never be stored, shown or logged, and what takes its place.

Every function is total over `str` (NUL, lone surrogates) and linear in the length of the text.

Source: ISO/IEC 7812-1 (length, check digit), PCI DSS 4.0 requirement 3.4 (last four digits may be shown)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_SHORTEST, _LONGEST = 13, 19
_ISSUER = re.compile(
    r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"  # Visa, Mastercard
    r"|3[47]|3[689]|30[0-5]|3095"  # American Express, Diners Club
    r"|6011|64[4-9]|65|62|352[89]|35[3-8]|220[0-4]"  # Discover, UnionPay, JCB, Mir
    r"|5[0678]|6[37]"  # Maestro
)

_UUID = r"(?<![^\W_])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![^\W_])"
_YEAR = r"(?:19|20)\d\d"
_DATE = rf"(?:{_YEAR}(?P<ymd>[-./])[01]\d(?P=ymd)[0-3]\d|[0-3]\d(?P<dmy>[-./])[01]\d(?P=dmy){_YEAR})"
_TIME = r"(?:,?[ T]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[+-]\d\d:?\d\d)?)?"
# A number does not run through a wall. Letters are walls; so are UUIDs and dates that stand alone, because
# one time stamp in twenty and one UUID in a thousand would otherwise be taken for a card.
_TOKEN = re.compile(
    rf"(?P<wall>{_UUID}|(?<![\d\-./]){_DATE}{_TIME}(?!\d|[-./]\d)|[^\W\d_]+)|(?P<digits>\d+)",
    re.IGNORECASE,
)

_SECRET = re.compile(
    r"(?P<kept>(?:fl|api)_(?:test|live)_sk_|whsec_|(?i:\bbearer)\s++)"
    r"""[^\s"'`,;<>(){}\[\]\\]+"""
)
_PHONE = re.compile(r"\+[1-9](?:[ ().\-/\u00a0]*[0-9]){6,14}")
# Line breaks, control characters, marks that turn the reading direction, lone surrogates.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class _Group(NamedTuple):
    """An unbroken group of ASCII `digits`, found at `start` to `end`.

    `shown` is what remains visible of a masked number, "" for a group that is not masked. `luhn` holds the sum
    of the digits as the check digit rule counts them: with the last one single, and with it doubled.
    """

    start: int
    end: int
    digits: str
    shown: str
    luhn: tuple[int, int]


def contains_card_number(text: str) -> bool:
    """Tell whether a text holds a card number: 13 to 19 digits, a known issuer, a right check digit.

    Digits of every script count, and any characters but letters may stand between groups of them.
    """
    return any(True for _ in _card_numbers(text))


def mask(text: str) -> str:
    """Return the text with card numbers as `****` and the last four digits, keys as `fl_test_sk_****`.

    The result holds no card number, and masking it again changes nothing.
    """
    text = _SECRET.sub(r"\g<kept>****", text)
    parts, position = [], 0
    for number in _card_numbers(text):
        parts += [text[position : number.start], "****", number.shown]
        position = number.end
    return "".join([*parts, text[position:]])


def looks_like_phone(text: str) -> bool:
    """Tell whether a text is one international phone number: it may pass for a card number by chance.

    Source: ITU-T E.164 (at most 15 digits)
    """
    return _PHONE.fullmatch(text) is not None


def one_line(text: str, limit: int) -> str:
    """Return the text for a log: masked, on one line of at most `limit` (≥ 1) characters, controls escaped."""
    # Masked before anything else, because a card number that is cut or escaped is no longer recognised.
    line = _UNSAFE.sub(_escaped, mask(text)[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def _card_numbers(text: str) -> Iterator[_Group]:
    for run in _runs(text):
        yield from (group for group in _hide_cards(run) if group.shown)


def _runs(text: str) -> Iterator[list[_Group]]:
    """Yield the groups of digits between two walls."""
    run: list[_Group] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "digits":
            # Digits of other scripts become ASCII, so that everything below knows one kind.
            digits = "".join(str(int(digit)) for digit in token.group())
            run.append(_group(*token.span(), digits))
        elif run:
            yield run
            run = []
    yield run


def _group(start: int, end: int, digits: str, shown: str = "") -> _Group:
    values = [int(digit) for digit in reversed(digits)]
    doubled = [2 * value - 9 * (value > 4) for value in values]
    luhn = (sum(values[::2]) + sum(doubled[1::2]), sum(doubled[::2]) + sum(values[1::2]))
    return _Group(start, end, digits, shown, luhn)


def _hide_cards(run: Sequence[_Group]) -> list[_Group]:
    """Return the groups of a run, those of every possible card number merged into masked ones.

    `left` is what a reader of the result will see. It is searched too, because the four digits that stay
    could form a card number with their neighbours; a merge takes nine digits or more away, so the work stays
    linear.
    """
    left: list[_Group] = []
    for last, group in enumerate(run):
        left.append(group)
        start = _card_start(run, last)
        if start is None:
            start = _card_start(left, len(left) - 1)
        while start is not None:
            _merge(left, start)
            start = _card_start(left, len(left) - 1)
    return left


def _card_start(groups: Sequence[_Group], last: int) -> int | None:
    """Return where the longest card number begins that ends with the group at index `last`, or None."""
    length, checksum, start = 0, 0, None
    for first in range(last, -1, -1):
        checksum += groups[first].luhn[length % 2]
        length += len(groups[first].digits)
        if length > _LONGEST:
            break
        if length >= _SHORTEST and checksum % 10 == 0:
            number = "".join(group.digits for group in groups[first : last + 1])
            start = groups[first].start if _ISSUER.match(number) else start
    return start


def _merge(left: list[_Group], start: int) -> None:
    """Merge the last groups, back to the one at `start`, into one that shows the end of the first card."""
    merged = [left.pop()]
    while left and left[-1].end > start:
        merged.insert(0, left.pop())
    # Of two cards that overlap one may be a real one with its security code: that code must not be shown.
    digits = "".join(group.digits for group in merged)
    shown = next((group.shown for group in merged if group.shown), digits[-4:])
    left.append(_group(merged[0].start, merged[-1].end, shown, shown))
