"""What a key looks like in a file, of whichever contract, and what only looks like one.

Nothing here gives a key away: a find says where it stands and what it is, never what it reads.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ...api.contracts import CONTRACTS
from ...api.secret import Secret
from ...conf import Account

_WEBHOOK_PREFIX = "whsec_"
_PREFIXES: dict[str, bool] = {
    **{contract.test_key_prefix: False for contract in CONTRACTS.values()},
    **{contract.live_key_prefix: True for contract in CONTRACTS.values()},
    # Of the newest generation, which this version does not speak. Source: docs.flowlix.dev/guides/authentication
    "api_test_sk_": False,
    "api_live_sk_": True,
}
_TAIL = r"[A-Za-z0-9_-]{8,}"
_SHORTEST_TAIL = 16
"""No gateway draws fewer characters than this."""
_ALLOWED = re.compile(r"flowlix:\s*allow-key|pragma:\s*allowlist\s+secret", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A key in a text. `live` is None for what does not tell its mode; `is_own` says that it is the account's key.

    `is_allowed`: a comment says that it may stand there. `is_made_up`: no gateway has drawn it, by the look of it;
    `is_placeholder`: it says so itself, as in `your_key`.
    """

    line: int
    live: bool | None
    is_own: bool
    is_webhook_secret: bool
    is_made_up: bool
    is_placeholder: bool
    is_allowed: bool


class KeySearch:
    """Looks for every key and webhook secret, those of the configured accounts above all."""

    def __init__(self, account: Account, accounts: Mapping[str, Account]) -> None:
        self._own = account.secret_key.reveal()
        self._modes: dict[str, bool] = {}
        for each in accounts.values():
            secrets: tuple[Secret, ...] = (each.secret_key, *each.webhook_secrets)
            self._modes.update(dict.fromkeys((secret.reveal() for secret in secrets), each.livemode))
        # A key may stand in the source in pieces: its end gives it away, unless it reads like words of the language.
        tails = {key.removeprefix(_prefix_of(key)): key for key in self._modes}
        self._by_tail = {tail: key for tail, key in tails.items() if not _is_no_key(tail)}
        prefixes = (*_PREFIXES, _WEBHOOK_PREFIX)
        encoded = {_encoded_beginning(prefix): prefix for prefix in prefixes}
        # The fixed texts that a find begins with: almost no file has one, and that is seen at once.
        self._beginnings = (*self._modes, *self._by_tail, *prefixes, *encoded)
        exact = "|".join(map(re.escape, sorted((*self._modes, *self._by_tail), key=len, reverse=True)))
        self._pattern = re.compile(
            rf"(?P<exact>{exact})|(?:{'|'.join(prefixes)}){_TAIL}"
            rf"|(?P<encoded>(?:{'|'.join(map(re.escape, encoded))})[A-Za-z0-9+/_-]{{8,}})"
        )

    def keys_in(self, text: str) -> Iterator[Found]:
        """Yield what is found, line by line."""
        if not any(beginning in text for beginning in self._beginnings):
            return
        lines = text.split("\n")
        for number, line in enumerate(lines, start=1):
            is_allowed = any(map(_ALLOWED.search, lines[max(number - 2, 0) : number]))
            for match in self._pattern.finditer(line):
                key = _decoded(match.group()) if match.group("encoded") else match.group()
                if key:
                    yield self._found(key, number, is_allowed)

    def _found(self, key: str, line: int, is_allowed: bool) -> Found:
        configured = next((secret for secret in self._modes if key.startswith(secret)), "")
        configured = configured or self._by_tail.get(key, "")
        key = configured or key
        prefix = _prefix_of(key)
        live = self._modes.get(key, _PREFIXES.get(prefix))
        return Found(
            line=line,
            live=live,
            is_own=key == self._own,
            is_webhook_secret=prefix == _WEBHOOK_PREFIX,
            is_made_up=self._is_made_up(key, live),
            is_placeholder=key not in self._modes and _PLACEHOLDER.search(key) is not None,
            is_allowed=is_allowed and not live,
        )

    def _is_made_up(self, key: str, live: bool | None) -> bool:
        tail = key.removeprefix(_prefix_of(key))
        if key in self._modes:  # What is configured for real money is no example, whatever it reads like.
            return not live and reads_made_up(tail)
        return _is_no_key(tail)


def _prefix_of(key: str) -> str:
    return next((prefix for prefix in (*_PREFIXES, _WEBHOOK_PREFIX) if key.startswith(prefix)), "")


def _is_no_key(tail: str) -> bool:
    return len(tail) < _SHORTEST_TAIL or reads_made_up(tail)


def _encoded_beginning(prefix: str) -> str:
    """Return how every text with this prefix begins in base64, as it stands in a Kubernetes secret."""
    return base64.b64encode(prefix.encode()).decode()[: len(prefix) * 8 // 6]


def _decoded(text: str) -> str:
    """Return the key that a base64 text holds, "" when it holds none."""
    whole = text[:-1] if len(text) % 4 == 1 else text
    try:
        plain = base64.b64decode(whole + "=" * (-len(whole) % 4), altchars=b"-_" if set("-_") & set(text) else b"+/")
    except (binascii.Error, ValueError):
        return ""
    match = re.match(rf"(?:{'|'.join((*_PREFIXES, _WEBHOOK_PREFIX))}){_TAIL}", plain.decode("latin-1"))
    return match.group() if match else ""


_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[_-]+")
_WORD = re.compile(r"[A-Z]?[a-z]{1,11}|[A-Z]{2,12}|[0-9]{1,4}")
_ONE_WORD = re.compile(r"(?:example|placeholder|changeme|redacted|replaceme|secretkey)[0-9]{0,4}", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"your|insert|replace|placeholder|change_?me|redacted", re.IGNORECASE)
_ORDER = "0123456789abcdefghijklmnopqrstuvwxyz"
_TELLING = (
    "your",
    "insert",
    "replace",
    "secret",
    "here",
    "example",
    "placeholder",
    "api[Kk]ey",
    "live[Kk]ey",
    "test[Kk]ey",
)
# As people write them: in any mixture of cases a word of four letters is drawn at random too often.
_TELLING_WORD = re.compile("|".join(f"[{word[0].upper()}{word[0]}]{word[1:]}|{word.upper()}" for word in _TELLING))


def reads_made_up(tail: str) -> bool:
    """Tell whether what follows the prefix was written by a person: words, a sequence, the same few letters again.

    A gateway draws it at random; of random texts of sixteen characters one in five thousand reads like that.
    """
    letters = [character for character in tail.lower() if character in _ORDER]
    if len(set(letters)) <= 3 or _ONE_WORD.fullmatch(tail) or _TELLING_WORD.search(tail):
        return True
    steps = sum(_follows(one, other) for one, other in pairwise(letters))
    most = max(map(letters.count, set(letters)))
    return steps >= 0.6 * (len(letters) - 1) or 2 * most >= len(letters) or _is_words(tail)


def _follows(one: str, other: str) -> bool:
    return _ORDER.index(other) - _ORDER.index(one) == 1 or one + other in ("90", "za")


def _is_words(tail: str) -> bool:
    """Tell whether it is several words that could be pronounced, written_like_this or writtenLikeThis."""
    words = [word for word in _CAMEL.split(tail) if word]
    letters = sum(map(len, words))
    return (
        len(words) >= 2
        and 2 * letters >= 7 * len(words)
        and all(_WORD.fullmatch(word) and (word.isdigit() or set("aeiouy") & set(word.lower())) for word in words)
    )
