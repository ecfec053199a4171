"""A file that a report goes to: that it can be written is found out first, and an earlier one stays until then."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from django.core.management.base import CommandError

_OPEN_FILE = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_NAMED = {"/dev/stdout": 1, "/dev/stderr": 2}


class ReportFile:
    """Claimed with the command and filled at its end; a device or a pipe is written to, a file is replaced at once.

    Raises: CommandError when it cannot be written.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        with self._faults_in_a_sentence():
            self._stream = _opened(name) if _is_stream(Path(name)) else None
            self._target = Path(name).resolve()
            self._part = self._target.with_name(f".{self._target.name}.{os.getpid()}.part")
            if self._stream is None:  # tried out and taken away again: nothing stays behind, however the run ends
                self._part.open("w").close()
                self._part.unlink()

    @property
    def is_stream(self) -> bool:
        """Is it a device, a pipe or an open file, which may be the one that standard output goes to?"""
        return self._stream is not None

    def fill(self, text: str) -> None:
        with self._faults_in_a_sentence():
            if self._stream is not None:
                with self._stream:
                    self._stream.write(text)
            else:
                self._replace(text)

    def _replace(self, text: str) -> None:
        with self._part.open("w", encoding="utf-8", newline="\n") as file:
            if self._target.exists():
                shutil.copymode(self._target, self._part)
            file.write(text)
        self._part.replace(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is None:
            self._part.unlink(missing_ok=True)
            return
        with suppress(OSError):  # of a full disk there has been word
            self._stream.close()

    @contextmanager
    def _faults_in_a_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: a name with a NUL, or an empty one
            why = getattr(error, "strerror", None) or str(error)
            raise CommandError(f"the report cannot be written to {self._name!r}: {why}") from None


def _is_stream(path: Path) -> bool:
    """Tell what is written to as it is from files: /dev/stdout may lead to a file that others write to as well."""
    is_open = path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",))
    return is_open or (path.exists() and not path.is_file())


def _opened(name: str) -> TextIO:
    if number := _OPEN_FILE.fullmatch(name):
        return _shared(int(number[1]))
    if name in _NAMED:
        return _shared(_NAMED[name])
    return Path(name).open("a", encoding="utf-8", newline="\n")


def _shared(number: int) -> TextIO:
    # A second opening would begin at a place of its own, and either would overwrite the other.
    return os.fdopen(os.dup(number), "w", encoding="utf-8", newline="\n")
