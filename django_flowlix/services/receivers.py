"""Who is connected to a signal, each under a name that is the same in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from asgiref.sync import async_to_sync
from django.dispatch import Signal

from ..api.redaction import one_line

Receiver = Callable[..., Any]


def receivers_of(signal: Signal, sender: type) -> Iterator[tuple[str, Receiver]]:
    """Yield the connected receivers with their names; asynchronous ones can be called like the others."""
    sync_receivers, async_receivers = signal._live_receivers(sender)
    seen: dict[str, int] = {}
    for receiver in [*sync_receivers, *map(async_to_sync, async_receivers)]:
        name = _name(receiver)
        seen[name] = seen.get(name, 0) + 1
        # Closures of one factory share a name; their order of connection tells them apart.
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), receiver


def _name(receiver: Receiver) -> str:
    function = getattr(receiver, "awaitable", receiver)
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__qualname__"):
        function = type(function)
    return one_line(f"{function.__module__}.{function.__qualname__}", 200)
