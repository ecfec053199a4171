"""How finely counts are cut: by hours, quarters of a day, days or years, in UTC, as the database does it.

No database truncates to six hours, so a quarter is a day and which of its four it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import ExtractHour, Trunc
from django.db.models.lookups import LessThan

Grain = Literal["hour", "quarter", "day", "year"]

SLOT = ("day", "quarter")
"""The columns that say when: `start_of` reads them."""
QUARTER = timedelta(hours=6)


def slot_of(column: str, grain: Grain) -> dict[str, Any]:
    """Return the columns `SLOT` for a column with a time; "day" is an hour or a year where those are asked for."""
    if grain != "quarter":
        return {"day": Trunc(column, grain, tzinfo=UTC), "quarter": Value(0, output_field=IntegerField())}
    hour = ExtractHour(column, tzinfo=UTC)
    cases = (When(LessThan(hour, 6 * (quarter + 1)), then=Value(quarter)) for quarter in range(3))
    quarter = Case(*cases, default=Value(3), output_field=IntegerField())
    return {"day": Trunc(column, "day", tzinfo=UTC), "quarter": quarter}


def start_of(day: datetime, quarter: int) -> datetime:
    return day + quarter * QUARTER if quarter else day
