"""What a probe is told: which account is looked at, when, how far to go, and who sits in front of the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ..api.money import Money
from ..conf import Account

T = TypeVar("T")


class Operator(Protocol):
    """The person at the terminal."""

    def say(self, text: str) -> None: ...

    def confirms(self, question: str) -> bool:
        """Ask; False is the answer when there is nobody to ask."""

    def asks(self, question: str) -> str:
        """Return what the person writes, "" when there is nobody."""

    def waits(self, what: str, seconds: int, is_over: Callable[[], bool]) -> bool:
        """Show progress until `is_over()` or `seconds` have passed; tells whether it is over."""


class Nobody:
    """Nobody is there: nothing is said, nothing confirmed, nothing waited for."""

    def say(self, text: str) -> None:
        pass

    def confirms(self, question: str) -> bool:
        return False

    def asks(self, question: str) -> str:
        return ""

    def waits(self, what: str, seconds: int, is_over: Callable[[], bool]) -> bool:
        return is_over()


@dataclass(slots=True, kw_only=True)
class Context:
    """One run as its probes see it; `stages` are the names of those that are run."""

    account: Account
    now: datetime
    stages: frozenset[str] = frozenset({"static"})
    operator: Operator = field(default_factory=Nobody)
    live_amount: Money | None = None
    """What `--live-payment` is to take."""
    _found: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    def once(self, find: Callable[[Context], T]) -> T:
        """Return what `find(context)` finds; it is called once a run, however many items ask for it."""
        if find not in self._found:
            self._found[find] = find(self)
        found: T = self._found[find]
        return found
