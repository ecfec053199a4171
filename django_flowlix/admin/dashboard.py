"""The dashboard: how payments and the gateway are doing, of one period, one mode, one account or all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _

from ..conf import Account, accounts
from ..services import clock
from ..services.monitoring.counts import count_calls, count_changes, tallied_until
from ..services.monitoring.queues import ALL_QUEUES, JUDGED, waiting
from ..services.monitoring.statistics import Statistics
from .dashboard_choice import WINDOWS, Choice, read_choice
from .dashboard_figures import decline_rates, decline_reasons, headlines, latencies
from .dashboard_pictures import pictures
from .dashboard_watch import failing_deliveries, is_watched, judged_since, queue_lines, read_alerts
from .read_only import ReadOnlyAdmin

STRIPED = ("declined", "rate-limited")
"""Kinds of bars that are told from those below them by more than their colour."""


class DashboardAdmin(ReadOnlyAdmin):
    """Adds `dashboard/`, for whoever may see alerts: it says how many, how much and how fast, never who."""

    dashboard_template = "admin/django_flowlix/dashboard.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.dashboard_view)
        return [path("dashboard/", view, name="django_flowlix_dashboard"), *super().get_urls()]

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        """Show what the address asks for; what it asks for in vain is said and replaced."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        choice, refused = read_choice(request.GET.dict())
        for sentence in refused:
            messages.warning(request, sentence)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.dashboard_template, self._dashboard_context(request, choice))

    def _dashboard_context(self, request: HttpRequest, choice: Choice) -> dict[str, Any]:
        now = clock.now()
        starts = choice.window.starts(now)
        until = starts[-1] + choice.window.slice
        statistics = _read(starts[0], until, choice)
        waits, shown = waiting([*ALL_QUEUES, JUDGED], choice.scope), _shown(choice)
        judged = judged_since(waits, accounts=sum(account.livemode is choice.livemode for account in shown))
        site = self.admin_site
        return {
            **site.each_context(request),
            **_figures(statistics, choice),
            "title": _("Monitoring"),
            "opts": self.opts,
            "media": self.media,
            "choice": choice,
            "since": starts[0],
            "now": now,
            "pictures": pictures(statistics, choice.window, now),
            "alerts": read_alerts(site, choice.scope, now),
            "is_watched": is_watched(judged, now),
            "judged_since": judged,
            "failing": failing_deliveries(site),
            "queues": queue_lines(request, site, waits, now),
            # None of these contracts has webhooks whose silence could be watched.
            "webhooks": sorted({account.contract_name for account in shown}),
            "first_url": _first_transactions(request, site.name),
            "unfolded": choice.query(is_open=True),
            "striped": STRIPED,
        }


def _read(since: datetime, until: datetime, choice: Choice) -> Statistics:
    closed_until, grain = tallied_until(), choice.window.grain
    calls = count_calls(since, until, choice.scope, closed_until=closed_until, grain=grain)
    changes = count_changes(since, until, choice.scope, closed_until=closed_until, grain=grain)
    return Statistics(since, until, calls, changes)


def _figures(statistics: Statistics, choice: Choice) -> dict[str, Any]:
    brands, more_brands = decline_rates(statistics, "card_brand")
    countries, more_countries = decline_rates(statistics, "card_country")
    return {
        "is_empty": not statistics.calls and not statistics.changes,
        "wider": choice.query(window=WINDOWS["30d"]) if choice.window.name != "30d" else "",
        "other_mode": choice.query(mode="test" if choice.livemode else "live"),
        "headlines": headlines(statistics),
        "reasons": decline_reasons(statistics),
        "shares": [
            (_("Decline rate by card brand"), _("Brand"), brands, more_brands),
            (_("Decline rate by card country"), _("Country"), countries, more_countries),
        ],
        "latencies": latencies(statistics),
    }


def _shown(choice: Choice) -> list[Account]:
    """Return the accounts that are shown, whatever their mode; none where the settings are wrong."""
    try:
        return [account for alias, account in accounts().items() if choice.account in ("", alias)]
    except ImproperlyConfigured:
        return []


def _first_transactions(request: HttpRequest, current_app: str) -> str:
    if not request.user.has_perm("django_flowlix.view_payment"):
        return ""
    try:
        return reverse("admin:django_flowlix_first_transactions", current_app=current_app)
    except NoReverseMatch:  # a shop's own admin class may leave a screen out
        return ""
