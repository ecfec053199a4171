"""What can be wrong with the settings, and what to write instead; nothing secret is quoted."""

from __future__ import annotations

from dataclasses import dataclass


class SettingError(ValueError):
    """A value that cannot be run with, and what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the configuration; `check_id` is `E…` (refused) or `W…` (runs, but look)."""

    check_id: str
    message: str
    hint: str

    @property
    def is_error(self) -> bool:
        return self.check_id.startswith("E")
