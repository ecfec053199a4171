"""For how many days rows are kept before `flowlix_prune` deletes them, or what is personal in them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields

from .errors import SettingError

_MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Ages in days; None keeps for ever.

    Status changes and personal data are kept unless told otherwise: how long the law wants them, or forbids to have
    them, differs from shop to shop.
    """

    calls_days: int | None = 400
    changes_days: int | None = None
    alerts_days: int | None = 400
    personal_data_days: int | None = None


_NAMES = tuple(item.name for item in fields(Retention))


def retention(value: object) -> Retention:
    """Return the ages. Raises: SettingError for a name that does not exist and for what is not an age"""
    if not isinstance(value, Mapping):
        raise SettingError("is not a dict.", 'Write it like {"calls_days": 180, "personal_data_days": 730}.')
    for name, days in value.items():
        if name not in _NAMES:
            near = difflib.get_close_matches(str(name), _NAMES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(_NAMES)}."
            raise SettingError(f"has no age {str(name)[:40]!r}.", hint)
        if days is not None and (type(days) is not int or not 1 <= days <= _MOST_DAYS):
            raise SettingError(
                f"has {name!r} that is not a number of days.", f"Write an integer from 1 to {_MOST_DAYS}, or None."
            )
    return Retention(**value)
