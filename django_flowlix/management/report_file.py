"""A file that a report goes to: that it can be written is found out first, and an earlier one stays until then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from django.core.management.base import CommandError


class ReportFile:
    """Opened with the command and filled at its end; a device or a pipe is written to, a file is replaced at once.

    Raises: CommandError when it cannot be written.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        with self._faults_in_a_sentence():
            self._is_replaced = _is_replaceable(Path(name))
            self._target = Path(name).resolve() if self._is_replaced else Path(name)
            part = f".{self._target.name}.{os.getpid()}.part"
            self._part = self._target.with_name(part) if self._is_replaced else self._target
            self._file = self._part.open("w" if self._is_replaced else "a", encoding="utf-8", newline="\n")

    def fill(self, text: str) -> None:
        with self._faults_in_a_sentence():
            self._file.write(text)
            self._file.close()
            if self._is_replaced:
                self._part.replace(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of a full disk there has been word
            self._file.close()
        if self._is_replaced:
            self._part.unlink(missing_ok=True)

    @contextmanager
    def _faults_in_a_sentence(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:  # ValueError: a name with a NUL, or an empty one
            why = getattr(error, "strerror", None) or str(error)
            raise CommandError(f"the report cannot be written to {self._name!r}: {why}") from None


def _is_replaceable(path: Path) -> bool:
    """Tell files from what is written to as it is: /dev/stdout may lead to a file that others write to as well."""
    is_stream = path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",))
    return not is_stream and (not path.exists() or path.is_file())
