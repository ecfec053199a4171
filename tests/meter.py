"""A meter of what a piece of work costs: statements, commits, requests, and which of them ran inside another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from django_flowlix.api.transport import Transport

BOOKKEEPING = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass
class Meter:
    """What one request did: statements, commits, and what each exchange with the gateway saw."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    during_exchanges: list[tuple[bool, int]] = field(default_factory=list)
    """Per exchange: was a transaction open, and how many statements ran while the socket was open."""

    @contextmanager
    def running(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Meter]:
        with monkeypatch.context() as patch, connection.execute_wrapper(self._statement):
            patch.setattr(connection, "_commit", self._counting(connection._commit))  # type: ignore[attr-defined]
            patch.setattr(Transport, "send", self._watching(Transport.send))
            yield self

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(BOOKKEEPING):
            self.statements.append(sql)
        return execute(sql, params, many, context)

    def _counting(self, commit: Callable[[], None]) -> Callable[[], None]:
        def counted() -> None:
            self.commits += 1
            commit()

        return counted

    def _watching(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            is_open, before = connection.in_atomic_block, len(self.statements)
            try:
                return send(*args, **kwargs)
            finally:
                self.during_exchanges.append((is_open, len(self.statements) - before))

        return watched


QUIET = (False, 0)
