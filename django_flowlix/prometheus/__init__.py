"""Figures for Prometheus, read from the database at every scrape (extra `prometheus`).

`FlowlixCollector` is for a registry of your own, `MetricsView` a protected page. Nothing else of the app imports this.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

try:
    import prometheus_client  # noqa: F401
except ImportError as error:
    raise ImproperlyConfigured(
        'django_flowlix.prometheus needs prometheus-client: pip install "django-flowlix[prometheus]"'
    ) from error

from .collector import FlowlixCollector
from .view import MetricsView

__all__ = ["FlowlixCollector", "MetricsView"]
