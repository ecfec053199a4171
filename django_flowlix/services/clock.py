"""The one place where the services sleep and read the time, so that tests can hand in their own."""

from __future__ import annotations

import time
from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    return timezone.now()


def sleep(seconds: float) -> None:
    time.sleep(seconds)
