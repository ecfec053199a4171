"""The person at the terminal: spoken to on standard error, asked only when there, shown a wait that can be ended."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.management.base import OutputWrapper
from django.core.management.color import color_style

from django_flowlix.management.terminal import Terminal
from tests.conftest import FakeClock


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(stream: io.StringIO) -> Terminal:
    """As a command has it: on a stream with the colour of errors."""
    wrapper = OutputWrapper(stream)
    wrapper.style_func = color_style(force_color=True).ERROR
    return Terminal(wrapper)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Screen(text))


def shown(stream: io.StringIO) -> list[str]:
    """What could be seen on the screen, one state after the other."""
    return [state.strip() for state in stream.getvalue().replace("\n", "\r").split("\r") if state.strip()]


def test_what_is_said_is_plain_text() -> None:
    stream = io.StringIO()
    terminal(stream).say("Open this address:")
    assert stream.getvalue() == "Open this address:\n"


def test_what_is_said_wipes_the_bar_that_stands_on_the_line() -> None:
    stream = Screen()
    stream.write("\r[####....] 3/9")
    terminal(stream).say("Hello")
    assert stream.getvalue() == f"\r[####....] 3/9\r{' ' * 29}\rHello\n"


@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [("y\n", True), ("Yes\n", True), (" Y \n", True), ("n\n", False), ("\n", False), ("yess\n", False), ("", False)],
)
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str, is_yes: bool) -> None:
    stream = Screen()
    typed(monkeypatch, answer)

    assert terminal(stream).confirms("Refund it?") is is_yes
    assert shown(stream) == ["Refund it? [y/N]"]


def test_a_text_is_asked_for_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = Screen()
    typed(monkeypatch, "  the order is shipped \n")

    assert terminal(stream).asks("How do you know?") == "the order is shipped"
    assert shown(stream) == ["How do you know?"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("stdin", "stderr"), [(io.StringIO("y\n"), Screen()), (Screen("y\n"), io.StringIO()), (None, Screen())]
)
def test_without_a_terminal_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None, stderr: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    assert not terminal(stderr).is_interactive
    assert not terminal(stderr).confirms("Refund it?")
    assert terminal(stderr).asks("Why?") == ""
    assert stderr.getvalue() == ""


def test_what_is_over_is_not_waited_for(fake_clock: FakeClock) -> None:
    stream = Screen()

    assert terminal(stream).waits("Pay here: https://example.com/", 60, lambda: True)
    assert shown(stream) == ["Pay here: https://example.com/"]
    assert fake_clock.slept == []


def test_a_wait_shows_how_long_it_has_taken_and_ends_when_it_is_over(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    stream = Screen()

    assert terminal(stream).waits("Pay.", 900, lambda: fake_clock.seconds >= 64)
    assert fake_clock.slept == [2] * 32
    assert shown(stream)[:2] == ["Pay.", "waiting 0:00 of 15:00, Ctrl-C to stop waiting"]
    assert shown(stream)[-1] == "waiting 1:02 of 15:00, Ctrl-C to stop waiting"
    assert stream.getvalue().endswith(f"\r{' ' * 79}\r")


def test_a_wait_fits_the_terminal(fake_clock: FakeClock) -> None:
    stream = Screen()
    terminal(stream).waits("Pay.", 4, lambda: False)
    assert shown(stream) == ["Pay.", "waiting 0:00 of 0:04, Ctrl-C", "waiting 0:02 of 0:04, Ctrl-C"]


def test_a_wait_comes_to_an_end(fake_clock: FakeClock) -> None:
    asked: list[float] = []

    def is_over() -> bool:
        asked.append(fake_clock.seconds)
        return False

    assert not terminal(Screen()).waits("Pay.", 5, is_over)
    assert asked == [0, 2, 4, 5]  # and what came in the last second is still seen


def test_ctrl_c_ends_the_waiting_and_no_more(fake_clock: FakeClock) -> None:
    def is_over() -> bool:
        if fake_clock.seconds >= 4:
            raise KeyboardInterrupt
        return False

    assert not terminal(Screen()).waits("Pay.", 60, is_over)


def test_without_a_terminal_a_wait_says_only_what_for(fake_clock: FakeClock) -> None:
    stream = io.StringIO()

    assert not terminal(stream).waits("Pay.", 6, lambda: False)
    assert stream.getvalue() == "Pay.\n"


@pytest.mark.parametrize(("stream", "seconds"), [(io.StringIO(), 60), (Screen(), 900)])
def test_without_a_terminal_a_wait_is_short(stream: io.StringIO, seconds: int, fake_clock: FakeClock) -> None:
    assert not terminal(stream).waits("Pay.", 900, lambda: False)
    assert fake_clock.seconds == seconds


def test_an_error_while_waiting_is_not_swallowed(fake_clock: FakeClock) -> None:
    stream = Screen()

    with pytest.raises(LookupError):
        terminal(stream).waits("Pay.", 6, lambda: {}["missing"])
    assert stream.getvalue().endswith("\r")
