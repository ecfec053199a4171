"""Whether the cache is one for all processes, where something needs that; proven with a second process.

Nothing of this app uses the cache: its pauses, leases and locks are in the database. Sessions may.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches

from .. import catalogue
from ..context import Context
from ..findings import Finding, failed, passed, skipped, warned
from ..items import Stage

_TIMEOUT_SECONDS = 30
_IN_CACHE = ("django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db")
_WRITE = """
import sys, django
django.setup()
from django.core.cache import caches
caches[sys.argv[1]].set(sys.argv[2], sys.argv[3], 60)
"""


@catalogue.SHARED_CACHE.probe(Stage.NETWORK)
def shared_cache(context: Context) -> Iterator[Finding]:
    sessions_need_it = settings.SESSION_ENGINE in _IN_CACHE
    alias = settings.SESSION_CACHE_ALIAS if sessions_need_it else DEFAULT_CACHE_ALIAS
    kind = str(settings.CACHES.get(alias, {}).get("BACKEND", "")).rpartition(".")[2]
    shared = _is_shared(alias)
    if isinstance(shared, str):
        yield skipped(f"A second process could not be asked about the cache {alias!r}: {shared}.")
    elif shared:
        yield passed(f"What a second process wrote to the cache {alias!r} ({kind}) is found here.")
    elif sessions_need_it:
        judge = failed if context.account.livemode else warned
        words = f"Sessions are in the cache {alias!r} ({kind}), which a second process does not share."
        yield judge(words, "Use Redis, Memcached or the database for it: customers would lose their sessions.")
    else:
        yield passed(
            f"The cache {alias!r} ({kind}) is not shared, and nothing needs it to be: this app keeps what processes "
            "share in the database, and sessions are not in the cache."
        )


def _is_shared(alias: str) -> bool | str:
    """Let a second process write, and read here; returns in words why that could not be done."""
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not module:
        return "DJANGO_SETTINGS_MODULE is not set"
    key, value = f"flowlix-check-{secrets.token_hex(8)}", secrets.token_hex(16)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(  # noqa: S603  our own text, this interpreter
            [sys.executable, "-c", _WRITE, alias, key, value],
            env=environment,
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    if done.returncode:
        return f"it ended with exit code {done.returncode}"
    return bool(caches[alias].get(key) == value)
