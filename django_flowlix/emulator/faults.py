"""The queue of faults: whose turn it is, and what the fault then does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .answers import Answer, RefusalError
from .fault_kinds import KINDS, TIMES, Kind, seconds_option


@dataclass
class Fault:
    """A queued fault; `times` counts down to its end."""

    operation: str
    kind: str
    times: int = 1
    delay_seconds: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def replaces_work(self) -> bool:
        return self._kind.instead is not None

    @property
    def delays_work(self) -> bool:
        return self._kind.delays_work

    def instead(self, now: float) -> Answer | RefusalError:
        if self._kind.instead is None:
            raise TypeError(f"{self.kind} does not replace the work")
        return self._kind.instead(self.options, now)

    def spoil(self, answer: Answer) -> Answer | RefusalError:
        return self._kind.spoil(self.options, answer)

    def as_dict(self) -> dict[str, Any]:
        common = {"operation": self.operation, "kind": self.kind, "times": self.times}
        return {**common, "delay_seconds": self.delay_seconds, **self.options}

    @property
    def _kind(self) -> Kind:
        return KINDS.get(self.kind, _NOTHING)


_NOTHING = Kind()
NO_FAULT = Fault(operation="", kind="")


def new_fault(operations: Sequence[str], operation: Any, kind: Any, options: Mapping[str, Any]) -> Fault:
    """Return a fault after checking everything about it.

    Raises: ValueError naming what is wrong and which values there are.
    """
    if operation not in operations:
        raise ValueError(f"unknown operation {operation!r}: choose one of {', '.join(operations)}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(KINDS)}")
    known = {**KINDS[kind].options, "times": TIMES, "delay_seconds": seconds_option(KINDS[kind].delay_seconds)}
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r} of {kind}: choose from {', '.join(known)}")
    values = {name: options.get(name, option.default) for name, option in known.items()}
    for name, value in values.items():
        if not known[name].fits(value):
            raise ValueError(f"{name} of {kind} must be {known[name].says}")
    return Fault(operation, kind, values.pop("times"), values.pop("delay_seconds"), values)


class FaultQueue:
    """First in, first out, per operation."""

    def __init__(self, operations: Sequence[str]) -> None:
        self._operations = operations
        self._queue: list[Fault] = []

    def add(self, operation: Any, kind: Any, options: Mapping[str, Any]) -> Fault:
        fault = new_fault(self._operations, operation, kind, options)
        self._queue.append(fault)
        return fault

    def take(self, operation: str) -> Fault:
        """Return the fault whose turn it is for an operation, NO_FAULT if there is none."""
        for fault in self._queue:
            if fault.operation == operation:
                fault.times -= 1
                if not fault.times:
                    self._queue.remove(fault)
                return fault
        return NO_FAULT

    def queued(self) -> list[Fault]:
        return list(self._queue)

    def clear(self) -> None:
        self._queue.clear()
