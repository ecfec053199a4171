"""The client stands alone: importing it loads no Django."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
import django_flowlix.api
import django_flowlix.api.client
loaded = sorted(name for name in sys.modules if name.split(".")[0] == "django")
print(",".join(loaded) or "none")
"""


def test_importing_the_client_loads_no_django():
    run = subprocess.run([sys.executable, "-W", "error", "-c", PROBE], capture_output=True, text=True, timeout=60)
    assert (run.stdout.strip(), run.returncode) == ("none", 0), run.stderr
