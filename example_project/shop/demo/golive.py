"""The go-live checklist, run on the open shop as its developer would: every line has to come out as it should."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .stage import MANAGE, ROOT

_TIMEOUT_SECONDS = 120
# What a shop on this machine, with a test key and nobody to tell of alerts, cannot pass; all other lines must.
_OTHERWISE = {
    "decline-texts": "person",  # the shop has a failure page of its own
    "https": "warn",  # plain http, on this machine
    "webhooks-verified": "skip",  # neither contract has any
    "alerts-deliverable": "warn",  # ADMINS is empty
    "live-key-set": "skip",
    "real-payment": "skip",
    "first-transactions-watched": "skip",
    "system-checks": "warn",  # ADMINS again, and what `check --deploy` says of a project for development
    "gateway-reachable": "warn",  # the emulator speaks plain http
}


def go_through(env: Mapping[str, str], tell: Callable[[str], None]) -> list[str]:
    """Run `flowlix_monitor`, then the whole checklist; returns what is wrong, an empty list means that it worked."""
    tell("Going through the go-live checklist ...")
    _manage(env, "flowlix_monitor")
    done = _manage(env, "flowlix_check", "--network", "--scenarios", "--format", "json")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return [f"flowlix_check wrote no report (exit code {done.returncode}): {done.stderr.strip()}"]
    found = [*faults(report)]
    if done.returncode:
        found.append(f"flowlix_check ended with exit code {done.returncode}")
    if not found:
        tell(", ".join(f"{count} {outcome}" for outcome, count in report["counts"].items()) + ".")
    return found


def faults(report: Mapping[str, Any]) -> Iterator[str]:
    """Say which lines of a report did not come out as they have to here, and why."""
    outcomes = {item["id"]: item for section in report["sections"] for item in section["items"]}
    for name, item in outcomes.items():
        expected = _OTHERWISE.get(name, "pass")
        if item["outcome"] != expected:
            words = "; ".join(each["looked_at"] for each in item["findings"] if each["outcome"] == item["outcome"])
            yield f"{name} is {item['outcome']}, not {expected}: {words}"
    for name in _OTHERWISE:
        if name not in outcomes:
            yield f"{name} is missing from the report"


def _manage(env: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own commands
        [sys.executable, MANAGE, *command],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )
