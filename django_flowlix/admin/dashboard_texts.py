"""How the dashboard writes its figures: numbers, money, shares and durations, each as exactly as it is known."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from ..api.money import Money
from ..services.monitoring.latency import DURATION_BOUNDS_MS
from ..services.monitoring.statistics import Rate

NOTHING = "\N{EN DASH}"


def count_text(number: int) -> str:
    return number_format(number, force_grouping=True)


def money_text(money: Money) -> str:
    amount = number_format(money.major, decimal_pos=money.exponent, force_grouping=True)
    return f"{amount}\N{NO-BREAK SPACE}{money.currency}"


def share_text(rate: Rate) -> str:
    """Return a share in percent with one decimal; what is not nothing or not all is not written so."""
    value = rate.value or 0.0
    if rate.part and value < 0.0005:
        return f"< {percent_text(0.001)}"
    if rate.part < rate.whole and value >= 0.9995:
        return f"> {percent_text(0.999)}"
    return percent_text(value)


def percent_text(value: float) -> str:
    places = 0 if value in (0, 1) else 1
    # As a text: Django would cut a number's decimals off, not round it.
    return f"{number_format(f'{value * 100:.{places}f}')}\N{NO-BREAK SPACE}%"


def seconds_text(seconds: float) -> str:
    """Return a duration as exactly as the classes of durations allow."""
    if seconds >= DURATION_BOUNDS_MS[-1] / 1000:
        return _("over %(seconds)s s") % {"seconds": DURATION_BOUNDS_MS[-1] // 1000}
    if (milliseconds := round(seconds * 1000)) < 1000:
        return _("%(milliseconds)s ms") % {"milliseconds": milliseconds}
    return _("%(seconds)s s") % {"seconds": number_format(f"{seconds:.1f}")}
