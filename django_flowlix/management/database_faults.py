"""What a command says when the database fails it: one sentence, because cron mails a traceback every night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import Error


@contextmanager
def database_faults_in_a_sentence() -> Iterator[None]:
    """Let a command fail with `sentence_of` the database's error. Raises: CommandError"""
    try:
        yield
    except Error as error:
        raise CommandError(sentence_of(error)) from None


def sentence_of(error: Error) -> str:
    """Name the kind of a database's error and no more, as its words may quote values."""
    return f"database: {type(error).__name__}. Is it reachable, and has migrate been run?"
