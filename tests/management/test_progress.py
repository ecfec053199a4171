"""The progress bar: on a terminal it is one line that fills up, elsewhere there is none."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style

from django_flowlix.management.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def stderr_of_a_command(stream: io.StringIO) -> OutputWrapper:
    """As Django hands it to commands: with the colour of errors."""
    wrapper = OutputWrapper(stream)
    wrapper.style_func = color_style(force_color=True).ERROR
    return wrapper


def drawn(stream: io.StringIO, total: int) -> str:
    bar = ProgressBar(stderr_of_a_command(stream), total)
    for _ in range(total):
        bar.advance()
    bar.close()
    return stream.getvalue()


def test_on_a_terminal_one_line_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "17")

    assert drawn(Terminal(), 2) == "\r[..........] 0/2\r[#####.....] 1/2\r[##########] 2/2\n"


def test_the_bar_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (20, 60, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        widest = max(len(frame) for frame in drawn(Terminal(), 3).strip().split("\r"))
        assert widest <= min(columns, 66)


def test_elsewhere_there_is_no_bar() -> None:
    assert drawn(io.StringIO(), 3) == ""


def test_without_work_there_is_no_bar() -> None:
    assert drawn(Terminal(), 0) == ""


def test_more_work_than_was_counted_does_not_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "17")
    terminal = Terminal()
    bar = ProgressBar(stderr_of_a_command(terminal), 1)
    bar.advance()
    bar.advance()

    assert terminal.getvalue().endswith("\r[##########] 2/1")
