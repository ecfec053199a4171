"""The collector: reads the database at every scrape, because counters of a process are wrong behind several workers."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..conf import accounts
from ..services import clock
from ..services.monitoring.present import read_present
from ..services.monitoring.totals import HoursNotClosedError, RunningTotals
from .families import FAMILIES
from .samples import of_present, of_scrape, of_totals

logger = logging.getLogger("django_flowlix")


class FlowlixCollector(Collector):
    """All metrics of all accounts; register one and keep it, because it remembers the hours that are closed.

    A scrape takes ten statements, and two more when hours have been closed since the last. What cannot be read is left
    out: `flowlix_scrape_success` is 0 then, and the log says why.
    """

    def __init__(self) -> None:
        self._totals = RunningTotals()

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without samples, so that registering asks nothing of the database."""
        return [family.of() for family in FAMILIES]

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of this moment. Raises nothing that the database does."""
        began_seconds = clock.monotonic()
        _let_go_of_old_connections()
        metrics, is_success = self._read()
        _let_go_of_old_connections()
        return [*metrics, *of_scrape(seconds=clock.monotonic() - began_seconds, is_success=is_success)]

    def _read(self) -> tuple[list[Metric], bool]:
        metrics: list[Metric] = []
        try:
            configured, now = accounts(), clock.now()
            metrics += of_present(read_present(configured, now), configured)
            metrics += of_totals(self._totals.read(now), configured)
        except HoursNotClosedError as error:
            logger.error("metrics: counters are left out: %s", error)
        except (Error, ImproperlyConfigured):
            logger.exception("metrics could not be read")
        else:
            return metrics, True
        return metrics, False


def _let_go_of_old_connections() -> None:
    """Do what Django does around a request: a thread of its own would keep for ever what the database ended."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
