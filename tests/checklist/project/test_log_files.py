"""What the log files hold already."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_flowlix.checklist import Context
from django_flowlix.checklist.project import log_files
from django_flowlix.checklist.project.log_files import LogFiles, search_log_files
from tests.checklist.logging_tree import handlers_are
from tests.checklist.project.keys import HOOK, LIVE_KEY, TEST_KEY

CARD = "4242424242424242"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "shop.log"
    path.write_text("")
    return path


def searched(context: Context, *paths: Path) -> LogFiles:
    handlers = [logging.FileHandler(path, delay=True) for path in paths]
    with handlers_are(*handlers):
        return search_log_files(context)


@pytest.mark.parametrize("key", [TEST_KEY, LIVE_KEY, HOOK])
def test_keys_are_found_with_their_line(context: Context, log: Path, key: str) -> None:
    log.write_text(f"started\nsending with {key}\n")
    found = searched(context, log)
    assert (found.keys, found.cards, found.searched) == ([f"{log}:2"], [], [log])


@pytest.mark.parametrize("number", [CARD, "4242 4242 4242 4242", "4242-4242-4242-4242", f"card={CARD}", f'"{CARD}"'])
def test_card_numbers_are_found_with_their_line(context: Context, log: Path, number: str) -> None:
    log.write_text(f"started\n\nreceived {number}\n")
    assert searched(context, log).cards == [f"{log}:3"]


@pytest.mark.parametrize(
    "text",
    [
        "INFO 2026-01-02 03:04:05,678 GET /orders/1001 200 15",
        "fl_live_sk_****, whsec_****, ****4242",
        "key fl_test_sk_for_the_emulator_only",
        f"trace {CARD[:4]}a{CARD[4:]} id-{CARD}-1 1.{CARD}",
        "time 1790000000000 duration 12",
        f"sum {CARD[:-1]}3",
    ],
)
def test_other_lines_are_fine(context: Context, log: Path, text: str) -> None:
    log.write_text(f"{text}\n")
    found = searched(context, log)
    assert (found.keys, found.cards) == ([], [])


def test_of_a_long_file_the_end_is_read(context: Context, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES", 1000)
    log.write_text(f"old {LIVE_KEY}\n" + "x" * 1000 + "\n")
    assert searched(context, log).keys == []
    log.write_text("x" * 1000 + f"\nnew {LIVE_KEY}\n")
    assert searched(context, log).keys == [f"{log} (near its end)"]


def test_files_behind_other_handlers_are_read(context: Context, log: Path) -> None:
    log.write_text(LIVE_KEY)
    memory = logging.handlers.MemoryHandler(10, target=logging.FileHandler(log, delay=True))
    with handlers_are(memory):
        assert search_log_files(context).keys == [f"{log}:1"]


def test_a_file_is_read_once_and_need_not_be_there(context: Context, log: Path, tmp_path: Path) -> None:
    assert searched(context, log, log, tmp_path / "later.log").searched == [log]


def test_what_cannot_be_read_is_named(context: Context, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refused)
    found = searched(context, log)
    assert (found.searched, found.unread) == ([], [str(log)])
