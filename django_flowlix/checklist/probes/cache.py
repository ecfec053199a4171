"""Whether the cache is one for all processes, where something needs that; proven with a second process.

Nothing of this app uses the cache: its pauses, leases and locks are in the database. Sessions may.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches

from .. import catalogue
from ..context import Context
from ..findings import Finding, judge_of, passed, skipped, warned
from ..items import Stage

_TIMEOUT_SECONDS = 30
_TO_MEND = "Mend it, such as with manage.py createcachetable for a DatabaseCache, or start its server."
_FAILS = 3
"""The exit code of a second process whose cache raises; one that cannot start ends with another."""
_WITHOUT_SHARING = {
    "django.contrib.sessions.backends.cache": "customers would lose their sessions.",
    "django.contrib.sessions.backends.cached_db": (
        "a session that another process has changed or ended goes on as it was."
    ),
}
_WRITE = f"""
import sys, django
django.setup()
from django.core.cache import caches
try:
    caches[sys.argv[1]].set(sys.argv[2], sys.argv[3], 60)
except Exception as error:
    print(type(error).__name__)
    sys.exit({_FAILS})
"""


class _Answer(NamedTuple):
    """What came of asking a second process: whether the cache is shared, or in words why that cannot be told."""

    is_shared: bool = False
    fails: str = ""
    unasked: str = ""


@catalogue.SHARED_CACHE.probe(Stage.NETWORK)
def shared_cache(context: Context) -> Iterator[Finding]:
    harm = _WITHOUT_SHARING.get(settings.SESSION_ENGINE, "")
    alias = settings.SESSION_CACHE_ALIAS if harm else DEFAULT_CACHE_ALIAS
    kind = str(settings.CACHES.get(alias, {}).get("BACKEND", "")).rpartition(".")[2]
    name = f"cache {alias!r} ({kind or 'not in CACHES'})"
    judge = judge_of(context.account.livemode)
    answer = _ask_second_process(alias)
    if answer.unasked:
        yield skipped(f"A second process could not be asked about the {name}: {answer.unasked}.")
    elif answer.fails and harm:
        words = f"Sessions are in the {name}, which fails: {answer.fails}."
        yield judge(words, f"{_TO_MEND} Until then, what uses a session ends in an error.")
    elif answer.fails:
        yield warned(f"The {name} fails ({answer.fails}), though nothing of this app needs it.", _TO_MEND)
    elif answer.is_shared:
        yield passed(f"What a second process wrote to the {name} is found here.")
    elif harm:
        words = f"Sessions are in the {name}, which a second process does not share."
        yield judge(words, f"Use Redis, Memcached or the database for it: {harm}")
    else:
        yield passed(
            f"The {name} is not shared, and nothing needs it to be: this app keeps what processes share in the "
            "database, and sessions are not in the cache."
        )


def _ask_second_process(alias: str) -> _Answer:
    """Let a second process write, and read here."""
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not module:
        return _Answer(unasked="DJANGO_SETTINGS_MODULE is not set")
    key, value = f"flowlix-check-{secrets.token_hex(8)}", secrets.token_hex(16)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603  our own text, this interpreter
            [sys.executable, "-c", _WRITE, alias, key, value],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Answer(unasked=type(error).__name__)
    if done.returncode == _FAILS:
        return _Answer(fails=done.stdout.split()[-1])
    if done.returncode:
        return _Answer(unasked=f"it ended with exit code {done.returncode}")
    return _Answer(is_shared=bool(caches[alias].get(key) == value))
