"""What the how-to about logging shows works as it is written there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNIPPETS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "how-to" / "logging.md").read_text(encoding="utf-8"), re.DOTALL
)

# In a process of its own, because configuring the logging closes the handlers that there are.
PROBE = """
import logging.config
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django_flowlix"], USE_TZ=True)
import django
django.setup()
{settings}
{formatter}
{change}
logging.config.dictConfig(LOGGING)
from django_flowlix.models import ApiCall
from django_flowlix.services import event_log
event_log.exchanged(ApiCall(
    account="default", livemode=True, operation="retrieve", try_number=1, http_status=503, outcome="unknown",
    request_id="req_1", error_type="api_error", duration_ms=84,
))
try:
    raise ValueError("4242 4242 4242 4242")
except ValueError:
    logging.getLogger("shop").exception("card %s", "4242424242424242")
"""


def logged(change: str = "") -> list[str]:
    settings, formatter = SNIPPETS
    code = PROBE.format(settings=settings, formatter=formatter, change=change)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    return run.stderr.splitlines()


def test_lines() -> None:
    exchange, failure, *traceback = logged()
    assert exchange.partition(" WARNING ")[2] == (
        "django_flowlix.exchanges: flowlix.exchange operation=retrieve try=1 http_status=503 outcome=unknown "
        "request_id=req_1 duration_ms=84 account=default livemode=true error_type=api_error"
    )
    assert failure.endswith("ERROR shop: card ****4242")
    assert traceback[-1] == "ValueError: ****4242"


def test_json() -> None:
    use_json = 'LOGGING["formatters"]["line"] = {"()": JsonFormatter}'
    exchange, failure = map(json.loads, logged(use_json))
    assert (
        exchange.items()
        >= {
            "level": "WARNING",
            "logger": "django_flowlix.exchanges",
            "flowlix_request_id": "req_1",
            "flowlix_http_status": 503,
            "flowlix_livemode": True,
        }.items()
    )
    assert failure["message"] == "card ****4242"
    assert failure["exception"].endswith("ValueError: ****4242")
