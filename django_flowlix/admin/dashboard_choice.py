"""Which period, mode and account a dashboard is about: read from the address, and how the other choices are linked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import accounts
from ..services.monitoring.counts import Scope
from ..services.monitoring.grains import QUARTER, Grain
from .filters import configured_aliases

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A period that ends with the running slice; slices begin at whole hours or days in UTC."""

    name: str
    label: _StrPromise
    length: timedelta
    slice: timedelta
    grain: Grain = "hour"

    def starts(self, now: datetime) -> list[datetime]:
        """Return the starts of the slices, the last of which `now` is in."""
        # The epoch began at midnight UTC, so that whole hours and days are whole numbers of seconds since then.
        seconds = self.slice.total_seconds()
        last = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        return [last - self.slice * index for index in reversed(range(self.length // self.slice))]


WINDOWS = {
    window.name: window
    for window in (
        Window(name="24h", label=gettext_lazy("24 hours"), length=timedelta(hours=24), slice=timedelta(hours=1)),
        Window(
            name="7d",
            label=gettext_lazy("7 days"),
            length=timedelta(days=7),
            slice=QUARTER,
            grain="quarter",
        ),
        Window(
            name="30d",
            label=gettext_lazy("30 days"),
            length=timedelta(days=30),
            slice=timedelta(days=1),
            grain="day",
        ),
    )
}
MODES = {"live": gettext_lazy("Live"), "test": gettext_lazy("Test")}


@dataclass(frozen=True, slots=True)
class Tab:
    """One of several choices as a link."""

    label: str
    query: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is shown; `account` is "" for all accounts, `is_open` when every table is to be unfolded."""

    window: Window
    mode: str
    account: str = ""
    is_open: bool = False

    @property
    def livemode(self) -> bool:
        return self.mode == "live"

    @property
    def scope(self) -> Scope:
        return Scope(self.livemode, self.account)

    def query(self, **changes: Any) -> str:
        """Return the address of this choice, or of another one, as `?window=…`."""
        other = replace(self, **changes)
        parts = {"window": other.window.name, "mode": other.mode, "account": other.account}
        parts |= {"tables": "open"} if other.is_open else {}
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    @property
    def window_tabs(self) -> list[Tab]:
        return [Tab(str(window.label), self.query(window=window), window is self.window) for window in WINDOWS.values()]

    @property
    def mode_tabs(self) -> list[Tab]:
        return [Tab(str(label), self.query(mode=mode), mode == self.mode) for mode, label in MODES.items()]

    @property
    def account_tabs(self) -> list[Tab]:
        """Return the accounts; none where there is only one to choose."""
        aliases = configured_aliases()
        if len(aliases) < 2:
            return []
        return [
            Tab(_("All"), self.query(account=""), not self.account),
            *(Tab(alias, self.query(account=alias), alias == self.account) for alias in aliases),
        ]


def read_choice(asked: Mapping[str, str]) -> tuple[Choice, list[str]]:
    """Return what the address asks for, and a sentence on each part of it that does not exist and was replaced."""
    refused: list[str] = []
    window = WINDOWS.get(asked.get("window", "24h"))
    if window is None:
        window = WINDOWS["24h"]
        refused.append(_("There is no period “%(value)s”: the last 24 hours are shown.") % _quoted(asked["window"]))
    mode = asked.get("mode", "") or usual_mode()
    if mode not in MODES:
        shown = MODES[usual_mode()]
        words = {**_quoted(mode), "mode": str(shown).lower()}
        refused.append(_("There is no mode “%(value)s”: the %(mode)s mode is shown.") % words)
        mode = usual_mode()
    account = asked.get("account", "")
    if account and account not in configured_aliases():
        refused.append(_("There is no account “%(value)s”: all accounts are shown.") % _quoted(account))
        account = ""
    return Choice(window=window, mode=mode, account=account, is_open=asked.get("tables") == "open"), refused


def usual_mode() -> str:
    """Return the mode of the configured accounts: live as soon as one is."""
    try:
        return "live" if any(account.livemode for account in accounts().values()) else "test"
    except ImproperlyConfigured:  # what was booked can be looked at all the same
        return "live"


def _quoted(value: str) -> dict[str, str]:
    return {"value": value[:50]}
