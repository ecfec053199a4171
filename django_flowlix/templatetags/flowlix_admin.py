"""What our blocks on the admin's page of this app show: alerts, the checklist, work queues and what waits in each."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..checklist import Outcome
from ..checklist.items import registered
from ..checklist.standing import account_standings
from ..conf import accounts
from ..models import Alert
from ..services.monitoring.queues import MOST_COUNTED, PAYMENT_QUEUES, REFUND_QUEUES, Queue, waiting

register = template.Library()


@register.inclusion_tag("admin/django_flowlix/monitoring.html", takes_context=True)
def flowlix_monitoring(context: template.Context) -> dict[str, Any]:
    """Show how many alerts are open and how the checklist stands, and where those pages are.

    One query for the alerts, two for the checklist and one for each account.
    """
    request = context["request"]
    current_app = getattr(request, "current_app", None)
    found: dict[str, Any] = {}
    if request.user.has_perm("django_flowlix.view_alert"):
        number = Alert.objects.open().count()
        words = ngettext("%(count)s open alert", "%(count)s open alerts", number) % {"count": number_format(number)}
        page, listed = _page("dashboard", current_app), _page("alert_changelist", current_app)
        found |= {"alerts": words, "is_alarming": number > 0, "dashboard_url": page}
        found["alerts_url"] = f"{listed}?state=open" if listed else ""
    if request.user.has_perm("django_flowlix.view_payment"):
        found["first_url"] = _page("first_transactions", current_app)
    if request.user.has_perm("django_flowlix.view_checklistrun") and (page := _page("checklist", current_app)):
        found |= {"checklists": _checklists(page)}
    return found


def _checklists(page: str) -> list[dict[str, Any]]:
    """Return a row for each account; wrong settings are a row too: the page says what is wrong."""
    # Django imports this module for every template of a project, also of one that has no admin to register with.
    from ..admin.display import mode_badge
    from ..admin.outcomes import verdict

    try:
        found = account_standings(accounts().values(), registered())
    except ImproperlyConfigured:
        return [{"words": _("wrong settings"), "is_alarming": True, "url": page}]
    return [
        {
            "account": standing.account.alias if len(found) > 1 else "",
            "mode": mode_badge(standing.account),
            "words": verdict(standing),
            "is_alarming": standing.counts[Outcome.FAIL] > 0,
            "url": f"{page}?{urlencode({'account': standing.account.alias})}",
        }
        for standing in found
    ]


@register.inclusion_tag("admin/django_flowlix/work_queues.html", takes_context=True)
def flowlix_work_queues(context: template.Context) -> dict[str, Any]:
    """Show the queues of what the person may view, in one query."""
    request = context["request"]
    queues = [
        queue
        for queue in (*PAYMENT_QUEUES, *REFUND_QUEUES)
        if request.user.has_perm(f"django_flowlix.view_{queue.model._meta.model_name}")
    ]
    lines = [
        {
            "of": queue.model._meta.verbose_name_plural,
            "label": queue.label,
            "count": _shown(waits.number),
            "waits": bool(waits.number),
            "url": _address(queue, getattr(request, "current_app", None)),
        }
        for queue, waits in waiting(queues).items()
    ]
    return {"queues": lines}


def _shown(number: int) -> str:
    if number > MOST_COUNTED:
        return _("%(count)s+") % {"count": number_format(MOST_COUNTED, force_grouping=True)}
    return number_format(number)


def _address(queue: Queue, current_app: str | None) -> str:
    address = _page(f"{queue.model._meta.model_name}_changelist", current_app)
    return f"{address}?queue={queue.name}" if address else ""


def _page(name: str, current_app: str | None) -> str:
    try:
        return reverse(f"admin:django_flowlix_{name}", current_app=current_app)
    except NoReverseMatch:  # a shop may leave a list out of its admin
        return ""
