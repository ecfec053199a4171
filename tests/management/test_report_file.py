"""The file that a report goes to: claimed first, replaced at once at the end, and never left half written."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from django.core.management import CommandError

from django_flowlix.management.report_file import ReportFile


def write(path: Path, text: str = "new ✓\n") -> None:
    with ReportFile(str(path)) as file:
        file.fill(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_report_is_written_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "report.txt")
    assert (tmp_path / "report.txt").read_bytes() == b"new \xe2\x9c\x93\n"
    assert names(tmp_path) == ["report.txt"]


def test_an_earlier_report_stays_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    with ReportFile(str(path)) as file:
        assert path.read_text() == "old"
        file.fill("new")

    assert path.read_text() == "new"


def test_an_earlier_report_stays_when_there_is_no_new_one(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")

    with pytest.raises(KeyboardInterrupt), ReportFile(str(path)):
        raise KeyboardInterrupt

    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.txt"]


def test_the_files_mode_is_the_users_choice(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "report.txt")
    finally:
        os.umask(before)

    assert (tmp_path / "report.txt").stat().st_mode & 0o777 == 0o640


def test_an_earlier_reports_mode_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("old")
    path.chmod(0o600)

    write(path)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_run_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    killed = ReportFile(str(tmp_path / "report.txt"))

    assert names(tmp_path) == []
    assert not killed.is_stream


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "folder" / "report.txt")

    write(tmp_path / "link.txt")

    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "folder" / "report.txt").read_text(encoding="utf-8") == "new ✓\n"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()

    write(pipe)
    reader.join()

    assert read == ["new ✓\n"]
    assert pipe.is_fifo()


def test_a_device_stays_a_device() -> None:
    write(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_an_open_file_that_is_named_by_its_number_is_appended_to(tmp_path: Path) -> None:
    with (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
        log.write("before\n")
        log.flush()
        write(Path(f"/dev/fd/{log.fileno()}"))

    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "before\nnew ✓\n"
    assert names(tmp_path) == ["log.txt"]


def test_what_is_written_behind_a_report_in_an_open_file_does_not_overwrite_it(tmp_path: Path) -> None:
    with (tmp_path / "log.txt").open("w", encoding="utf-8") as log:
        with ReportFile(f"/dev/fd/{log.fileno()}") as file:
            file.fill("report\n")
        log.write("after\n")

    assert file.is_stream
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "report\nafter\n"


def test_an_open_file_that_there_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written to '/dev/fd/987': No such file"):
        ReportFile("/dev/fd/987")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing/report.txt", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/report.txt", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")

    with pytest.raises(CommandError, match=f"the report cannot be written to '.*{name}': {why}"):
        ReportFile(str(tmp_path / name))

    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize("name", ["", "a\x00b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="the report cannot be written to"):
        ReportFile(name)


def test_a_full_disk_is_said_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="cannot be written to '/dev/full': No space left on device"):
        write(Path("/dev/full"))
