"""Workers in processes of their own that are killed, and the clock of whoever comes after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from django.db import connection

from tests.conftest import FakeClock
from tests.crash import fulfilment

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class WorkerProcess:
    """`tests.crash.worker`, which does one job after the other."""

    jobs: IO[str]
    ends: IO[str]

    def do(self, job: dict[str, Any]) -> int:
        """Have a job done; return the exit code of the worker that did it."""
        self.jobs.write(json.dumps(job) + "\n")
        self.jobs.flush()
        return int(self.ends.readline())


@pytest.fixture(scope="session")
def worker_process() -> Iterator[WorkerProcess]:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-m", "tests.crash.worker"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield WorkerProcess(process.stdin, process.stdout)
        process.stdin.close()


@pytest.fixture
def kill_worker(worker_process: WorkerProcess, settings: Any, fake_clock: FakeClock) -> Callable[..., None]:
    """Let a worker do an action (see `worker.actions`) and kill it at a point; then it is some seconds later."""

    def kill(action: str, point: str, *, later_seconds: float = 5) -> None:
        ahead = max(fake_clock.current - datetime.now(UTC), timedelta())
        job = {
            "database": str(connection.settings_dict["NAME"]),
            "flowlix": settings.FLOWLIX,
            "point": point,
            "action": action,
            "clock_ahead_seconds": ahead.total_seconds(),
        }
        ended_by = -worker_process.do(job)
        assert ended_by == signal.SIGKILL, f"the worker never came to {point}"
        fake_clock.current = datetime.now(UTC) + ahead
        fake_clock.advance(seconds=later_seconds)

    return kill


@pytest.fixture(autouse=True)
def receivers() -> Iterator[None]:
    fulfilment.connect()
    yield
    fulfilment.disconnect()
