"""The request log: what really arrived, in order, as the referee of tests."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

logger = logging.getLogger("django_flowlix.emulator")

MAX_ENTRIES = 10_000


@dataclass
class LogEntry:
    """One request. `status` is None while it is unanswered, and for ever if its connection was dropped.

    `received_at` is on the emulator's clock; `monotonic_seconds` is real time, for measuring the pauses between tries.
    Requests with one `client_port` came over one connection.
    """

    number: int
    request_id: str
    received_at: float
    monotonic_seconds: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    idempotency_key: str | None
    body: str
    client_port: int
    operation: str | None = None
    fault: str | None = None
    replayed: bool = False
    status: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class RequestLog:
    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=MAX_ENTRIES)
        self._received = 0

    def open(self, **request: Any) -> LogEntry:
        """Write a request down on arrival, so that one that never gets an answer is in the log too."""
        self._received += 1
        entry = LogEntry(number=self._received, monotonic_seconds=time.monotonic(), **request)
        self._entries.append(entry)
        return entry

    def close(self, entry: LogEntry, status: int | None) -> None:
        entry.status = status
        outcome = "no answer" if status is None else status
        logger.info("%s %s %s %s", entry.method, entry.path, outcome, entry.request_id)

    def entries(self, operation: str | None = None) -> list[LogEntry]:
        return [entry for entry in list(self._entries) if operation in (None, entry.operation)]

    def clear(self) -> None:
        self._entries.clear()
