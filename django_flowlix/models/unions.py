"""Parts of a UNION that every database accepts."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet


def first(rows: QuerySet[Any], most: int) -> QuerySet[Any]:
    """Return at most so many rows, in a form that may be a part of a UNION on every database."""
    if connections[rows.db].features.supports_slicing_ordering_in_compound:
        return rows[:most]
    model: type[Model] = rows.model
    return model._default_manager.filter(pk__in=rows.values("pk")[:most])  # SQLite
