"""Which files there are under a directory: as git sees them, or all of them.

Source: git-scm.com/docs/git-ls-files
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_SECONDS = 60
_FOREIGN = frozenset(
    {
        *(".git", ".hg", ".svn", ".tox", ".nox", "node_modules", "site-packages", "dist-packages", "__pycache__"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache"),
    }
)


def walked(top: Path, *, follows_links: bool = False) -> Iterator[Path]:
    """Yield every file under a directory; what others wrote (environments, packages, caches) is left out."""
    seen: set[str] = set()
    for directory, names, files in os.walk(top, followlinks=follows_links):
        if follows_links:
            real = os.path.realpath(directory)
            if real in seen:  # a link that leads in a circle
                names.clear()
                continue
            seen.add(real)
        names[:] = sorted(name for name in names if not _is_left_out(f"{directory}/{name}"))
        yield from (Path(directory, name) for name in sorted(files))


def is_foreign(parts: Iterable[str]) -> bool:
    """Tell whether a path leads through a directory whose files others wrote."""
    return not _FOREIGN.isdisjoint(parts)


def _is_left_out(directory: str) -> bool:
    return directory.rpartition("/")[2] in _FOREIGN or Path(directory, "pyvenv.cfg").is_file()


def listed(root: Path, *, is_repository: bool) -> Mapping[Path, bool] | None:
    """Return the files that .gitignore leaves, each with whether git tracks it; None without git or its answer.

    A directory that is no repository is shown to git with an empty one, so that its .gitignore counts all the same.
    """
    git = shutil.which("git")
    if git is None:
        return None
    if is_repository:
        output = _output([git, "-C", str(root), *_LIST, "--cached"])
    else:
        with _empty_repository() as empty:
            output = _output([git, "-C", str(root), "--git-dir", str(empty), "--work-tree", str(root), *_LIST])
    return None if output is None else dict(_entries(root, output))


# The files may belong to another user than the one who looks, which git refuses to read unless told; and a setting of
# the repository must not start a program.
_LIST = (
    *("-c", "safe.directory=*", "-c", "core.fsmonitor=false"),
    *("ls-files", "-t", "-z", "--others", "--exclude-standard"),
)


def _output(command: list[str]) -> str | None:
    # GIT_DIR and its like are set in hooks, and would lead to another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        answer = subprocess.run(  # noqa: S603  a fixed command without a shell
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(answer.stdout)


def _entries(root: Path, output: str) -> Iterator[tuple[Path, bool]]:
    """Read `H path` of tracked and `? path` of other files; a repository inside this one is listed as a directory."""

    @cache
    def is_left_out(directory: str) -> bool:
        above = directory.rpartition("/")[0]
        return bool(directory) and (_is_left_out(f"{root}/{directory}") or is_left_out(above))

    for entry in output.split("\0"):
        tag, _, name = entry.partition(" ")
        name = name.rstrip("/")
        path = root / name
        if not name or is_left_out(name.rpartition("/")[0]):
            continue
        if path.is_symlink() or not path.is_dir():
            yield path, tag != "?"
        elif not is_left_out(name):
            yield from ((inner, False) for inner in walked(path))


@contextmanager
def _empty_repository() -> Iterator[Path]:
    """What git takes for a repository, made without asking git to: every run asks it once."""
    with tempfile.TemporaryDirectory(prefix="flowlix-check-") as name:
        directory = Path(name)
        (directory / "objects").mkdir()
        (directory / "refs").mkdir()
        (directory / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        yield directory
