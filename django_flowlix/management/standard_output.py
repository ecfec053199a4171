"""What a command prints: text as the stream can hold it, a format for programs in UTF-8; no traceback of a reader's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.management.base import CommandError, OutputWrapper


def print_text(stdout: OutputWrapper, text: str) -> None:
    """Print for people; what the stream cannot encode is escaped. Raises: CommandError when it cannot be written"""
    encoding = getattr(stdout, "encoding", None) or "utf-8"
    with _faults_in_a_sentence(stdout):
        stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stdout.flush()


def print_utf8(stdout: OutputWrapper, text: str) -> None:
    """Print for programs, whatever encoding a terminal would have. Raises: CommandError when it cannot be written"""
    binary = getattr(stdout, "buffer", None)
    if binary is None:  # a stream of characters in memory
        print_text(stdout, text)
        return
    with _faults_in_a_sentence(stdout):
        stdout.flush()
        binary.write(text.encode())
        binary.flush()


@contextmanager
def _faults_in_a_sentence(stdout: OutputWrapper) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever reads has read enough
        _let_go(stdout)
    except OSError as error:
        _let_go(stdout)
        raise CommandError(f"standard output cannot be written to: {error.strerror}") from None


def _let_go(stdout: OutputWrapper) -> None:
    """Let what is left go nowhere: Python would write it at its end, fail again and say so."""
    with suppress(AttributeError, OSError, ValueError):
        if stdout.fileno() == 1:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.close(nowhere)
